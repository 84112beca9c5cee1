"""What `--file` and `--attach` add to a prompt: text files under their names, and other files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from llmstream.errors import UsageError
from llmstream.prompt import Attachment

FILE_LIMIT: Final = 16 * 1024 * 1024
ATTACHMENT_LIMIT: Final = 20 * 1024 * 1024
"""Bytes; what the most generous providers take in one request, encoding included."""

MAGIC: Final[tuple[tuple[bytes, int, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"heic", 8, "image/heic"),
    (b"%PDF-", 0, "application/pdf"),
    (b"WAVE", 8, "audio/wav"),
    (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"),
    (b"\xff\xf3", 0, "audio/mpeg"),
    (b"fLaC", 0, "audio/flac"),
    (b"OggS", 0, "audio/ogg"),
)
"""First bytes, their offset, and the kind that they tell.  Sources: the formats' specifications."""


def with_files(text: str, paths: Sequence[str]) -> str:
    """Return the prompt's text with files before it, each under its name in a fence of its own.

    Raises:
        UsageError: a file can't be read, is too large, or is no text.
    """
    return "\n\n".join([*map(_fenced, paths), *([text] if text else [])])


def _fenced(path: str) -> str:
    data = _bytes(path, FILE_LIMIT)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}",
            hint="--attach takes images, audio and PDF",
        ) from error
    # longer than any fence inside, so that the file can't end it
    longest = max((len(run) for run in _runs_of_backticks(content)), default=0)
    fence = "`" * max(3, longest + 1)
    end = "" if content.endswith("\n") or not content else "\n"
    return f"{path}:\n{fence}\n{content}{end}{fence}"


def _runs_of_backticks(text: str) -> list[str]:
    import re

    return re.findall(r"`{3,}", text)


def attachments(places: Sequence[str]) -> tuple[Attachment, ...]:
    """Return what is at paths and http addresses, its kind told by its content, not its name.

    Raises:
        UsageError: a file can't be read, is too large, or is of no known kind.
    """
    return tuple(_attachment(place) for place in places)


def _attachment(place: str) -> Attachment:
    if place.startswith(("https://", "http://")):
        from urllib.parse import urlsplit

        from llmstream.transport.http.documents import fetch_file

        # not the provider's to fetch: most can't, and what it is shows in its bytes only
        data, path = fetch_file(place, limit=ATTACHMENT_LIMIT), urlsplit(place).path
    else:
        data, path = _bytes(place, ATTACHMENT_LIMIT), place
    kind = next((kind for magic, at, kind in MAGIC if data[at : at + len(magic)] == magic), None)
    if kind is None:
        raise UsageError(
            f"{place} is no image, audio or PDF that is known by its content",
            hint="PNG, JPEG, GIF, WebP, HEIC, PDF, WAV, MP3, FLAC, Ogg; --file takes text",
        )
    return Attachment(kind, data, name=Path(path).name)


def _bytes(path: str, limit: int) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} can't be read: {reason}") from error
    if len(data) > limit:
        raise UsageError(f"{path} is larger than {limit >> 20} MiB, the most that is sent")
    return data


def schema_of(text: str) -> dict[str, object]:
    """Return the JSON Schema that `--schema` names: JSON itself, or a file of it.

    Raises:
        UsageError: it is neither.
    """
    import json

    source = "--schema"
    if not text.lstrip().startswith("{"):
        source, text = text, _bytes(text, FILE_LIMIT).decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{source} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{source} is no JSON Schema: it must be an object")
    return found
