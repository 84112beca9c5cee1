"""Read and check the configuration file: its text, who can write it, and every problem in it.

The file is opened once, and its owner and mode are read from that descriptor, so that it can't be
replaced between the check and the read.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from llmstream.config.file import check
from llmstream.config.file import table as keys
from llmstream.errors import ConfigError
from llmstream.record import Record

if TYPE_CHECKING:
    from llmstream.config.file.problems import Problem

LONGEST: Final = 1 << 20
"""Size limit of a configuration file in bytes; a larger one is a mistake, such as a model file."""


class ConfigFile(Record):
    """A configuration file that was read and is valid; an empty one if there is no file.

    Args:
        path: the file, existing or not; None without one.
        document: its content, checked against `table.py`.
        text: its text, for `positions`.
        warnings: messages for the user.
    """

    path: Path | None
    document: Mapping[str, object]
    text: str
    warnings: tuple[str, ...]

    @property
    def providers(self) -> Mapping[str, Mapping[str, object]]:
        """The tables under ``[providers]``."""
        return cast("Mapping[str, Mapping[str, object]]", self.document.get("providers", {}))

    @property
    def aliases(self) -> Mapping[str, str]:
        """The table ``[aliases]``."""
        return cast("Mapping[str, str]", self.document.get("aliases", {}))

    def switch(self, key: str, default: bool) -> bool:
        """Return a top-level setting that is true or false, `default` when it isn't set."""
        value = self.document.get(key)
        return value if isinstance(value, bool) else default

    def setting(self, key: str) -> str:
        """Return a top-level setting that is text, "" when it isn't set."""
        value = self.document.get(key)
        return value if isinstance(value, str) else ""


class _Bytes(Record):
    data: bytes
    private: bool
    trusted: bool


def load(path: Path | None, *, required: bool) -> ConfigFile:
    """Read and check a configuration file.

    Args:
        path: None for no file.
        required: whether the file must exist, as when the user named it.

    Raises:
        ConfigError: it can't be read or is invalid; lists all problems with line and column.
    """
    if path is None or not (required or _exists(path)):
        return ConfigFile(path, {}, "", ())
    found, document, text, warnings = _examine(path)
    if found:
        raise refused(found)
    return ConfigFile(path, document, text, warnings)


def problems(path: Path) -> list[Problem]:
    """Return every problem in a configuration file, in the order of its lines.

    Raises:
        ConfigError: it can't be read at all.
    """
    return _examine(path)[0]


def refused(found: list[Problem]) -> ConfigError:
    """Return the error that lists all problems of a file."""
    from llmstream.config.file.problems import message

    return ConfigError(message(found), phase="config")


def examined(
    path: Path, flaws_of: Callable[[Mapping[str, object]], Iterable[check.Flaw]]
) -> tuple[list[Problem], dict[str, object]]:
    """Check another TOML file of ours; return its problems, in the order of its lines, and its content.

    Args:
        path: the file.
        flaws_of: yields the problems of its content.

    Raises:
        ConfigError: it can't be read at all.
    """
    found, document, text = _parsed(path, _read(path))
    if found:
        return found, {}
    flaws = list(flaws_of(document))
    return (_located(path, text, flaws) if flaws else []), document


def _examine(path: Path) -> tuple[list[Problem], dict[str, object], str, tuple[str, ...]]:
    content = _read(path)
    found, document, text = _parsed(path, content)
    if found:
        return found, {}, text, ()
    flaws = list(check.flaws(document))
    if not content.trusted:
        flaws += _untrusted(document)
    warnings = () if content.private else tuple(_exposed(path, document))
    return _located(path, text, flaws) if flaws else [], document, text, warnings


def _parsed(path: Path, content: _Bytes) -> tuple[list[Problem], dict[str, object], str]:
    import tomllib

    try:
        text = content.data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return [_not_utf8(path, content.data, error)], {}, ""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return [_syntax(path, text, error)], {}, text
    return [], document, text


def _read(path: Path) -> _Bytes:
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder, not a file", phase="config")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(LONGEST + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"can't read {path}: {reason}", phase="config") from error
    except ValueError as error:
        raise ConfigError(
            "the path of the configuration file contains a NUL character", phase="config"
        ) from error
    if len(data) > LONGEST:
        raise ConfigError(f"{path} is larger than the {LONGEST >> 20} MiB limit", phase="config")
    return _Bytes(data, private=not _group_or_others(status, 0o044), trusted=_only_ours(status))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # treat a home folder that this user may not read as one without a configuration
        return False


def _group_or_others(status: os.stat_result, bits: int) -> bool:
    # Windows has no such bits: stat makes them up there
    return os.name == "posix" and stat.S_ISREG(status.st_mode) and bool(status.st_mode & bits)


def _only_ours(status: os.stat_result) -> bool:
    if sys.platform == "win32":
        return True  # write access is in access control lists, which stat does not show
    return status.st_uid in (os.geteuid(), 0) and not _group_or_others(status, 0o022)


def _provider_tables(document: Mapping[str, object]) -> dict[str, dict[str, object]]:
    tables = document.get("providers")
    found = tables.items() if isinstance(tables, dict) else ()
    return {name: table for name, table in found if isinstance(table, dict)}


def _untrusted(document: Mapping[str, object]) -> list[check.Flaw]:
    text = "runs a program, but other users can write to this file: restrict it with chmod 600"
    return [
        check.Flaw(("providers", name, key), f"{key} {text}")
        for name, table in _provider_tables(document).items()
        for key in keys.RUNS_CODE
        if key in table
    ]


def _exposed(path: Path, document: Mapping[str, object]) -> list[str]:
    if not any("api_key" in table for table in _provider_tables(document).values()):
        return []
    return [f"{path} contains an API key and other users can read it; run chmod 600 {path}"]


def _located(path: Path, text: str, flaws: list[check.Flaw]) -> list[Problem]:
    from llmstream.config.file.positions import positions
    from llmstream.config.file.problems import Problem, line_at

    places = positions(text)
    found = []
    for flaw in flaws:
        line, column = places.get(flaw.path, (1, 1))
        found.append(Problem(path, line, column, flaw.text, line_at(text, line)))
    return sorted(found, key=lambda problem: (problem.line, problem.column, problem.text))


def _not_utf8(path: Path, data: bytes, error: UnicodeDecodeError) -> Problem:
    from llmstream.config.file.problems import Problem

    before = data[: error.start]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
    text = f"not UTF-8 text: byte 0x{data[error.start]:02x}"
    return Problem(path, before.count(b"\n") + 1, column, text)


def _syntax(path: Path, text: str, error: Exception) -> Problem:
    from llmstream.config.file.problems import Problem, line_at
    from llmstream.config.file.remedies import syntax_error

    line, column, told = syntax_error(text, error)
    said = told if isinstance(error, RecursionError) else f"invalid TOML: {told}"
    return Problem(path, line, column, said, line_at(text, line))
