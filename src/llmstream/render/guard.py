"""Make untrusted text safe to show on a terminal.

Text from a model, a server or a file name may contain sequences that make a terminal write to
the clipboard, type answers into the shell or overwrite earlier output.  Each character that could
start one is replaced by a visible symbol, so nothing has to be parsed, and a sequence can't get
through by being split over chunks.

Replacements:

    C0 except tab and newline, DEL  their control pictures, U+2400 and following, U+2421
    CR LF                           a newline; a CR alone is a picture, as it would overwrite the line
    C1                              <U+009B>: some terminals act on them, in UTF-8 too
    bidi embeddings, overrides,     <U+202E>: they reorder the text that follows, so that code reads
    isolates, deprecated format     as something else (CVE-2021-42574); U+206A to U+206F likewise
    interlinear annotations         <U+FFF9>: they hide the text between them
    tags, U+E0000 and following     <U+E0041>: invisible text; kept right after a black flag, as in
                                    the flag of Scotland
    lone surrogates                 U+FFFD: UTF-8 can't encode them

Everything else is kept: joiners, variation selectors and directional marks (LRM, RLM, ALM) are
needed by scripts and emoji and affect only their neighbours.
"""

from __future__ import annotations

import re
from typing import Final

FORMAT_CLASS: Final = "\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0000-\U000e007f"
"""The unsafe characters beyond C0, as the inside of a regular expression's class."""
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
    """Makes one stream of text safe, however it is cut into chunks."""

    def __init__(self) -> None:
        # a CR that is not shown yet, or a FLAG that was shown and may be followed by tags
        self._carry = ""

    def feed(self, text: str) -> str:
        """Return `text` made safe; a CR at its end is held back until the next call."""
        if text.isprintable() and text and self._carry != "\r":
            # tags aren't printable, so only a flag at the very end matters
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
        """Return the picture of a CR that was held back, or ""."""
        held, self._carry = self._carry, ""
        return "\u240d" if held == "\r" else ""


def guarded(text: str) -> str:
    """Return a complete text made safe for a terminal."""
    return SUSPECT.sub(_shown, text)


def one_line(text: str, limit: int = 600) -> str:
    """Return untrusted text as one safe line, with each run of blanks as one space.

    Args:
        text: such as a server's error message, a model's name, a file name; any length.
        limit: maximum number of characters before replacement, including the ellipsis of a cut text.
    """
    # only the start is searched, because a message may have megabytes
    line = BLANKS.sub(" ", text.strip()[: 16 * limit]).strip()
    return guarded(line if len(line) <= limit else line[: limit - 1] + "…")
