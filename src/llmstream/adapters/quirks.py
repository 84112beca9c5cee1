"""Known deviations from a dialect that have to be told ahead: one closed set for all who name them.

Most deviations are read by the adapters as they come, from whomever, and need no quirk.  That each of
these changes what some adapter does is a test.
"""

from __future__ import annotations

from enum import StrEnum


class Quirk(StrEnum):
    """A deviation, by the name that the catalogue and the configuration file give it."""

    NO_STREAM_OPTIONS = "no-stream-options"
    """The server refuses `stream_options`: it isn't sent."""
