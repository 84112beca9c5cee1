"""The guard: nothing that a terminal obeys comes through, everything else does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import on_terminal, texts

from llmstream.events import TextDelta
from llmstream.render.guard import Guard, guarded, one_line
from llmstream.render.plain import PlainSink

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]")
FLAG_OF_SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def feed(chunks: list[str]) -> str:
    """Return what a guard makes of these chunks."""
    guard = Guard()
    return "".join([guard.feed(chunk) for chunk in chunks]) + guard.close()


@given(st.lists(texts, max_size=8))
def test_nothing_that_a_terminal_obeys_comes_out(chunks: list[str]) -> None:
    assert not OBEYED.search(feed(chunks))


@given(st.lists(texts, max_size=8))
def test_chunking_makes_no_difference(chunks: list[str]) -> None:
    whole = "".join(chunks)
    assert feed(chunks) == guarded(whole) == feed(list(whole))


@given(st.lists(texts, max_size=8))
def test_visible_text_is_kept(chunks: list[str]) -> None:
    harmless = re.compile(f"{OBEYED.pattern}|[\U000e0000-\U000e007f]")
    codes = re.compile("<U\\+[0-9A-F]{4,6}>|[\u2400-\u2421\ufffd]|[\U000e0000-\U000e007f]")
    want = codes.sub("", harmless.sub("", "".join(chunks).replace("\r\n", "\n")))
    assert codes.sub("", feed(chunks)) == want


@pytest.mark.parametrize(
    ("chunks", "shown"),
    [
        (["a\x1b[2Jb"], "a␛[2Jb"),
        (["\x1b", "]52;c;cm0g", "\x07"], "␛]52;c;cm0g␇"),
        (["a\r", "\nb"], "a\nb"),
        (["a\r", "b"], "a␍b"),
        (["a\r"], "a␍"),
        (["\r", "\r", "\n"], "␍\n"),
        (["a\x7f\x9b2J"], "a␡<U+009B>2J"),
        (["\u202ex\u2066"], "<U+202E>x<U+2066>"),
        (["a\ud83d b"], "a\ufffd b"),
        (["tab\tnew\n"], "tab\tnew\n"),
        (["\u200e\u200f\u061c"], "\u200e\u200f\u061c"),
        (["e", "\u0301 ", "\U0001f469", "\u200d", "\U0001f680", "\U0001f1eb", "\U0001f1f7"],
         "e\u0301 \U0001f469\u200d\U0001f680\U0001f1eb\U0001f1f7"),
        (list(FLAG_OF_SCOTLAND), FLAG_OF_SCOTLAND),
        (["hi\U000e0041"], "hi<U+E0041>"),
        (["\U0001f3f4", "", "\U000e0067", "\r", "\U000e0067"], "\U0001f3f4\U000e0067␍<U+E0067>"),
    ],
)  # fmt: skip
def test_each_kind_of_character_is_shown_as_documented(chunks: list[str], shown: str) -> None:
    assert feed(chunks) == shown


def test_text_without_anything_suspect_is_returned_as_it_is() -> None:
    text = "plain text, twice\n" * 2
    assert Guard().feed(text) is text


@given(texts, st.integers(2, 50))
def test_one_line_is_one_short_harmless_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert not OBEYED.search(line)
    assert not re.search(r"[\n\t\u2028\u2029]", line)
    # a code is at most nine characters long
    assert len(line) <= 9 * limit


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  a\n\n b\tc\u2028d\x85e ", "a b c d e"),
        ("bad \x1b]0;x\x07", "bad ␛]0;x␇"),
        ("abcdefghijkl", "abcdefghi…"),
        ("abcdefghij", "abcdefghij"),
        ("\n" * 10_000 + "x" * 10_000_000, "xxxxxxxxx…"),
    ],
)
def test_one_line_collapses_blanks_and_shortens(text: str, line: str) -> None:
    assert one_line(text, 10) == line


def test_a_terminal_gets_no_escape_sequence() -> None:
    with on_terminal() as (writer, out):
        assert writer.isatty
        sink = PlainSink(writer, guard=True)
        for text in ("a", "\x1b", "[2J\x9b6n", "\x07\r", "b\u202e", "\r", "\n"):
            sink.write([TextDelta(text)], 0.0)
        sink.close(None, 0.0)
    assert b"".join(out).decode() == "a␛[2J<U+009B>6n␇␍b<U+202E>\n"
