"""A command as a model: the prompt is its standard input, and its output is the answer.

A command has no dialect, but the engine talks to every model through an adapter, so a command has one too.
The argument list belongs to the transport, which starts the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from llmstream.adapters import http_errors
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.sampling import left_out
from llmstream.errors import ProviderError
from llmstream.events import Event, Finish, TextDelta
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.wire.message import WireMessage

METHOD = "EXEC"
"""The method of a request that starts a process."""

END = "end"
"""Name of the message at the end of the output."""


class Command:
    """The adapter ``exec``.

    Args:
        program: the command's first word, for error messages.
    """

    name = "exec"
    kind = "llm"

    def __init__(self, program: str = "") -> None:
        self._program = program

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return a request with the prompt's text as its body; `stream` makes no difference to a command."""
        return HttpRequest(
            method=METHOD,
            url=f"exec://{quote(self._program, safe='')}",
            headers={},
            body=_encoded(prompt.text),
            framing="text",
            notices=tuple(_notices(prompt, options)),
        )

    def reader(self) -> CommandReader:
        """Return a reader for one answer."""
        return CommandReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for an HTTP status; not used, because a process has none."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return None: a command has no list of models."""
        return None

    def models(self, document: object) -> list[str]:
        """Return no names."""
        return []


def _encoded(text: str) -> bytes:
    """Return a prompt as UTF-8; bytes of the command line that are not UTF-8 are passed on unchanged."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _notices(prompt: Prompt, options: Options) -> Iterator[str]:
    yield from left_out("exec", options, (), instead="write it into the command")
    for name in options.extra:
        yield f"exec doesn't support the option {name!r}: left out (put it into the command)"
    if any(message.attachments for message in prompt.messages):
        yield "exec doesn't accept attachments: left out"


class CommandReader:
    """Reads a command's output as text; the answer is complete when the output ends.

    For a non-zero exit status, the transport raises an error before it reports the end.
    """

    def __init__(self) -> None:
        self.done = False
        self.finished = False

    def read(self, message: WireMessage) -> list[Event]:
        """Return the text of one read, and a finish at the end."""
        events: list[Event] = [TextDelta(message.data)] if message.data else []
        if message.event == END:
            self.done = self.finished = True
            events.append(Finish("stop"))
        return events
