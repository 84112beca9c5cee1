"""Reads a recording: its calls, their attempts, and the responses.

Reading ends at a damaged line: everything before it can still be replayed, and a replay that reaches it
fails with its line number.  Unknown keys and lines are ignored.
"""

from __future__ import annotations

import json
import re
import stat
from functools import lru_cache
from pathlib import Path
from typing import Final

from llmstream.errors import BadMessage, ConfigError, LLMStreamError
from llmstream.transport.tape import entries
from llmstream.transport.tape.entries import Attempt, Line, RecordedCall
from llmstream.transport.tape.inflated import inflate
from llmstream.transport.tape.lines import VERSION

CASSETTES: Final = (".yaml", ".yml")
CASSETTE: Final = re.compile(
    rb'interactions:|http_interactions:|version:|---|\{\s*"(version|(http_)?interactions)"'
)
"""How a VCR cassette begins, in YAML or JSON."""
LARGEST: Final = 1 << 30


def calls_of(path: Path) -> list[RecordedCall]:
    """Return the calls in a recording or a cassette, at least one; callers share them, so don't change them.

    Raises:
        ConfigError: the file is missing, can't be read, or is too large.
        MissingExtra: a cassette in YAML needs the extra `vcr`.
        BadMessage: the file is not a recording, or its first line is damaged.
    """
    try:
        found = path.stat()
        if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
            # a device may have no end
            raise ConfigError(f"can't read the recording {path}: not a file or a pipe", phase="config")
        return _read(path, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise ConfigError(
            f"can't read the recording {path}: {error.strerror or error}", phase="config"
        ) from error


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, size: int) -> list[RecordedCall]:
    """Return the calls of a file; cached, because a provider may be a recording that answers many prompts.

    `changed` and `size` are part of the cache's key.
    """
    with path.open("rb") as file:
        # a pipe has no size
        data = file.read(LARGEST + 1) if size <= LARGEST else b""
    if max(size, len(data)) > LARGEST:
        raise ConfigError(f"the recording {path} is larger than the 1 GiB limit", phase="config")
    beginning = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if path.suffix.lower() in CASSETTES or CASSETTE.match(beginning):
        from llmstream.transport.tape.cassettes import calls_in

        return calls_in(data, path)
    if not beginning:
        raise BadMessage(f"{path} is empty, not a recording")
    return Reading(path).calls(data)


class Reading:
    """Reads one file, line by line.

    Args:
        path: the file, for errors.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls: list[RecordedCall] = []
        self._attempt: Attempt | None = None
        self._last = 0.0

    def calls(self, data: bytes) -> list[RecordedCall]:
        """Return the file's calls.

        Raises:
            BadMessage: its first line is damaged, or it is not a recording.
        """
        for number, row in enumerate(data.split(b"\n"), 1):
            if not row.strip():
                continue
            try:
                self._take(_object(row))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                self._damaged(number, error)
                break
        for call in self._calls:
            for attempt in call.attempts:
                inflate(attempt)
        return self._calls

    def _damaged(self, number: int, error: Exception) -> None:
        why = str(error) if type(error) is ValueError else "it is not a line of a recording"
        failure = BadMessage(f"{self._path}, line {number}: {why}")
        if self._attempt is None:
            raise failure from error
        while not self._calls[-1].attempts:
            # the damaged line is the one that starts the call
            self._calls.pop()
        # the engine does not change an error that names a provider
        failure.provider = self._calls[-1].provider
        self._attempt.error = self._attempt.damage = failure
        self._attempt.ended = True
        self._attempt.ended_at = self._last

    def _take(self, line: Line) -> None:
        if not self._calls and "llmstream_recording" not in line:
            raise ValueError("this is not a recording: it doesn't begin with llmstream_recording")
        if line.get("llmstream_recording", VERSION) != VERSION:
            raise ValueError(f"written by a later version (format {line['llmstream_recording']!r:.20})")
        if "request" in line:
            self._request(line)
            return
        attempt = self._attempt
        if attempt is None:
            raise ValueError("the first line has no request")
        if "t" in line:
            self._last = entries.seconds(line["t"])
        if "status" in line:
            attempt.head, attempt.head_at = entries.head(line), self._last
        elif "data" in line:
            attempt.reads.append((self._last, entries.text(line["data"], "data").encode()))
        elif "base64" in line:
            attempt.reads.append((self._last, entries.decoded(line["base64"])))
        elif "end" in line:
            self._end(attempt, entries.error(line["end"]))

    def _end(self, attempt: Attempt, error: LLMStreamError | None) -> None:
        if attempt.ended:
            attempt.stopped = error
        else:
            attempt.error, attempt.ended, attempt.ended_at = error, True, self._last

    def _request(self, line: Line) -> None:
        request = line["request"]
        if not isinstance(request, dict):
            raise ValueError("its request is not an object")
        if "adapter" in line:
            self._calls.append(entries.call(line))
        elif not self._calls:
            raise ValueError("the first line names no adapter")
        call = self._calls[-1]
        attempt = Attempt(
            entries.http_request(request, call.adapter),
            began=entries.seconds(line["t"]) if "t" in line else None,
            wait=entries.seconds(line["wait"]) if "wait" in line else None,
        )
        call.attempts.append(attempt)
        self._attempt = attempt


def _object(row: bytes) -> Line:
    try:
        line = json.loads(row.decode("utf-8-sig"), parse_constant=_refused)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict):
        raise ValueError("not a JSON object; the recording is damaged here")
    return line


def _refused(name: str) -> float:
    raise ValueError(name)
