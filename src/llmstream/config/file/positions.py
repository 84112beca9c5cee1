"""Find the line and column of each key of a TOML text, for error messages and `config show --origin`.

tomllib reports the position of a syntax error and of nothing else.  This scan is for text that tomllib
has already accepted: it relies on valid TOML and recognises only strings, comments, brackets and keys.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Path: TypeAlias = tuple[str, ...]
Places: TypeAlias = dict[Path, tuple[int, int]]

BARE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
BLANK: Final = " \t"


def positions(text: str) -> Places:
    """Return line and column, both from 1, of each key's first occurrence, by its path.

    Args:
        text: TOML that tomllib accepts.  Elements of lists have no position of their own: keys of
            tables inside them are recorded under the list's path.
    """
    return _Scan(text.replace("\r\n", "\n")).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: Places = {}

    def run(self) -> Places:
        table: Path = ()
        while self._skip(BLANK + "\n"):
            if self._is("["):
                self.at += 2 if self.text.startswith("[[", self.at) else 1
                table = self._key(())
                self.at = self._end_of_line()
            else:
                self._pair(table)
        return self.places

    def _pair(self, table: Path) -> None:
        path = self._key(table)
        self.at += 1  # the =
        self._value(path)

    def _key(self, table: Path) -> Path:
        path = table
        while True:
            self._skip(BLANK)
            start = self.at
            path = (*path, self._part())
            self.places.setdefault(path, self._place(start))
            self._skip(BLANK)
            if not self._is("."):
                return path
            self.at += 1

    def _part(self) -> str:
        if self.text[self.at] in "\"'":
            return self._quoted_part()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in BARE:
            self.at += 1
        return self.text[start : self.at]

    def _quoted_part(self) -> str:
        import tomllib

        start = self.at
        self._string()
        (key,) = tomllib.loads(self.text[start : self.at] + " = 0")
        return key

    def _value(self, path: Path) -> None:
        self._skip(BLANK)
        sign = self.text[self.at]
        if sign in "\"'":
            self._string()
        elif sign == "[":
            self._list(path)
        elif sign == "{":
            self._inline_table(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _list(self, path: Path) -> None:
        self.at += 1
        while self._skip(BLANK + "\n,") and not self._is("]"):
            self._value(path)
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._skip(BLANK + "\n,") and not self._is("}"):
            self._pair(path)
        self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            self._long_string(quote)
            return
        self.at += 1
        while self.text[self.at] != quote:
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += 1

    def _long_string(self, quote: str) -> None:
        self.at += 3
        while not self.text.startswith(quote * 3, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += 3
        # up to two quotes may precede the closing three directly
        while self._is(quote):
            self.at += 1

    def _skip(self, characters: str) -> bool:
        """Skip these characters, and comments if they include a line end; return whether text is left."""
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign == "#" and "\n" in characters:
                self.at = self._end_of_line()
            elif sign in characters:
                self.at += 1
            else:
                return True
        return False

    def _is(self, sign: str) -> bool:
        return self.text.startswith(sign, self.at)

    def _end_of_line(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def _place(self, at: int) -> tuple[int, int]:
        return self.text.count("\n", 0, at) + 1, at - (self.text.rfind("\n", 0, at) + 1) + 1
