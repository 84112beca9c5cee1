"""Writes a recording: JSON Lines, appended read by read, so that a crash leaves a readable file.

    {"llmstream_recording": 1, "time", "provider", "adapter", "model", "request": {...}, "call": {...}}
    {"t", "status", "headers"}                      the response's head; a process or an object has none
    {"t", "data"} or {"t", "base64"}                one read: as text, or as base64 if it is not UTF-8
    {"t", "end": null} or {"t", "end": {error}}     the body has ended or was abandoned; or how it failed

A retry starts with another `request` line, which also has `t` and the `wait` before it; that of a fallback
has `provider`, `adapter`, `model` and `call` too.  `t` is in seconds from the first request.  Bodies are
written decompressed, and secrets as their origin in brackets (redaction.py).
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from llmstream.adapters.base import HttpRequest
from llmstream.engine.effects import Call, Close, Effect, Head, Open, Prepare, Read, Reply, Sleep
from llmstream.errors import Cancelled, LLMStreamError, UsageError
from llmstream.prompt import Json
from llmstream.transport.tape.lines import VERSION, call_line, head_line, headless, request_line
from llmstream.transport.tape.redaction import Redactor, secrets_of

RISKY: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u206f]")
"""Characters that some programs treat as line ends, or that control a terminal or the direction of text."""
DUMPS: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Recording:
    """A file to which one run is written.

    Args:
        path: must not exist; it is created with the mode 0600.
        say: called with a warning, once, if the file can't be written any more; the run continues.

    Raises:
        UsageError: the file exists, or can't be created.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        # O_EXCL refuses a symbolic link too
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self._file: int | None = os.open(path, flags, 0o600)
        except FileExistsError as error:
            raise UsageError(
                f"{path} already exists; a recording is never overwritten",
                hint="choose another FILE for --record, or remove this one",
            ) from error
        except OSError as error:
            raise UsageError(f"can't write the recording {path}: {error.strerror or error}") from error
        self._began = 0.0
        self._size = 0
        self._call: Call | None = None
        self._described: Call | None = None
        self._redactor = Redactor()
        self._headless = False
        self._running = False
        self._wait: float | None = None
        self._failure: LLMStreamError | None = None

    def before(self, effect: Effect) -> None:
        """Record that an effect is about to be carried out."""
        if isinstance(effect, Open):
            self.end()
            self._request(effect.request)
        elif isinstance(effect, Close):
            self.end()
        elif isinstance(effect, Sleep):
            self._wait = effect.seconds

    def after(self, effect: Effect, reply: Reply) -> None:
        """Record the result of an effect."""
        if isinstance(reply, bytes):
            if reply:
                self._data(self._redactor.feed(reply))
            elif isinstance(effect, Read):
                self.end()
        elif isinstance(reply, Head):
            if not self._headless:
                self._line({"t": self._now(), **head_line(reply, self._redactor)})
        elif isinstance(effect, Prepare) and isinstance(reply, Call):
            self._call = reply
            self._redactor = Redactor(secrets_of(reply))

    def failed(self, effect: Effect, error: LLMStreamError) -> None:
        """Keep an error until `end`; by then the engine has added the provider and the phase."""
        if isinstance(effect, Open | Read):
            self._failure = error

    def stopped(self) -> None:
        """Record that the run was stopped at this point, during an answer or between two attempts."""
        if self._described is not None:
            self._failure, self._running = Cancelled("stopped by the user"), True
            self.end()
            self._described = None

    def end(self) -> None:
        """Write the end of the current answer, if there is one."""
        if not self._running:
            return
        self._running = False
        self._data(self._redactor.close())
        failure, self._failure = self._failure, None
        reason: Json = None if failure is None else {**failure.to_dict(), "retry_after": failure.retry_after}
        self._line({"t": self._now(), "end": self._redactor.value(reason)})

    def close(self) -> None:
        """Write the end and close the file; an empty one is removed."""
        self.end()
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
            if not self._size:
                self._path.unlink(missing_ok=True)

    def _request(self, request: HttpRequest) -> None:
        call, first = self._call, self._described is None
        assert call is not None
        line: dict[str, object] = {}
        if first:
            self._began = time.monotonic()
            line["llmstream_recording"] = VERSION
            line["time"] = datetime.now(UTC).isoformat("T", "milliseconds")
        else:
            line["t"] = self._now()
        if self._wait is not None:
            line["wait"] = self._wait
        if call is not self._described:
            line["provider"], line["adapter"] = call.endpoint.provider, call.adapter.name
            line["model"] = call.endpoint.model
        line["request"] = request_line(request, self._redactor)
        if call is not self._described:
            line["call"] = call_line(call, self._redactor)
        self._described, self._wait, self._running = call, None, True
        self._headless = headless(request)
        self._line(line)

    def _data(self, data: bytes) -> None:
        if not data:
            return
        try:
            self._line({"t": self._now(), "data": data.decode()})
        except UnicodeDecodeError:
            self._line({"t": self._now(), "base64": base64.b64encode(data).decode("ascii")})

    def _line(self, line: Mapping[str, object]) -> None:
        if self._file is None:
            return
        text = DUMPS(line) + "\n"
        # lone surrogates, from a badly encoded command line, become JSON escapes
        data = RISKY.sub(_escaped, text).encode("utf-8", "backslashreplace")
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            self._size += len(data)
        except OSError as error:
            self._give_up(self._file, error)

    def _give_up(self, file: int, error: OSError) -> None:
        """Cut off the incomplete line, and warn that the recording ends here."""
        self._file = None
        # if this fails, the incomplete line stays, as after a crash
        with suppress(OSError):
            os.ftruncate(file, self._size)
        os.close(file)
        self._say(f"warning: the recording {self._path} ends here: can't write: {error.strerror or error}")

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 6)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
