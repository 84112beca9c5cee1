"""HTML blocks, which are shown as source.  Source: CommonMark 0.31, section 4.6, "HTML blocks"."""

from __future__ import annotations

import re
from typing import Final

from llmstream.render.markdown.leaves import Flow, Frame
from llmstream.render.markdown.pieces import Break

BLOCK_TAGS: Final = (
    "address article aside base basefont blockquote body caption center col colgroup dd details dialog dir "
    "div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html "
    "iframe legend li link main menu menuitem nav noframes ol optgroup option p param search section "
    "summary table tbody td tfoot th thead title tr track ul"
).replace(" ", "|")
HTML: Final = re.compile(
    rf"<(?:(script|pre|style|textarea)(?=[\s>])|(!--)|(\?)|(![A-Za-z])|(!\[CDATA\[)|(/?(?:{BLOCK_TAGS})(?=[\s>]|/>)))",
    re.IGNORECASE,
)
HTML_BEGUN: Final = re.compile(r"<(?:/?[A-Za-z][A-Za-z0-9]*/?|/|!-?|!\[[A-Z]{0,5})?")
HTML_ENDS: Final = ("", "-->", "?>", ">", "]]>", "")
ATTRIBUTE: Final = r"""[ \t]+[A-Za-z_:][\w:.-]*(?:[ \t]*=[ \t]*(?:"[^"\n]*"|'[^'\n]*'|[^\s"'=<>`]+))?"""
ALONE: Final = re.compile(
    rf"(?:<[A-Za-z][A-Za-z0-9-]*(?:{ATTRIBUTE})*[ \t]*/?>|</[A-Za-z][A-Za-z0-9-]*[ \t]*>)[ \t]*\n"
)
ALONE_BEGUN: Final = re.compile(
    rf"<(?:/?[A-Za-z][A-Za-z0-9-]*(?:{ATTRIBUTE})*(?:[ \t]*/?>?[ \t]*|[ \t]+[A-Za-z_:][\w:.-]*[ \t]*"
    r"""(?:=[ \t]*(?:"[^"\n]*"?|'[^'\n]*'?|[^\s"'=<>`]*))?)|/)?"""
)
HELD: Final = 200
"""Maximum number of characters held back for a tag that may be alone on its line."""


def html_start(line: str, at: int, *, within: bool) -> str | bool | None:
    """Find out whether an HTML block starts here.

    Args:
        line: the open line, with its newline if it is complete.
        at: index of `<`.
        within: whether a paragraph is open.

    Returns:
        The text that ends the block, "" for a blank line; False if no block starts here; None if more
        of the line is needed.
    """
    whole = line.endswith("\n")
    found = HTML.match(line, at)
    if found:
        number = found.lastindex or 1
        return f"</{found[1].lower()}>" if number == 1 else HTML_ENDS[number - 1]
    if not whole and HTML_BEGUN.fullmatch(line, at):
        return None
    if within:
        return False
    if ALONE.match(line, at):
        return ""
    begun = not whole and len(line) - at < HELD and ALONE_BEGUN.fullmatch(line, at)
    return None if begun else False


class Html(Flow):
    """An HTML block, shown as source.

    Args:
        frame: its place in the output.
        end: text that ends the block, in lower case; empty if a blank line ends it.
    """

    def __init__(self, frame: Frame, end: str) -> None:
        super().__init__(frame)
        self.end = end
        self._line = ""

    def text(self, text: str) -> None:
        """Add a part of the open line."""
        if self.end:
            self._line = (self._line + text)[-300:]
        self.rows.add(text, 0)
        self.rows.lay()

    plain = text

    @property
    def ended(self) -> bool:
        """Whether the line that just ended is the block's last."""
        return bool(self.end) and self.end in self._line.lower()

    def end_line(self) -> None:
        """End the open line."""
        self.rows.lay(ended=True)

    def join(self) -> None:
        """Continue with another line."""
        self._line = ""
        self.rows.waiting.append(Break())

    def close(self) -> None:
        """End the block and its last row."""
        self.rows.lay(ended=True)
        if self.rows.x:
            self.rows.newline()
