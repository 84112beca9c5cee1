"""What a foreign object gives, chunks and exceptions, in the words of the adapter ``runnable``.

Nothing is imported to recognise anything: a chunk is known by its attributes, an exception by its
status or its classes' names, so that every library's objects do, installed in whatever version.

Sources: langchain-core 1.7, `AIMessageChunk`, `UsageMetadata`, `ToolCallChunk`, `GenerationChunk`;
the exceptions of openai 2, anthropic, httpx 0.28, requests and botocore.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterable, Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters.json_values import arguments_text
from llmstream.errors import BadMessage, ConnectionFailed, LLMStreamError, LocalModelError, StreamBroken
from llmstream.prompt import Secret
from llmstream.wire.document import Document

FINISH: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason")
"""Where integrations put the finish reason: OpenAI and Google, Anthropic, Ollama, Bedrock."""
TEXTS: Final = ("content", "text", "output")
"""Keys of a dictionary that may hold its text."""
NO_ANSWER: Final = re.compile(r"Connect|Timeout|TransportError|gaierror")
"""In the name of an exception's class or of one above it: there was no answer, or it broke off."""
CONFIDENTIAL: Final = re.compile(r"key|token|secret|password|credential|authorization", re.IGNORECASE)
"""In the name of an option or a variable: its text is not to be repeated."""


def is_chunk(value: object) -> bool:
    """Return whether a value is one chunk rather than a series of them."""
    return isinstance(value, str | Mapping) or any(
        hasattr(value, key) for key in ("content", "text", "message")
    )


def document_of(chunk: object, *, whole: bool = False) -> Document:
    """Return a chunk as the adapter takes it.

    Args:
        chunk: a text, a message with `content`, something with `text`, or a dictionary with either.
        whole: it is the whole answer, whose text counts also when it is empty.

    Raises:
        BadMessage: it is neither.
    """
    if isinstance(chunk, str):
        return {"text": chunk}
    message = getattr(chunk, "message", chunk)
    content = _content(message)
    text, reasoning = _texts(content)
    extra = getattr(message, "additional_kwargs", None) or {}
    reasoning = reasoning or extra.get("reasoning_content") or getattr(message, "reasoning", "") or ""
    document: Document = {"reasoning": reasoning} if reasoning and isinstance(reasoning, str) else {}
    if text or whole:
        document["text"] = text
    calls = _tool_calls(message)
    if calls:
        document["tool_calls"] = calls
    usage = _usage(getattr(message, "usage_metadata", None))
    if usage:
        document["usage"] = usage
    finish = _finish(message) or _finish(chunk)
    if finish:
        document["finish"] = finish
    return document


def joined(documents: Iterable[Document]) -> Iterable[Document]:
    """Yield an answer's documents with all text, and all thinking, as one."""
    every = list(documents)
    whole: Document = {"text": "".join(one.pop("text", "") for one in every)}
    thinking = "".join(one.pop("reasoning", "") for one in every)
    yield {"reasoning": thinking, **whole} if thinking else whole
    yield from filter(None, every)


def _content(message: object) -> object:
    if isinstance(message, Mapping):
        found = [message[key] for key in TEXTS if key in message]
    else:
        found = [getattr(message, key) for key in TEXTS if hasattr(message, key)]
    if not found or not isinstance(found[0], str | list):
        raise BadMessage(f"the object gave {_named(message)}, which is neither text nor a message")
    return found[0]


def _named(value: object) -> str:
    kind = type(value).__name__
    return f"a dictionary without {', '.join(TEXTS)}" if isinstance(value, Mapping) else f"{kind!r}"


def _texts(content: object) -> tuple[str, str]:
    """Return text and thinking of a content, which is text or a list of parts."""
    if isinstance(content, str):
        # LangChain's `text` is a str with more to it
        return str(content), ""
    text: list[str] = []
    thinking: list[str] = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            text.append(part)
        elif part.get("type") in ("thinking", "reasoning"):
            said = part.get("thinking") or part.get("reasoning") or part.get("text")
            pieces = [said] if said else [piece.get("text") for piece in part.get("summary") or ()]
            thinking += filter(None, pieces)
        elif isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), "".join(thinking)


def _tool_calls(message: object) -> list[Document]:
    pieces = getattr(message, "tool_call_chunks", None)
    if pieces:
        return [_call(position, one, one.get("args") or "") for position, one in enumerate(pieces)]
    calls = getattr(message, "tool_calls", None)
    if isinstance(calls, list) and not hasattr(message, "tool_call_chunks"):
        return [_call(position, one, arguments_text(one.get("args"))) for position, one in enumerate(calls)]
    return []


def _call(position: int, call: Mapping[str, object], arguments: str) -> Document:
    index = call.get("index")
    return {
        "index": index if isinstance(index, int) else position,
        "id": call.get("id"),
        "name": call.get("name"),
        "arguments": arguments,
    }


def _usage(counts: object) -> Document:
    if not isinstance(counts, Mapping):
        return {}
    taken, given = counts.get("input_token_details") or {}, counts.get("output_token_details") or {}
    found = {
        "input_tokens": counts.get("input_tokens"),
        "output_tokens": counts.get("output_tokens"),
        "total_tokens": counts.get("total_tokens"),
        "reasoning_tokens": given.get("reasoning"),
        "cached_tokens": taken.get("cache_read"),
    }
    return {name: count for name, count in found.items() if isinstance(count, int)}


def _finish(message: object) -> str:
    for place in ("response_metadata", "generation_info"):
        said = getattr(message, place, None)
        if isinstance(said, Mapping):
            found = next((said[key] for key in FINISH if said.get(key)), "")
            if isinstance(found, str) and found:
                return found
    return ""


def line_of(document: Document) -> bytes:
    """Return a document as the line that the reader takes."""
    return json.dumps(document).encode() + b"\n"


class Discretion:
    """Hides the keys that an object was made with, or that it may have taken from the environment.

    Args:
        arguments: what it was made with.
        variables: the environment.
    """

    def __init__(self, arguments: Mapping[str, object], variables: Mapping[str, str]) -> None:
        self._secrets = [
            *_secrets(arguments),
            *(Secret(v, f"${k}") for k, v in variables.items() if _secret(k, v)),
        ]

    def hide(self, text: str) -> str:
        """Return a text without any of the keys."""
        for secret in self._secrets:
            text = secret.redact(text)
        return text

    def error_of(self, error: BaseException, *, begun: bool) -> LLMStreamError:
        """Return what an exception of the object means.

        Args:
            error: as the object raised it.
            begun: something of the answer has come.
        """
        if isinstance(error, LLMStreamError):
            return error
        made = _error_of(error, begun=begun)
        made.message = self.hide(made.message)
        made.args = (made.message,)
        trace = "".join(traceback.format_exception(error))
        # a traceback repeats each message on its way, and --debug prints it
        made.__cause__ = error if self.hide(trace) == trace else None
        return made


def _secrets(arguments: Mapping[str, object]) -> Iterable[Secret]:
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            yield from _secrets(value)
        elif isinstance(value, str) and _secret(name, value):
            yield Secret(value, f"option {name}")


def _secret(name: str, value: str) -> bool:
    # a shorter one would be a word such as "none", or a file
    return len(value) >= 8 and bool(CONFIDENTIAL.search(name)) and "/" not in value[:2]


def _error_of(error: BaseException, *, begun: bool) -> LLMStreamError:
    response = getattr(error, "response", None)
    status, said = _status(error, response), said_by(error)
    if status is not None:
        refused = http_errors.in_stream(said, status=status)
        headers = getattr(response, "headers", None)
        if isinstance(headers, Mapping):
            lower = {str(name).lower(): str(value) for name, value in headers.items()}
            refused.retry_after = http_errors.retry_after(lower)
        return refused
    if any(NO_ANSWER.search(kind.__name__) for kind in type(error).__mro__):
        return StreamBroken(said) if begun else ConnectionFailed(said)
    return LocalModelError(said)


def said_by(error: BaseException) -> str:
    """Return an exception's class and message as one sentence."""
    body = getattr(error, "body", None)
    said = http_errors.message_in(body) if body else ""
    said = said or _complaints(error) or str(error)
    name = type(error).__name__
    return f"{name}: {' '.join(said.split())}"[: http_errors.MESSAGE_LIMIT] if said else name


def _complaints(error: BaseException) -> str:
    """Return pydantic's complaints without the values, which may be keys; empty for other exceptions."""
    errors = getattr(error, "errors", None)
    if type(error).__name__ != "ValidationError" or not callable(errors):
        return ""
    found = [(".".join(map(str, one.get("loc", ()))), one.get("msg", "")) for one in errors()]
    return "; ".join(f"{place}: {said}" if place else said for place, said in found)


def _status(error: BaseException, response: object) -> int | None:
    candidates = [getattr(error, name, None) for name in ("status_code", "http_status", "status", "code")]
    candidates.append(getattr(response, "status_code", None))
    if isinstance(response, Mapping):
        candidates.append((response.get("ResponseMetadata") or {}).get("HTTPStatusCode"))
    return next((one for one in candidates if isinstance(one, int) and 400 <= one < 600), None)
