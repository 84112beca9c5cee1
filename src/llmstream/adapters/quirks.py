"""Known deviations from a dialect that must be declared in advance, as one closed set.

The adapters handle most deviations from any server without a quirk.  A test checks that each of these
changes what an adapter does.
"""

from __future__ import annotations

from enum import StrEnum


class Quirk(StrEnum):
    """A deviation, by the name that the catalogue and the configuration file give it."""

    NO_STREAM_OPTIONS = "no-stream-options"
    """The server refuses `stream_options`: it isn't sent."""
