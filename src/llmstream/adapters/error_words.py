"""Find the message in an error document of any form; the useful part is often deeply nested.

A gateway reports "Provider returned error", with the provider's own message in ``metadata.raw``; FastAPI
sends a list with the field's name under ``loc``; Groq refers to ``failed_generation``; AWS sends XML, a
proxy a web page.  Nothing is shortened here, because keys in the text must be hidden first.

Sources: the error references of OpenAI, Anthropic, Google (AIP-193), Mistral, Cohere, xAI, OpenRouter
and Groq; FastAPI, "Handling errors"; RFC 9457; AWS, "Error responses"; recorded answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from llmstream.wire.document import Document

DEEPEST: Final = 12
MOST: Final = 8
"""Most entries reported from a list of errors."""

SAYING: Final = (
    "error", "message", "Message", "msg", "detail", "errors", "error_description", "error_message",
    "errorMessage", "error_msg", "status_msg", "Error", "Errors", "fault", "faultstring", "exception",
    "title", "description", "base_resp",
)  # fmt: skip
"""Fields for the message; the first one with text wins."""

MORE: Final = ("message", "error_description", "detail", "description")
"""Fields that explain an ``error`` which is only a string."""

INSIDE: Final = ("raw", "failed_generation", "param", "innererror", "cause", "reason", "fieldViolations")
"""Fields for the upstream provider's message or the name of the invalid field."""

NONE: Final = frozenset({"None", "null"})
"""What gateways written in Python or JavaScript send as text for nothing."""
_EVENTS: Final = re.compile(r"\s*(data|event|id|retry)?:")
"""How an event stream begins; servers report failures in it when a stream was requested."""
_XML: Final = re.compile(r"<(?:\w+:)?(?:message|detail|faultstring)\b[^>]*>([^<]*)<", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_EMPTY: Final = re.compile(r"[\s{}\[\]\"]*|null")
_TAGS: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def parsed(body: bytes) -> object:
    """Return a body parsed as JSON, or the first event's data if it is an event stream; None for neither."""
    text = _decoded(body)
    found = _json(text)
    return _first_event(text) if found is None and _EVENTS.match(text) else found


def _json(text: str) -> object:
    """Return the JSON value that a text starts with, None if it starts with none."""
    text = text.strip()
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) or isinstance(value, dict | list) else None


def _decoded(body: bytes) -> str:
    """Return a body's text, without its byte order mark; servers in C# and Java also send UTF-16."""
    return body.decode(json.detect_encoding(body), "replace")


def _first_event(text: str) -> object:
    """Return the data of the first event with a message in it: JSON parsed, other data as text."""
    from llmstream.wire.sse import SSEDecoder

    events = (event.data.strip() for event in SSEDecoder().feed(f"{text}\n\n".encode()))
    return next((_json(data) or data for data in events if data and data != "[DONE]"), None)


def message_in(document: object) -> str:
    """Return the message in an error document of any form, empty if none is found."""
    return _said(document, 0)


def _said(value: object, depth: int) -> str:
    if depth > DEEPEST:
        return ""
    if isinstance(value, str):
        return _said_in_text(value, depth)
    if isinstance(value, list):
        found = list(dict.fromkeys(filter(None, (_said(entry, depth + 1) for entry in value[:MOST]))))
        return "; ".join(found)
    return _said_in_object(value, depth) if isinstance(value, dict) else ""


def _said_in_text(text: str, depth: int) -> str:
    """Return a text, or the message in it if the text is JSON."""
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        inner = _said(parsed(stripped.encode("utf-8", "replace")), depth + 1)
        if inner:
            return inner
    return "" if stripped in NONE else stripped


def _said_in_object(document: Document, depth: int) -> str:
    field = _place(document.get("loc"))
    said = next(filter(None, (_said(document.get(key), depth + 1) for key in SAYING)), "")
    if isinstance(document.get("error"), str):
        more = next(filter(None, (_said(document.get(key), depth + 1) for key in MORE)), "")
        if more and more.lower() not in said.lower():
            said = f"{said}: {more}"
    if field and field not in said:
        said = f"{field}: {said}" if said else field
    for inner in _inside(document, depth):
        if inner and inner not in said:
            said = f"{said}: {inner}" if said else inner
    return said


def _inside(document: Document, depth: int) -> Iterator[str]:
    """Yield additional messages from the document, its metadata and its details."""
    metadata, details = document.get("metadata"), document.get("details")
    places = [document, metadata, *(details if isinstance(details, list) else [details])]
    for place in places[:MOST]:
        if not isinstance(place, dict):
            continue
        for key in INSIDE if place is not document else INSIDE[:4]:
            value = place.get(key)
            if key == "fieldViolations" and isinstance(value, list):
                yield "; ".join(
                    f"{v.get('field')}: {v.get('description')}" for v in value[:MOST] if isinstance(v, dict)
                )
            elif key == "failed_generation" and isinstance(value, str):
                yield value.strip()
            else:
                yield _said(value, depth + 1)


def _place(loc: object) -> str:
    """Return a field's path from FastAPI's ``loc``, without its ``body`` part."""
    if not isinstance(loc, list | tuple):
        return ""
    return ".".join(str(part) for part in loc[:MOST] if part != "body" and isinstance(part, str | int))


def words_of_page(body: bytes) -> str:
    """Return what a body without a message that we know says: an XML message, a page's title, or its text."""
    text = body.decode("utf-8-sig", "replace").strip()
    title = _TITLE.search(text)
    if title:
        return f"a web page titled {' '.join(unescape(title[1]).split())!r}"
    found = _XML.search(text)
    if found and found[1].strip():
        return " ".join(unescape(found[1]).split())
    if text.startswith("<"):
        return " ".join(unescape(_TAGS.sub(" ", text)).split())
    return "" if _EMPTY.fullmatch(text) else " ".join(text.split()) if text[0] in "{[" else text
