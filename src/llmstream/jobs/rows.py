"""Split an input into rows: lines of JSON or text, or the records of a CSV file, each with its line number.

Rows are yielded one by one and not kept, so that an input may be larger than memory. Only LF or CRLF
ends a line; U+2028 and the like are text.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Final, NoReturn, TypeAlias

from llmstream.errors import UsageError

BOM: Final = b"\xef\xbb\xbf"
JSON_COLUMNS: Final = ("messages", "options")
"""Columns of a CSV file that contain JSON."""


class BadRow(UsageError):
    """One row is invalid.

    Args:
        number: its line number, from 1.
        message: what is wrong with the row.
        data: the row's bytes, as far as known.
        id: its id, None if that is invalid or unknown.
        hint: what to do about it.
    """

    def __init__(
        self,
        number: int,
        message: str,
        data: bytes = b"",
        id: str | int | float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(f"line {number}: {message}", hint=hint)
        self.number = number
        self.reason = message
        self.data = data
        self.id = id

    @property
    def name(self) -> str | int | float:
        """The name of its line of the output."""
        return str(self.number) if self.id is None else self.id


class Row:
    """One prompt of an input, as written there.

    Args:
        number: number of its first line, from 1.
        fields: the fields of a JSON object or a CSV record; None for a bare line.
        line: the bare line, "" otherwise.
        data: its bytes, for messages.
    """

    __slots__ = ("data", "fields", "line", "number")

    def __init__(self, number: int, fields: dict[str, object] | None, line: str, data: bytes) -> None:
        self.number = number
        self.fields = fields
        self.line = line
        self.data = data


RowOrBad: TypeAlias = Row | BadRow


def row_of(data: bytes, number: int) -> RowOrBad | None:
    """Return the row of one line, None if the line is blank.

    Args:
        data: the line, with or without its line ending.
        number: its number, from 1; a byte-order mark at the start of line 1 is dropped.
    """
    if number == 1 and data.startswith(BOM):
        data = data[len(BOM) :]
    if data.endswith(b"\n"):
        data = data[:-2] if data.endswith(b"\r\n") else data[:-1]
    inside = data.strip()
    if not inside:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return BadRow(
            number, f"not UTF-8 text (byte 0x{data[error.start]:02x} at offset {error.start})", data
        )
    if inside[0] != 0x7B:
        return Row(number, None, text, data)
    try:
        fields = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"begins with {{ but is not valid JSON: {error}", data)
    return Row(number, fields, "", data)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def rows_of_lines(lines: Iterable[bytes]) -> Iterator[RowOrBad]:
    """Yield the rows of a file of lines; blank lines are counted but skipped."""
    for number, data in enumerate(lines, 1):
        row = row_of(data, number)
        if row is not None:
            yield row


class _Physical(Iterator[str]):
    """The lines of a CSV file as text, counted."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self.number = 0

    def __next__(self) -> str:
        data = next(self._lines)
        self.number += 1
        if self.number == 1 and data.startswith(BOM):
            data = data[len(BOM) :]
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise BadRow(
                self.number, f"not UTF-8 text (byte 0x{data[error.start]:02x} at offset {error.start})"
            ) from error


def rows_of_csv(lines: Iterable[bytes]) -> Iterator[RowOrBad]:
    """Yield the records of a CSV file with a header line.

    The separator is the first of comma, semicolon and tab that the header contains. Reading stops where
    the file is not valid CSV or UTF-8, because the start of the next record is unknown.

    Args:
        lines: lines with their endings, because a quoted cell may contain line breaks.
    """
    # the default limit, 128 KiB, is less than some prompts; it can only be set for the whole process
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    physical = _Physical(lines)
    try:
        head = next(physical, "")
        separator = next((one for one in ",;\t" if one in head), ",")
        names = [name.strip() for name in next(csv.reader([head], delimiter=separator, strict=True), [])]
    except (BadRow, csv.Error) as error:
        yield error if isinstance(error, BadRow) else BadRow(1, f"the header is not valid CSV: {error}")
        return
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        yield BadRow(1, f'the header has the column "{twice}" twice')
        return
    records = csv.reader(physical, delimiter=separator, strict=True)
    while True:
        number = physical.number + 1
        try:
            cells = next(records, None)
        except BadRow as error:
            yield error
            return
        except csv.Error as error:
            yield BadRow(number, f"not valid CSV: {error}")
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _record(number, names, cells)


def _record(number: int, names: list[str], cells: list[str]) -> RowOrBad:
    data = ",".join(cells).encode("utf-8", "replace")
    if len(cells) > len(names):
        return BadRow(number, f"{len(cells)} cells, but the header has {len(names)} columns", data)
    fields: dict[str, object] = dict(zip(names, cells, strict=False))
    for name in ("id", "model", "system", *JSON_COLUMNS):
        if fields.get(name) == "":
            del fields[name]
    for name in JSON_COLUMNS:
        if name in fields:
            try:
                fields[name] = _DECODER.decode(str(fields[name]))
            except (ValueError, RecursionError) as error:
                return BadRow(number, f"{name} is not valid JSON: {error}", data)
    return Row(number, fields, "", data)
