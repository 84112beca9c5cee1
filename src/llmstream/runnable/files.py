"""Read the files for a prompt: text files, images, audio files and PDFs.

Shared by the command's `--file` and `--attach` and the library's `files=` and `attachments=`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from llmstream.errors import UsageError
from llmstream.prompt import Attachment

Place: TypeAlias = str | os.PathLike[str]

FILE_LIMIT: Final = 16 * 1024 * 1024
ATTACHMENT_LIMIT: Final = 20 * 1024 * 1024
"""Bytes; in base64 this stays below the 32 MB of Anthropic's "Request size limits" (API overview)."""

WHERE: Final = "standard input"
STDIN: Final = "-"
"""The path that means standard input."""

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
"""Signatures, their offsets, and the media types that they identify, from the formats' specifications."""

CONTROLS: Final = bytes(set(range(32)) - {7, 8, 9, 10, 12, 13, 27}) + b"\x7f"
"""Control characters that text doesn't contain; terminal recordings and man pages contain the others."""


def kind_of(data: bytes) -> str | None:
    """Return the media type identified by a file's first bytes, None if unknown."""
    return next((kind for magic, at, kind in MAGIC if data[at : at + len(magic)] == magic), None)


def text_of(data: bytes, called: str, say: Callable[[str], None], *, strict: bool = False) -> str:
    """Return bytes as text: UTF-8, or UTF-16 with a byte-order mark; a few invalid bytes become U+FFFD.

    Args:
        data: all bytes.
        called: its name in messages: a path, or ``standard input``.
        say: called with a message if bytes were replaced.
        strict: refuse text that is more likely in another encoding than damaged UTF-8.

    Raises:
        UsageError: it is binary, or in another encoding.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and len(data) % 2 == 0:
        # the default of Windows PowerShell's redirections
        return data.decode("utf-16", "replace")
    text = data.decode("utf-8-sig", "replace")
    wrong = _wrong_bytes(data) if "\ufffd" in text else 0
    if not wrong and "\0" not in text:
        return text
    at = _first_wrong(data)
    place = f"(byte 0x{data[at]:02x} at offset {at})"
    if kind_of(data) or _binary(data, wrong):
        raise UsageError(f"{called} is not UTF-8 text: it is binary {place}", hint=_binary_hint(data, called))
    right = sum(c > "\x7f" and c != "\ufffd" for c in text)
    if strict and wrong > right and wrong * 1000 > len(data):
        raise UsageError(f"{called} is not UTF-8 text {place}", hint=_encoding_hint(called))
    count = "1 byte is" if wrong == 1 else f"{wrong} bytes are"
    say(f"warning: {called}: {count} not UTF-8 and replaced by U+FFFD {place}")
    return text


def _wrong_bytes(data: bytes) -> int:
    return sum("\udc80" <= c <= "\udcff" for c in data.decode("utf-8", "surrogateescape"))


def _first_wrong(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        nul = data.find(b"\0", 0, error.start)
        return error.start if nul < 0 else nul
    return max(0, data.find(b"\0"))


def _binary(data: bytes, wrong: int) -> bool:
    # a few bytes may be invalid: about every tenth in Latin-1 text, every second in compressed data
    controls = len(data) - len(data.translate(None, CONTROLS))
    return b"\0" in data or controls * 50 > len(data) or wrong * 3 > len(data) > 16


def _binary_hint(data: bytes, called: str) -> str:
    place = STDIN if called == WHERE else called
    if kind_of(data):
        return f"attach it instead: -a {place}"
    return f"-f takes text, and -a {place} takes an image, audio file or PDF"


def _encoding_hint(called: str) -> str:
    return (
        f"convert it first, for example from Latin-1: iconv -f ISO-8859-1 -t UTF-8 {called} > {called}.utf8"
    )


def with_files(
    text: str,
    paths: Sequence[Place],
    say: Callable[[str], None] = lambda said: None,
    stdin: Callable[[], bytes] | None = None,
) -> str:
    """Return a prompt's text with files before it, each with its name and in its own fence.

    Args:
        text: the prompt's own text; may be empty.
        paths: paths of text files; ``-`` is standard input if `stdin` is given.
        say: called with a message if bytes that are not UTF-8 were replaced.
        stdin: reads standard input, None if ``-`` is an ordinary path.

    Raises:
        UsageError: a file can't be read, is too large, or is not text.
    """
    return "\n\n".join([*(_fenced(path, say, stdin) for path in paths), *([text] if text else [])])


def _fenced(path: Place, say: Callable[[str], None], stdin: Callable[[], bytes] | None) -> str:
    if stdin is not None and path == STDIN:
        content, name = text_of(stdin(), WHERE, say), "stdin"
    else:
        name = os.fspath(path)
        content = text_of(read(name, FILE_LIMIT), name, say, strict=True)
    # longer than any fence in the file, so that the file can't end it
    longest = max((len(run) for run in _runs_of_backticks(content)), default=0)
    fence = "`" * max(3, longest + 1)
    end = "" if content.endswith("\n") or not content else "\n"
    return f"{name}:\n{fence}\n{content}{end}{fence}"


def _runs_of_backticks(text: str) -> list[str]:
    import re

    return re.findall(r"`{3,}", text)


def attachments(
    places: Iterable[Place | Attachment], stdin: Callable[[], bytes] | None = None
) -> tuple[Attachment, ...]:
    """Return the attachments at paths and URLs; their types are determined by content, not by name.

    Args:
        places: paths and URLs; an Attachment is returned unchanged; ``-`` as for `with_files`.
        stdin: as for `with_files`.

    Raises:
        UsageError: a file can't be read, is too large, or has an unknown type.
        LLMStreamError: a URL can't be fetched.
    """
    return tuple(place if isinstance(place, Attachment) else _attachment(place, stdin) for place in places)


def _attachment(place: Place, stdin: Callable[[], bytes] | None) -> Attachment:
    name = os.fspath(place)
    again: str | None = None
    if stdin is not None and name == STDIN:
        data, name, path = _within(stdin(), WHERE, ATTACHMENT_LIMIT), WHERE, ""
    elif name.startswith(("https://", "http://")):
        from urllib.parse import urlsplit

        from llmstream.transport.http.documents import fetch_file

        # fetched here, because most providers can't, and because its type is known only from its bytes
        data, path = fetch_file(name, limit=ATTACHMENT_LIMIT), urlsplit(name).path
        # the history must not store a URL with a password
        again = None if "@" in name else name
    else:
        data, path = read(name, ATTACHMENT_LIMIT), name
        again = str(Path(name).expanduser().absolute())
    kind = kind_of(data)
    if kind is None:
        raise UsageError(
            f"{name} is not a recognised image, audio file or PDF",
            hint="known: PNG, JPEG, GIF, WebP, HEIC, PDF, WAV, MP3, FLAC, Ogg; for text: -f, in a chat /file",
        )
    return Attachment(kind, data, name=Path(path).name or None, place=again)


def attached_again(place: str) -> bytes:
    """Return the current content of an attachment's path or URL.

    Raises:
        LLMStreamError: it can't be read.
    """
    if place.startswith(("https://", "http://")):
        from llmstream.transport.http.documents import fetch_file

        return fetch_file(place, limit=ATTACHMENT_LIMIT)
    return read(place, ATTACHMENT_LIMIT)


def read(path: str, limit: int) -> bytes:
    """Return a file's content.

    Raises:
        UsageError: it can't be read, or has more than `limit` bytes.
    """
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"can't read {path}: {reason}") from error
    return _within(data, path, limit)


def _within(data: bytes, called: str, limit: int) -> bytes:
    if len(data) > limit:
        raise UsageError(f"{called} is larger than the {limit >> 20} MiB limit")
    return data
