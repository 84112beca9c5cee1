"""Finds where a JSON value ends without parsing it, while it still grows.

Trying a parser after each of a thousand reads would take quadratic time.  Counting brackets outside strings
looks at each character only once.
"""

from __future__ import annotations

import re

# Possessive, so that a string without an end is given up at once instead of step by step.
_INSIDE = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STRING = re.compile(_INSIDE, re.DOTALL)
# Whole strings and all else that is no bracket: one step for each bracket, not for each string.
_PLAIN = re.compile(rf'[^][{{}}"]*+(?:"{_INSIDE}"[^][{{}}"]*+)*+', re.DOTALL)


class Nesting:
    """Follows one object or array, beginning with its bracket."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def end(self, text: str, start: int = 0) -> int:
        """Return the index just behind the value's last bracket, -1 when it is not in `text`.

        Args:
            text: what follows the text of the call before.
            start: where to begin in it.

        Only balance is checked; whether brackets match in kind is left to the parser.
        """
        at = start
        while True:
            if self._in_string:
                at = self._behind_string(text, at)
                if at < 0:
                    return -1
            at = _behind(_PLAIN, text, at)
            if at == len(text):
                return -1
            mark = text[at]
            at += 1
            if mark == '"':
                self._in_string = True
            elif mark in "[{":
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth <= 0:
                    return at

    def _behind_string(self, text: str, at: int) -> int:
        """Return the index behind the open string's quote, -1 when the string goes on."""
        if self._escaped:
            if at == len(text):
                return -1
            self._escaped = False
            at += 1
        at = _behind(_STRING, text, at)
        if at == len(text):
            return -1
        if text[at] == "\\":
            # The last character: what it escapes comes with the next text.
            self._escaped = True
            return -1
        self._in_string = False
        return at + 1


def _behind(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the index behind what `pattern`, which also matches nothing, matches at `at`."""
    found = pattern.match(text, at)
    return at if found is None else found.end()
