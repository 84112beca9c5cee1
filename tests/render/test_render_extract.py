"""What `-x` and `--extract-last` take out of an answer, held against a CommonMark parser."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llmstream.errors import LLMStreamError, StreamBroken
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta
from llmstream.render.extract import Extractor, ExtractSink, Which

PIECES = st.sampled_from(
    [
        "```",
        "````",
        "~~~",
        "``",
        "~",
        "`",
        " ",
        "  ",
        "   ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "- ",
        "* ",
        "1. ",
        "2) ",
        "> ",
        ">",
        "a",
        "b c",
        "py",
        "# ",
        "---",
        "+",
        "10. ",
        "***",
        "-",
        "\r\n",
    ]
)
TEXTS = st.lists(PIECES, max_size=24).map("".join)


def taken(text: str, which: Which, size: int) -> str:
    """Return what comes out of a text that comes in pieces of `size` characters."""
    extractor = Extractor(which)
    out = [extractor.feed(text[i : i + size]) for i in range(0, len(text), size)]
    return "".join(out) + extractor.close()


def blocks(text: str) -> list[str]:
    """Return the content of each fenced block by a parser of the whole text."""
    tokens = MarkdownIt("commonmark").disable(["html_block", "reference"]).parse(text)
    return [token.content for token in tokens if token.type == "fence"]


@given(TEXTS, st.sampled_from([1, 2, 3, 7, 1000]), st.sampled_from(["first", "last"]))
@settings(max_examples=400, deadline=None)
@example("- a\n  - b\n\n    ```sh\n    x\n      y\n    ```\n", 1, "first")
@example("> ```\n> a\nb\n```\nc\n```\n", 2, "last")
def test_blocks_are_those_of_commonmark_however_the_text_is_cut(text: str, size: int, which: Which) -> None:
    # the parser takes a quote's sign for one however far it is indented
    assume(not re.search(r"(    |\t)[ \t]*>", text))
    # and miscounts a tab after the signs of nested quotes, where cmark and commonmark.js agree with us
    assume(not re.search(r">[ \t]*>[ ]*\t", text))
    # it drops blanks behind the last line's end
    text = text.replace("\r\n", "\n") + "\n"
    found = blocks(text)
    expected = text if not found else found[0 if which == "first" else -1]
    assert taken(text, which, size) == expected


@given(TEXTS, st.sampled_from(["first", "last"]))
@settings(max_examples=200, deadline=None)
def test_pieces_make_no_difference(text: str, which: Which) -> None:
    assert taken(text, which, 1) == taken(text, which, 3) == taken(text, which, 10_000)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_line_ends_inside_a_block_stay_as_they_are(size: int) -> None:
    assert taken("Here:\r\n```py\r\na\r\n\r\nb\r\n```\r\nend\r\n", "first", size) == "a\r\n\r\nb\r\n"


def test_a_line_comes_out_before_it_is_whole() -> None:
    extractor = Extractor()
    assert extractor.feed("Text.\n```py\npri") == "pri"
    assert extractor.feed("nt(1)\n``") == "nt(1)\n"
    assert extractor.feed("` no fence") == "``` no fence"


def test_what_comes_after_the_block_is_dropped() -> None:
    extractor = Extractor()
    assert extractor.feed("```\na\n```\nafter\n```\nb\n```\n") == "a\n"
    assert extractor.feed("more") + extractor.close() == ""
    assert extractor.found


def test_a_text_without_a_block_comes_out_whole_at_its_end() -> None:
    extractor = Extractor("last")
    assert extractor.feed("No `code` and ``` here.\n") == ""
    assert extractor.close() == "No `code` and ``` here.\n"
    assert not extractor.found


def test_a_million_characters_on_one_line_take_no_second() -> None:
    text = "```\n" + "x" * 400_000 + "\n```\n"
    assert len(taken(text, "first", 40)) == 400_001


class Answer:
    """An answer's sink that remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.closed = 0

    ended_with_newline = True
    wants_text = True

    def open(self, plan: object, at: float) -> None:
        """Do nothing."""

    def write(self, batch: list[Event], at: float) -> None:
        """Remember a batch."""
        self.batches.append(batch)

    def end_row(self) -> None:
        """Do nothing."""

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Count the ends."""
        self.closed += 1


def test_the_sink_hands_other_events_on_and_ends_all_its_sinks() -> None:
    answer, beside, said = Answer(), Answer(), list[str]()
    sink = ExtractSink(answer, [beside], "first", said.append)
    sink.write([ReasoningDelta("hm"), TextDelta("```\nco"), TextDelta("de\n``")], 0.0)
    sink.write([TextDelta("`\nbye"), Finish("stop")], 0.1)
    sink.close(StreamBroken("broken"), 0.2)
    text = "".join(e.text for batch in answer.batches for e in batch if isinstance(e, TextDelta))
    assert text == "code\n"
    assert [type(e) for batch in answer.batches for e in batch if not isinstance(e, TextDelta)] == [
        ReasoningDelta,
        Finish,
    ]
    assert answer.batches == beside.batches
    assert (answer.closed, beside.closed, said) == (1, 1, [])
    assert re.fullmatch(r"code\n", text)
