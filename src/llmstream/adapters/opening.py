"""Handles messages that are not part of an answer: keep-alives, failures, and other APIs' dialects.

Keep-alives have many forms; an error within a 200 response may be an object, a text, a list, or flat
fields; and a server may use another dialect than the request.  All readers of HTTP dialects check for
these, so that none of them is mistaken for an empty answer.

Sources: recorded answers; MiniMax, "Error codes" (``base_resp``); Groq (``x_groq``, ``event: error``);
llama.cpp's server (an SSE field named ``error``).
"""

from __future__ import annotations

import json
import re
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters.error_words import NONE, message_in
from llmstream.adapters.json_values import extras_at, finite
from llmstream.errors import BadMessage, ProviderError
from llmstream.wire.document import Document, parse, parse_object, quoting
from llmstream.wire.message import WireMessage

ALONE: Final = ("whole", "bare", "error")
"""Names of messages that are complete documents and so must be either an answer or an error."""

PINGS: Final = frozenset({"ping", "pong", "keepalive", "keep-alive", "keep_alive", "heartbeat", "comment"})
_NOTHING: Final = re.compile(
    r"""[\s"'\[({<*.]*(ping|pong|keep[ _-]?alive|heart[ _-]?beat|processing|waiting|connected|null|none|true|
    false|ok|done|end|finished|completed?|close|-?[\d.]+|\d{4}-\d\d-\d\d[T\ ][\d:.]+(Z|[+-][\d:]+)?)?
    [\s"'\])}>*.!]*|:.*|\W*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_LONGEST_NOTHING: Final = 200
NO_KIND: Final = NONE | {"error"}
"""Types of errors that say nothing."""

ERROR_KEYS: Final = (
    "code", "error_code", "errorCode", "status_code", "statusCode", "err_no", "status", "type", "object",
)  # fmt: skip
"""Fields next to the message of an error without an object of its own."""


def ends(data: str) -> bool:
    """Return whether a message is OpenAI's end mark, ``[DONE]``, which many other providers send too."""
    return data[:1] != "{" and data.strip() in ("[DONE]", '"[DONE]"')


def opened(message: WireMessage) -> Document:
    """Return a message's JSON object, an empty one for a keep-alive.

    Raises:
        ProviderError: the message is an error in the form of a text or a list.
        BadMessage: the message is neither an object nor an error.
    """
    try:
        return parse_object(message.data)
    except BadMessage:
        return _unusual(message)


def _unusual(message: WireMessage) -> Document:
    data = message.data.strip()
    if message.event == "error":
        raise http_errors.in_stream(message_in(data))
    if message.event in PINGS or (len(data) <= _LONGEST_NOTHING and _NOTHING.fullmatch(data)):
        return {}
    value = parse(data, lenient=True)
    if isinstance(value, list):
        objects = [entry for entry in value if isinstance(entry, dict)]
        if any(_failed(entry.get("error")) for entry in objects) or message.event in ALONE:
            said = message_in(value)
            if said:
                raise reported(next((e["error"] for e in objects if e.get("error")), said), said)
        if len(objects) == len(value) == 1:
            return objects[0]
    return parse_object(data)


def check(message: WireMessage, document: Document, *own: str) -> None:
    """Raise the error for a message that is not part of the dialect's answer.

    Args:
        message: the message as received.
        document: its object, from `opened`.
        own: keys of the dialect; a document with one of these is part of an answer.

    Raises:
        ProviderError: the message reports a failure.
        BadMessage: the message belongs to another API's dialect.
    """
    error = document.get("error")
    if _failed(error):
        raise reported(error, document)
    groq = extras_at(document, "x_groq").get("error")
    if _failed(groq):
        raise reported(groq, document)
    if message.event != "error" and any(document.get(key) is not None for key in own):
        return
    base = extras_at(document, "base_resp")
    if base.get("status_code"):
        raise reported({"message": base.get("status_msg"), "code": base["status_code"]}, document)
    if message.event != "error":
        other = dialect_of(document)
        if other:
            raise other_dialect(other)
    if document and (message.event in ALONE or _is_flat_error(document)):
        if message.event != "error" and not (message_in(document) or document.get("code")):
            raise quoting(BadMessage("the response is neither an answer nor an error"), message.data)
        raise reported(document)


def _failed(error: object) -> bool:
    """Return whether an ``error`` field reports an error; some servers always send an empty one."""
    return bool(error) and error != "null"


def _is_flat_error(document: Document) -> bool:
    if not message_in(document) or document.get("type") in PINGS:
        return False
    if "detail" in document or "errors" in document or document.get("success") is False or len(document) == 1:
        return True
    for key in ERROR_KEYS:
        value = document.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value not in (0, 200):
            return True
        word = value.lower() if isinstance(value, str) else ""
        if word and (key.lower().endswith("code") or "error" in word or word in ("failed", "failure")):
            return word not in ("0", "200", "ok", "success")
    return False


def reported(error: object, document: object = None) -> ProviderError:
    """Return the error that a message reports.

    Args:
        error: the value of ``error``, or the document itself if the error is flat.
        document: the document that contains it.
    """
    if not isinstance(error, dict):
        # the document may explain a bare string
        return http_errors.in_stream(message_in(document) or message_in(error))
    codes = [error.get(key) for key in ("code", "status_code", "statusCode", "status", "error_code")]
    numbers = [code for code in map(_number, codes) if code is not None]
    words = [error.get("type"), *codes]
    kind = next(
        (w for w in words if isinstance(w, str) and w and _number(w) is None and w not in NO_KIND), ""
    )
    said = message_in(error) or message_in(document)
    if not said and not kind and any(error.values()):
        said = json.dumps(finite({key: value for key, value in error.items() if value}), ensure_ascii=False)
    failure = http_errors.in_stream(said, kind, numbers[0] if numbers else None)
    failure.retry_after = http_errors.retry_after({}, error)
    return failure


def _number(code: object) -> int | None:
    if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code, re.ASCII):
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


CHAT: Final = frozenset({"delta", "message"})
ANTHROPIC: Final = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"}
)
COHERE: Final = frozenset({"message-start", "content-start", "content-delta", "content-end", "message-end"})


def dialect_of(document: Document) -> str:
    """Return the name of the dialect that a message clearly belongs to, otherwise empty."""
    kind = document.get("type")
    choices = document.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        if CHAT & choices[0].keys():
            return "openai-chat"
        return "openai-completions" if "text" in choices[0] else ""
    if (isinstance(kind, str) and kind.startswith("response.")) or document.get("object") == "response":
        return "openai-responses"
    if kind in ANTHROPIC or (kind == "message" and isinstance(document.get("content"), list)):
        return "anthropic"
    if kind in COHERE or "event_type" in document:
        return "cohere"
    if isinstance(document.get("candidates"), list):
        return "gemini"
    if "done" in document and (isinstance(document.get("message"), dict) or "response" in document):
        return "ollama"
    return ""


def other_dialect(name: str) -> BadMessage:
    """Return the error for an answer in a dialect other than the requested one."""
    return BadMessage(
        f"the server answered in the format of another API: {name}",
        hint=f'set adapter = "{name}" for this provider, or check base_url',
        phase="stream",
    )
