"""Deviations from a dialect that must be declared in advance, as a closed set.

The adapters handle most deviations for all servers, without a quirk.  A test checks that each quirk has an
effect.
"""

from __future__ import annotations

from enum import StrEnum


class Quirk(StrEnum):
    """A deviation, by its name in the catalogue and the configuration file."""

    NO_STREAM_OPTIONS = "no-stream-options"
    """The server refuses ``stream_options``, so it isn't sent."""
