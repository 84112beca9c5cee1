"""Download a model file over https, resuming an earlier attempt.

Weights take gigabytes, so a partial download is kept next to the target in a hidden ``.NAME.part``,
with the server's mark of the file's version (an ETag or a date); a part of another version is discarded.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.errors import ConnectionFailed, LocalModelError, StreamError, TimeLimitPassed
from llmstream.local.files import (
    GGUF_MAGIC,
    Progress,
    Say,
    alone,
    disk_error,
    need_room,
    new_file,
    not_gguf,
    private_folder,
    settle,
)
from llmstream.prompt import Secret
from llmstream.transport.http.get import check_address, opened, shown

if TYPE_CHECKING:
    from typing import BinaryIO

    from llmstream.transport.http.get import Download

_ATTEMPTS: Final = 5
_RANGE: Final = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", re.ASCII)
_SMALLEST: Final = 24  # bytes of a GGUF file's fixed head


def fetch_https(url: str, target: Path, *, say: Say, progress: Progress, token: Secret | None = None) -> Path:
    """Download a GGUF model and move it into place atomically.

    Args:
        url: https, or http on a loopback address.
        target: path of the model; its folder is created if missing.
        say: called with a line if it is already here or another process is downloading it.
        progress: called with bytes so far, and in total or None; an exception from it stops the download.
        token: sent only to the host of `url`, None for none.

    Returns:
        `target`.

    Raises:
        ConfigError: the URL is not allowed.
        ProviderError: the server refused; the message names URL and status.
        ConnectionFailed: no connection, or it broke; the part received is kept for the next attempt if
            the server marked its version.
        LocalModelError: the disk is full, or the file is not a GGUF file; nothing is left behind.
    """
    check_address(url)
    private_folder(target.parent)
    with alone(target.parent, target.name, say, progress):
        part = _Part(url, target)
        try:
            return _persistently(part, token, say, progress)
        except BaseException:
            # without the server's mark it can't be resumed
            if not part.mark():
                part.discard()
            raise


def _persistently(part: _Part, token: Secret | None, say: Say, progress: Progress) -> Path:
    """Retry after a broken connection a few times, as long as each attempt makes progress."""
    left = _ATTEMPTS
    while True:
        left -= 1
        before = part.size()
        try:
            return _attempt(part, token, say, progress)
        except (StreamError, TimeLimitPassed) as error:
            if left and part.size() > before and part.mark():
                continue
            hint = "to continue where this stopped, run the same command again" if part.mark() else ""
            raise ConnectionFailed(error.message, hint=hint) from error


class _Part:
    """The file of a partial download, with the URL and version it belongs to."""

    def __init__(self, url: str, target: Path) -> None:
        self.url = url
        self.target = target
        self.path = target.with_name(f".{target.name}.part")
        self._note = target.with_name(f".{target.name}.part.json")

    def size(self) -> int:
        """Return the number of bytes received."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def mark(self) -> str:
        """Return the server's mark of this version, "" if the download can't be resumed."""
        try:
            note = json.loads(self._note.read_bytes())
        except (OSError, ValueError):
            return ""
        if not isinstance(note, dict) or note.get("url") != shown(self.url) or not self.size():
            return ""
        mark = note.get("mark")
        return mark if isinstance(mark, str) and mark.isprintable() else ""

    def begin(self, mark: str) -> None:
        """Discard the part and note the version of the next one."""
        self.discard()
        with new_file(self._note) as note:
            # without the query: it may contain a secret, and file stores sign each one anew
            note.write(json.dumps({"url": shown(self.url), "mark": mark}).encode())

    def open(self) -> BinaryIO:
        """Open the part to append to it."""
        return self.path.open("ab") if self.path.is_file() else new_file(self.path)

    def discard(self) -> None:
        """Remove the part and its mark."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def settle(self) -> Path:
        """Move the complete file into place."""
        settle(self.path, self.target)
        self._note.unlink(missing_ok=True)
        return self.target


def _attempt(part: _Part, token: Secret | None, say: Say, progress: Progress) -> Path:
    mark = part.mark()
    wanted = {"range": f"bytes={part.size()}-", "if-range": mark} if mark else {}
    with opened(part.url, wanted, token) as response:
        if response.status == 416:
            return _nothing_follows(response, part, token, say, progress)
        offset, total = _place(response, part)
        if total is not None and not offset and _is_there(part.target, total):
            say(f"{part.target.name} is already here")
            part.discard()
            return part.target
        try:
            return _receive(response, part, offset, total, progress)
        except OSError as error:
            part.discard()
            raise disk_error(error, part.target.parent, total) from error
        except LocalModelError:
            part.discard()
            raise


def _nothing_follows(
    response: Download, part: _Part, token: Secret | None, say: Say, progress: Progress
) -> Path:
    """Accept the part as complete if the server says that nothing follows, else start over."""
    if part.size() and response.headers.get("content-range") == f"bytes */{part.size()}":
        return part.settle()
    if not part.size():
        raise ConnectionFailed(f"{shown(part.url)} sent no file: status 416")
    part.discard()
    return _attempt(part, token, say, progress)


def _place(response: Download, part: _Part) -> tuple[int, int | None]:
    """Return the body's offset in the file, and the file's size, None if unknown."""
    if response.status == 206:
        found = _RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is None or int(found[1]) != part.size():
            part.discard()
            raise ConnectionFailed(f"{shown(part.url)} sent a different part of the file than requested")
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = response.headers.get("content-length", "")
    return 0, int(length) if length.isascii() and length.isdigit() and len(length) <= 18 else None


def _is_there(target: Path, total: int) -> bool:
    return target.is_file() and target.stat().st_size == total


def _mark(response: Download) -> str:
    """Return a value for If-Range: a strong ETag, else the date.  Source: RFC 9110, 13.1.5."""
    tag: str = response.headers.get("etag", "")
    date: str = response.headers.get("last-modified", "")
    return tag if tag.startswith('"') else date


def _receive(response: Download, part: _Part, offset: int, total: int | None, progress: Progress) -> Path:
    need_room(part.target.parent, (total or 0) - offset)
    if not offset:
        part.begin(_mark(response))
    with part.open() as out:
        progress(offset, total)
        _copy(response, part, out, offset, total, progress)
    size = part.size()
    if size < _SMALLEST or (total is not None and size != total):
        raise LocalModelError(f"{shown(part.url)} is not a complete GGUF file: only {size} bytes arrived")
    return part.settle()


def _copy(
    response: Download, part: _Part, out: BinaryIO, offset: int, total: int | None, progress: Progress
) -> None:
    head = b"" if not offset else GGUF_MAGIC
    for block in response.blocks():
        if len(head) < len(GGUF_MAGIC):
            head = (head + block)[: len(GGUF_MAGIC)]
            _check_head(head, part.url)
        out.write(block)
        offset += len(block)
        progress(offset, total)


def _check_head(head: bytes, url: str) -> None:
    """Check the first bytes, because gigabytes of something else may follow."""
    if not GGUF_MAGIC.startswith(head):
        raise LocalModelError(
            not_gguf(shown(url), head),
            hint="give the URL of the file itself, not of a page about it",
        )
