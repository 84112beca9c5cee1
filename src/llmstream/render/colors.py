"""Escape sequences (SGR, ECMA-48 section 8.3.117) for notes and thinking."""

from __future__ import annotations

from typing import Final

RED: Final = "\x1b[31m"
DIM: Final = "\x1b[2m"
DIM_OFF: Final = "\x1b[22m"
RESET: Final = "\x1b[0m"
