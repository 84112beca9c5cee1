"""Helpers of the Markdown tests: rows as a terminal shows them, and the words that markdown-it-py finds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from llmstream.render.markdown.ink import Ink
from llmstream.render.markdown.reader import Reader

SEQUENCE: Final = re.compile("\x1b\\[[0-9;]*m|\x1b\\[K|\x1b\\]8;;[!-~]*\x1b\\\\|\r")
"""Everything but text and newlines that may be written."""
WORDS: Final = re.compile(r"[^\W_]+")
PARSER: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("reference")
PARSER.normalizeLink = str  # type: ignore[method-assign, assignment]
PARSER.normalizeLinkText = str  # type: ignore[method-assign, assignment]


def drawn(parts: Iterable[str], columns: int = 80, colours: int = 16) -> str:
    """Return what a terminal gets for a document that comes in these parts."""
    reader = Reader(columns, Ink(colours))
    made = [reader.feed(part) for part in parts if part]
    return "".join([*made, reader.close()])


def bare(text: str) -> str:
    """Return a text without its sequences; nothing else that moves the cursor may be in it."""
    shown = SEQUENCE.sub("", text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown), repr(text)
    return shown


def rows(parts: Iterable[str], columns: int = 80) -> list[str]:
    """Return the rows that stand on the screen at the end: what a row was before it was redrawn is gone."""
    lines = drawn(parts, columns).split("\n")
    assert lines.pop() == ""
    return [bare(line.rpartition("\r")[2]).rstrip(" ") for line in lines]


def letters(text: str) -> str:
    """Return a text's letters and digits."""
    return "".join(WORDS.findall(text))


def same_letters(shown: str, source: str) -> bool:
    """Say whether each letter is there once and in order; in columns, where cells are wrapped, only once."""
    got, want = letters(shown), expected(source)
    return got == want or ("|---" in source and sorted(got) == sorted(want))


def expected(source: str) -> str:
    """Return the letters that must be seen, in order, with the numbers of lists and the addresses of links."""
    return letters(" ".join(_blocks(PARSER.parse(source))))


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    numbers: list[int | None] = []
    for token in tokens:
        if token.type == "bullet_list_open":
            numbers.append(None)
        elif token.type == "ordered_list_open":
            numbers.append(int(token.attrs.get("start", 1)))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            numbers.pop()
        elif token.type == "list_item_open":
            number = numbers[-1]
            if number is not None:
                yield str(number)
                numbers[-1] = number + 1
        elif token.type == "inline":
            yield from _inline(token.children or [])
        elif token.type in ("fence", "code_block", "html_block"):
            yield token.content


def _inline(tokens: Sequence[Token]) -> Iterator[str]:
    links: list[tuple[str, list[str]]] = []
    for token in tokens:
        if token.type == "link_open":
            links.append((str(token.attrs["href"]), []))
        elif token.type == "link_close":
            address, text = links.pop()
            shown = "".join(text)
            yield "" if address in (shown, "mailto:" + shown) else address
        elif token.type == "image":
            yield token.content
            yield str(token.attrs["src"])
        else:
            if links:
                links[-1][1].append(token.content)
            yield token.content
