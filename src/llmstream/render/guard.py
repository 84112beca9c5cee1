"""Makes text of strangers safe to show on a terminal.

What a model, a server or a file name brings may hold sequences that a terminal obeys: write to
the clipboard, type answers into the shell, overwrite what was shown.  Each character that could
begin one becomes a visible symbol, so nothing has to be parsed and nothing can be split over
chunks to get through.

What is shown in its place, and what is not:

    C0 but tab and newline, DEL     their control pictures, U+2400 and following, U+2421
    CR LF                           one newline; a CR alone is a picture, it would overwrite the line
    C1                              <U+009B>: some terminals obey them, in UTF-8 too
    bidi embeddings, overrides,     <U+202E>: they reorder what follows, so that code reads as
    isolates, deprecated format     something else (CVE-2021-42574); U+206A to U+206F the same
    interlinear annotations         <U+FFF9>: they hide the text between them
    tags, U+E0000 and following     <U+E0041>: invisible text; they stay where they belong, right
                                    after a black flag, as in the flag of Scotland
    lone surrogates                 U+FFFD: they have no UTF-8

Everything else stays: joiners, variation selectors and directional marks (LRM, RLM, ALM) are
needed by scripts and emoji and move nothing but their neighbours.
"""

from __future__ import annotations

import re
from typing import Final

FORMAT_CLASS: Final = "\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0000-\U000e007f"
"""What is shown as a code beyond C0, as the inside of a regular expression's character class."""
FLAG: Final = "\U0001f3f4"
TAGS: Final = "[\U000e0020-\U000e007f]*"
SUSPECT: Final = re.compile(f"\r\n|{FLAG}{TAGS}|[\x00-\x08\x0b-\x1f\ud800-\udfff{FORMAT_CLASS}]")
FLAG_AT_END: Final = re.compile(f"{FLAG}{TAGS}\\Z")
BLANKS: Final = re.compile(r"\s+")


def _shown(match: re.Match[str]) -> str:
    found = match[0]
    if found == "\r\n":
        return "\n"
    if found[0] == FLAG:
        return found
    code = ord(found)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"<U+{code:04X}>"


class Guard:
    """Guards one stream of text; how it is cut into chunks makes no difference."""

    def __init__(self) -> None:
        # either a CR that was not shown yet, or a FLAG that was and may be followed by tags
        self._carry = ""

    def feed(self, text: str) -> str:
        """Return `text` as it may be shown; a CR at its end waits for the next call."""
        if text.isprintable() and text and self._carry != "\r":
            # no tag is printable, so only a flag at the very end matters
            self._carry = FLAG if text[-1] == FLAG else ""
            return text
        carry = self._carry
        if not text or (not carry and SUSPECT.search(text) is None):
            return text
        text = carry + text
        self._carry = ""
        if text[-1] == "\r":
            text, self._carry = text[:-1], "\r"
        elif FLAG_AT_END.search(text):
            self._carry = FLAG
        shown = SUSPECT.sub(_shown, text)
        return shown[1:] if carry == FLAG else shown

    def close(self) -> str:
        """Return what was still held: the picture of a CR that no newline followed, or nothing."""
        held, self._carry = self._carry, ""
        return "\u240d" if held == "\r" else ""


def guarded(text: str) -> str:
    """Return a whole text as it may be shown on a terminal."""
    return SUSPECT.sub(_shown, text)


def one_line(text: str, limit: int = 600) -> str:
    """Return a stranger's text as one short line: runs of blanks are one space each.

    Args:
        text: an error message of a server, a model's name, a file name; any length.
        limit: most characters of it, the ellipsis of a cut one included.
    """
    # a message of megabytes isn't searched whole for the few characters that are shown
    line = BLANKS.sub(" ", text.strip()[: 16 * limit]).strip()
    return guarded(line if len(line) <= limit else line[: limit - 1] + "…")
