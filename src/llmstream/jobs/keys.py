"""Identify prompts: by `key`, which depends on what is asked, and by `ident`, which depends on the id.

The key is the first 32 hex digits of the SHA-256 of a canonical form, which never changes (test
vectors in the README): a JSON object with ``messages``, ``model`` and ``options``, keys sorted by
code point, no blanks, characters as UTF-8, whole numbers without a fraction.  It contains what the user
asked, not how it is sent: no URL, API key, limit, position in the input or default of the catalogue.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b, sha256
from json.encoder import encode_basestring
from typing import Final

from llmstream.prompt import Attachment, Message, Options, ToolCall

DIGITS: Final = 32
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def key_of(messages: tuple[Message, ...], model: str, options: str) -> int:
    """Return the key of one prompt as a number; `key_text` writes it.

    Args:
        messages: the messages as sent.
        model: ``PROVIDER/MODEL``, aliases resolved.
        options: their `canonical_options`.
    """
    said = ",".join([_message(message) for message in messages])
    form = f'{{"messages":[{said}],"model":{encode_basestring(model)},"options":{options}}}'
    return int.from_bytes(sha256(_bytes(form)).digest()[: DIGITS // 2], "big")


def key_text(key: int) -> str:
    """Return a key as 32 hex digits."""
    return f"{key:032x}"


def bytes_key(data: bytes) -> int:
    """Return the key of an invalid line, made from its bytes."""
    return int.from_bytes(sha256(data).digest()[: DIGITS // 2], "big")


def ident(id_: str | int | float) -> int:
    """Return a digest of an id, of fixed size; 7 and "7" differ."""
    return int.from_bytes(blake2b(_bytes(json.dumps(id_)), digest_size=16).digest(), "big")


def canonical_options(options: Options, extra_body: Mapping[str, object]) -> str:
    """Return options in their canonical form.

    Args:
        options: all options that the user set by flags, lines and configuration.
        extra_body: the configuration's `extra_body`, which is added to each request like options.

    Raises:
        ValueError: a number is infinite or not a number.
    """
    return canonical({**options.given(), **options.extra, **extra_body})


def canonical(value: object) -> str:
    """Return a JSON value in canonical form.

    Raises:
        ValueError: a number is infinite or not a number.
    """
    return _ENCODER.encode(_plain(value))


def _plain(value: object) -> object:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _message(message: Message) -> str:
    if not (message.attachments or message.tool_calls or message.tool_call_id or message.name):
        return f'{{"content":{encode_basestring(message.content)},"role":"{message.role}"}}'
    entry: dict[str, object] = {"role": message.role, "content": message.content}
    if message.attachments:
        entry["attachments"] = [_attachment(one) for one in message.attachments]
    if message.tool_calls:
        entry["tool_calls"] = [_call(one) for one in message.tool_calls]
    for field in ("tool_call_id", "name"):
        if getattr(message, field) is not None:
            entry[field] = getattr(message, field)
    return canonical(entry)


def _call(call: ToolCall) -> dict[str, object]:
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def _attachment(attachment: Attachment) -> dict[str, object]:
    place: dict[str, object] = {"media_type": attachment.media_type}
    if attachment.data is not None:
        place["sha256"] = _sum(attachment.data)
    else:
        place["url"] = attachment.url
    return place


@lru_cache(maxsize=4)  # for files that go with every prompt
def _sum(data: bytes) -> str:
    return sha256(data).hexdigest()


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # surrogate pairs are joined, and lone surrogates become U+FFFD, as in the request
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
