"""Find the end of a JSON value while it arrives, without parsing it.

Trying to parse it after each of a thousand reads would take quadratic time.  Counting the brackets outside
of strings looks at each character only once.
"""

from __future__ import annotations

import re

# Possessive, so that matching an unterminated string fails at once, without backtracking.
_INSIDE = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STRING = re.compile(_INSIDE, re.DOTALL)
# Everything between brackets, including complete strings, so that only brackets need a step of the loop.
_PLAIN = re.compile(rf'[^][{{}}"]*+(?:"{_INSIDE}"[^][{{}}"]*+)*+', re.DOTALL)


class Nesting:
    """Tracks one object or array, starting at its opening bracket."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def end(self, text: str, start: int = 0) -> int:
        """Return the index after the value's closing bracket, -1 if it is not in `text`.

        Args:
            text: the continuation of the text passed before.
            start: the index to start at.

        Only nesting is counted; whether each bracket has the right kind is left to the parser.
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
        """Return the index after the open string's closing quote, -1 if it is not in `text`."""
        if self._escaped:
            if at == len(text):
                return -1
            self._escaped = False
            at += 1
        at = _behind(_STRING, text, at)
        if at == len(text):
            return -1
        if text[at] == "\\":
            # The last character; the one that it escapes is in the next text.
            self._escaped = True
            return -1
        self._in_string = False
        return at + 1


def _behind(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the index after the match of `pattern` at `at`, or `at` if there is none."""
    found = pattern.match(text, at)
    return at if found is None else found.end()
