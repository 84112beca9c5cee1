"""What the fake provider does with a request, by the name in its address.

A scenario is a function that is given the `Answer` to write.  ``ok`` is what a good provider does;
the others each do one thing that is wrong or rare.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol

VERSE: Final = ("Bub", "bles ", "rise", " — ", "in my", " glass,\n", "été", " 🥤", "!")
USAGE: Final = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
ESCAPES: Final = "a\x1b[31mred\x1b]0;title\x07\x9b6n\rb\u202ec"
"""A colour, a title, a report request by C1, an overwrite, a bidi override."""


class Answer(Protocol):
    """The answer to one request."""

    path: str
    body: dict[str, Any]
    key: str
    dialect: str
    number: int
    connection: socket.socket

    def head(self, status: int = 200, **headers: str) -> None:
        """Begin a stream."""

    def raw(self, data: bytes) -> None:
        """Send bytes of the body as one HTTP chunk."""

    def whole(self, status: int, document: object, **headers: str) -> None:
        """Send one document and nothing else."""

    def end(self) -> None:
        """End the body as HTTP wants it."""

    def gone(self) -> None:
        """Wait until the client has gone."""

    def gate(self) -> None:
        """Wait until the test lets the answer go on."""

    def reset(self) -> None:
        """Throw the connection away."""


Scenario = Callable[[Answer], None]
SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Give a function its name in addresses."""

    def register(function: Scenario) -> Scenario:
        SCENARIOS[name] = function
        return function

    return register


def event(answer: Answer, document: dict[str, Any]) -> None:
    data = json.dumps(document)
    if answer.dialect == "ollama":
        answer.raw(f"{data}\n".encode())
        return
    name = f"event: {document['type']}\n" if answer.dialect == "anthropic" else ""
    answer.raw(f"{name}data: {data}\n\n".encode())


def chunk(answer: Answer, text: str, reason: str | None = None, **delta: object) -> None:
    """Send a piece of text, the last one with the reason why it is the last."""
    choice = {"index": 0, "finish_reason": reason}
    if answer.dialect == "anthropic":
        piece = {"type": "text_delta", "text": text}
        event(answer, {"type": "content_block_delta", "index": 0, "delta": piece})
        if reason:
            event(answer, {"type": "message_delta", "delta": {"stop_reason": reason}})
    elif answer.dialect == "ollama":
        said = {"role": "assistant", "content": text}
        event(answer, {"message": said, "done": bool(reason), "done_reason": reason})
    elif answer.dialect == "chat":
        event(answer, {"id": "a", "choices": [{**choice, "delta": {"content": text, **delta}}]})
    else:
        event(answer, {"id": "a", "choices": [{**choice, "text": text}]})


def error(answer: Answer, message: str, kind: str = "server_error") -> None:
    """Send an error in the middle of an answer."""
    told: dict[str, Any] = {
        "error": message if answer.dialect == "ollama" else {"message": message, "type": kind}
    }
    event(answer, {"type": "error", **told} if answer.dialect == "anthropic" else told)


def finish(answer: Answer, reason: str = "stop") -> None:
    chunk(answer, "", reason)
    if (answer.body.get("stream_options") or {}).get("include_usage"):
        event(answer, {"id": "a", "choices": [], "usage": USAGE})
    if answer.dialect == "anthropic":
        event(answer, {"type": "message_stop"})
    elif answer.dialect != "ollama":
        answer.raw(b"data: [DONE]\n\n")
    answer.end()


def document_of(answer: Answer, text: str, reason: str = "stop") -> dict[str, Any]:
    said = {"message": {"role": "assistant", "content": text}} if answer.dialect == "chat" else {"text": text}
    return {"id": "a", "choices": [{"index": 0, "finish_reason": reason, **said}], "usage": USAGE}


def say(answer: Answer, *texts: str, reason: str = "stop") -> None:
    """Answer with a text in pieces, or whole where no stream was asked for."""
    if not answer.body.get("stream"):
        answer.whole(200, document_of(answer, "".join(texts), reason))
        return
    answer.head()
    for text in texts:
        chunk(answer, text)
    finish(answer, reason)


def refuse(answer: Answer, status: int, message: str, **headers: str) -> None:
    answer.whole(status, {"error": {"message": message, "type": "fake"}}, **headers)


@scenario("ok")
def _ok(answer: Answer) -> None:
    say(answer, *VERSE)


@scenario("code")
def _code(answer: Answer) -> None:
    say(answer, "So:\n\n```sh\ntouch wid", "get-works\n```\nor so\n")


@scenario("newline")
def _newline(answer: Answer) -> None:
    say(answer, "one\n", "two\n")


@scenario("empty")
def _empty(answer: Answer) -> None:
    say(answer)


@scenario("length")
def _length(answer: Answer) -> None:
    say(answer, "half of", reason="length")


@scenario("filter")
def _filter(answer: Answer) -> None:
    say(answer, "half of", reason="content_filter")


@scenario("escape")
def _escape(answer: Answer) -> None:
    say(answer, *ESCAPES)


@scenario("whole")
def _whole(answer: Answer) -> None:
    answer.whole(200, document_of(answer, "".join(VERSE)))


@scenario("thinking")
def _thinking(answer: Answer) -> None:
    answer.head()
    chunk(answer, "", reasoning_content="let me ")
    chunk(answer, "", reasoning_content="think")
    chunk(answer, "done")
    finish(answer)


@scenario("tools")
def _tools(answer: Answer) -> None:
    answer.head()
    for function in (
        {"name": "weather", "arguments": ""},
        {"arguments": '{"city": '},
        {"arguments": '"Oslo"}'},
    ):
        call = {"index": 0, "function": function, **({"id": "call_1"} if "name" in function else {})}
        chunk(answer, "", tool_calls=[call])
    finish(answer, "tool_calls")


@scenario("401")
def _401(answer: Answer) -> None:
    refuse(answer, 401, f"Incorrect API key provided: {answer.key}")


@scenario("403")
def _403(answer: Answer) -> None:
    refuse(answer, 403, "this key may not do that")


@scenario("400")
def _400(answer: Answer) -> None:
    refuse(answer, 400, "temperature must be below 2")


@scenario("404")
def _404(answer: Answer) -> None:
    refuse(answer, 404, f"there is no model {answer.body.get('model')}")


@scenario("context")
def _context(answer: Answer) -> None:
    refuse(answer, 400, "This model's maximum context length is 100 tokens")


@scenario("429")
def _429(answer: Answer) -> None:
    refuse(answer, 429, "too many requests", **{"retry-after": "0"})


@scenario("429-then-ok")
def _429_then_ok(answer: Answer) -> None:
    _429(answer) if answer.number == 0 else _ok(answer)


@scenario("500")
def _500(answer: Answer) -> None:
    refuse(answer, 500, "it broke", **{"retry-after": "0"})


@scenario("html")
def _html(answer: Answer) -> None:
    page = "<html><head><title>Bad \x1b[31mgateway</title></head><body>no</body></html>"
    answer.whole(502, page, **{"content-type": "text/html", "retry-after": "0"})


@scenario("redirect")
def _redirect(answer: Answer) -> None:
    refuse(answer, 307, "elsewhere", location="http://localhost:9/v1/chat/completions")


@scenario("garbage")
def _garbage(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    answer.raw(b"{not json\n" if answer.dialect == "ollama" else b"data: {not json\n\n")
    answer.end()


@scenario("failed-midway")
def _failed_midway(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    error(answer, "the engine died")
    answer.end()


@scenario("ends-early")
def _ends_early(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    answer.end()


@scenario("cut")
def _cut(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    answer.connection.sendall(b"ff\r\ndata: {")
    answer.connection.shutdown(socket.SHUT_RDWR)


@scenario("rst")
def _rst(answer: Answer) -> None:
    answer.reset()


@scenario("silent")
def _silent(answer: Answer) -> None:
    answer.gone()


@scenario("stall")
def _stall(answer: Answer) -> None:
    answer.head()
    chunk(answer, "so far")
    answer.gone()


@scenario("gate")
def _gate(answer: Answer) -> None:
    answer.head()
    chunk(answer, "first")
    answer.gate()
    chunk(answer, " second")
    finish(answer)


@scenario("endless")
def _endless(answer: Answer) -> None:
    answer.head()
    while True:
        chunk(answer, "again and again\n" * 64)
