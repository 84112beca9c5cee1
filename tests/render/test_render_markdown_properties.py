"""Markdown, whatever the document and however it is cut: nothing lost, nothing doubled, nothing above touched."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_rows import bare, drawn, rows, same_letters

from llmstream.render.markdown.ink import Ink
from llmstream.render.markdown.reader import Reader
from llmstream.render.markdown.widths import cells

INLINE = st.sampled_from(
    [
        "word",
        "two words",
        "**bold**",
        "*it*",
        "_em_",
        "__strong__",
        "***both***",
        "**bold *nested* end**",
        "~~gone~~",
        "`code`",
        "``co`de``",
        "[link](https://example.com/a)",
        "[a [b] c](https://e.org)",
        "[no link]",
        "[t](<https://e.org/a b>)",
        "![alt](https://e.org/i.png)",
        "<https://auto.org/x>",
        "<me@ex.org>",
        "&amp;",
        "&copy;",
        "\\*esc\\*",
        "2 * 3 * 4",
        "snake_case_name",
        "a < b",
        "<tag>",
        "C:\\new",
        "lone * star",
        "lone _ line",
        "$x_1$",
        "a*b*c",
        "日本語テキスト",
        "**中文**文",
        "한국어",
        "😀",
        "👩\u200d👩\u200d👧",
        "é",
        "(**b**)",
        "a**b**c",
        "[**b**](https://e.org)",
        "**[b](https://e.org)**",
        "x^2",
        "[1]",
        "`` ` ``",
        "averyveryveryveryveryveryveryverylongword",
        "\\",
    ]
)
TEXT = st.lists(INLINE, min_size=1, max_size=9).map(" ".join)
CODE = st.lists(
    st.sampled_from(["x = 1", "  y", "\ttab", "# c", "- no", "| a |", "", "日本", "z" * 90]), max_size=4
)
TABLE = st.lists(st.lists(INLINE, min_size=3, max_size=3), min_size=1, max_size=4).map(
    lambda made: [
        "| " + " | ".join(made[0]) + " |",
        "|---|:-:|--:|",
        *("| " + " | ".join(row) + " |" for row in made[1:]),
        "",
    ]
)
LEAVES = st.one_of(
    st.lists(TEXT, min_size=1, max_size=3),
    st.tuples(st.sampled_from(["# ", "## ", "###### "]), TEXT).map(lambda made: ["".join(made)]),
    st.tuples(st.sampled_from(["```", "~~~~"]), st.sampled_from(["", "python", "nosuch"]), CODE).map(
        lambda made: [made[0] + made[1], *made[2], made[0]]
    ),
    TABLE,
    st.just(["---"]),
)


def quoted(lines: list[str]) -> list[str]:
    """Return a block within a quote."""
    return ["> " + line for line in lines]


def listed(made: tuple[str, list[list[str]]]) -> list[str]:
    """Return blocks as the items of a list."""
    sign, items = made
    return [
        (sign if not at else " " * len(sign) if line else "") + line
        for item in items
        for at, line in enumerate(item)
    ]


BLOCKS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(quoted),
        st.tuples(st.sampled_from(["- ", "* ", "1. ", "7) "]), st.lists(inner, min_size=1, max_size=3)).map(
            listed
        ),
    ),
    max_leaves=4,
)
DOCUMENT = st.lists(BLOCKS, max_size=4).map(
    lambda blocks: "\n\n".join("\n".join(block) for block in blocks) + "\n"
)
COLUMNS = st.sampled_from([12, 20, 40, 80, 200])


def cut(source: str, places: list[int]) -> list[str]:
    """Return a text in parts."""
    ends = sorted({place % (len(source) + 1) for place in places} | {0, len(source)})
    return [source[start:end] for start, end in itertools.pairwise(ends)]


CUTS = st.lists(st.integers(0, 4000), max_size=40)


@settings(max_examples=250, deadline=None)
@given(DOCUMENT, COLUMNS, CUTS)
def test_each_letter_is_shown_once_and_in_order(source: str, columns: int, places: list[int]) -> None:
    for parts in ([source], list(source), cut(source, places)):
        assert same_letters("".join(rows(parts, columns)), source)


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_each_letter_of_the_specifications_examples_is_shown_once_and_in_order(columns: int) -> None:
    file = Path(__file__).with_name("commonmark_examples.json")
    examples = json.loads(file.read_text("utf-8"))["examples"]
    # a link is awaited for one row: this one's title is on the next, so it stays as it is written
    assert examples.pop("509") == '[link](   /uri\n  "title"  )\n'
    for number, source in examples.items():
        for parts in ([source], list(source), re.findall(r"\s*\S+|\s+$", source)):
            assert same_letters("".join(rows(parts, columns)), source), number


@settings(deadline=None)
@given(DOCUMENT, COLUMNS)
def test_no_row_of_words_is_wider_than_the_terminal(source: str, columns: int) -> None:
    for row in rows(source, columns):
        assert cells(row) <= columns or max(map(len, re.split(r"\s+", row))) > columns // 3


@settings(deadline=None)
@given(st.text("*_~`[]()<>!&#|-+=\\:;.\"' \n\tab1é日x\u200d\ufe0f", max_size=60), st.integers(1, 30), CUTS)
@example("_\u200d", 1, [])
def test_whatever_comes_only_harmless_sequences_are_written(
    source: str, columns: int, places: list[int]
) -> None:
    for parts in ([source], list(source), cut(source, places)):
        for line in drawn(parts, columns).split("\n"):
            bare(line)
            # a redrawn row begins anew: nothing of its attributes is left on
            assert not re.search("\x1b\\[[1-9][0-9;]*m[^\x1b]*\r", line.removesuffix("\r"))
            opened = re.findall("\x1b\\[([0-9;]*)m", line)
            assert not opened or opened[-1] == "0"


@settings(deadline=None)
@given(DOCUMENT, st.lists(st.tuples(st.integers(1, 60), st.integers(5, 90)), max_size=6))
def test_a_resize_loses_nothing(source: str, steps: list[tuple[int, int]]) -> None:
    reader = Reader(80, Ink(16))
    made, at = "", 0
    for length, columns in steps:
        made += reader.feed(source[at : at + length])
        reader.resize(columns)
        at += length
    made += reader.feed(source[at:]) + reader.close()
    shown = "".join(bare(line.rpartition("\r")[2]) for line in made.split("\n"))
    assert same_letters(shown, source)


@settings(deadline=None)
@given(DOCUMENT, st.integers(0, 400))
def test_an_answer_that_breaks_off_ends_on_a_fresh_row(source: str, length: int) -> None:
    made = drawn([source[:length]])
    assert not made or made.endswith("\n")
    assert made.count("\x1b]8;;\x1b\\") == made.count("\x1b]8;;h") + made.count("\x1b]8;;m")
