"""Code in answers: lines are coloured by any language's lexer, and are worth more than their colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_rows import bare, rows
from pygments.lexer import ExtendedRegexLexer, Lexer, RegexLexer, default  # type: ignore[import-untyped]
from pygments.token import Keyword, Text  # type: ignore[import-untyped]

from llmstream.render.markdown.highlight import (
    DEEPEST,
    LONGEST,
    Highlighter,
    codes_of,
    highlighter,
    lexer_of,
    nearest,
)
from llmstream.render.markdown.ink import Ink
from llmstream.render.markdown.reader import Reader

SAMPLES = {
    "python": "@deco\nclass A(B):\n    '''doc\n    more'''\n    x: int = 0x1f  # note\n\n    def f(self): return f'{self.x!r}'\n",
    "json": '{"a": [1, true, null, "b\\n"],\n "c": -1.5e3}\n',
    "yaml": "%YAML 1.2\n---\na: &x\n  - b: 'c'\n    d: |\n      text\n\n      more\n  - *x\ne: >-\n  folded\n...\n",
    "ruby": 'x = <<~EOS + "a#{b}"\n  text #{1 + 2}\nEOS\nputs %w[a b], :sym, /re#{x}/\n',
    "sh": 'for x in $(ls "$1" | wc -l); do\n  echo ${x:-"y"} $((1 + 2))\ndone <<\'E\'\nin\nE\n',
    "rust": 'fn main() { /* a /* b */ c */ println!("{}", r#"x"#); let y: &\'static str = "z"; }\n',
    "html": "<!doctype html>\n<p class='a'>&amp;<b>x</b>\n<script>if (a < b) { c() }</script>\n<style>p { top: 0 }</style>\n",
    "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n",
    "console": "$ ls\na b\n",
}
LINES = st.lists(
    st.sampled_from([line for text in SAMPLES.values() for line in text.split("\n")]), max_size=8
)


@pytest.mark.parametrize("language", SAMPLES)
@pytest.mark.parametrize("colours", [16, 256])
def test_each_language_is_coloured_and_no_sign_of_it_is_lost(language: str, colours: int) -> None:
    shown = Reader(200, Ink(colours, "monokai")).feed(f"```{language}\n{SAMPLES[language]}```\n")
    assert bare(shown) == SAMPLES[language]
    assert "\x1b[38;5;" in shown if colours == 256 else "\x1b[" in shown


@given(st.sampled_from(sorted(SAMPLES)), LINES, st.text(max_size=12))
def test_whatever_stands_behind_a_fence_no_sign_of_it_is_lost(
    language: str, lines: list[str], more: str
) -> None:
    colouring = highlighter(language, 16, "")
    assert colouring is not None
    for line in [*lines, *more.replace("\r", "").split("\n")]:
        assert re.sub("\x1b\\[[0-9;]*m", "", colouring.line(line)) == re.sub("\x1b\\[[0-9;]*m", "", line)


def test_a_string_that_goes_over_lines_keeps_its_colour_and_ends() -> None:
    colouring = highlighter("python", 16, "")
    assert colouring is not None
    first, inside, last, after = map(colouring.line, ['x = """a', "b", 'c"""', "y = 1"])
    assert "\x1b[33mb" in inside.replace("\x1b[2;33m", "\x1b[33m")
    assert first != 'x = """a' and "c" in last and "33m" not in after


@pytest.mark.parametrize("language", ["", "no-such-language", "python" * 20])
def test_what_is_no_language_stays_as_it_is(language: str) -> None:
    assert highlighter(language, 256, "") is None
    assert highlighter("python", 0, "") is None
    assert lexer_of("PYTHON") is not None


def test_a_theme_is_a_style_of_pygments_or_the_terminals_own_colours() -> None:
    assert codes_of("") == codes_of("no-such-theme") == {}
    monokai = codes_of("monokai")
    assert monokai["Keyword"].startswith("38;5;") and monokai["Generic.Strong"].startswith("1;38;5;")
    assert "1" in codes_of("bw")["Keyword"].split(";")


@pytest.mark.parametrize(
    ("colour", "number"), [("000000", 16), ("ffffff", 231), ("ff0000", 196), ("808080", 244), ("5f87af", 67)]
)
def test_a_colour_is_the_nearest_of_256(colour: str, number: int) -> None:
    assert nearest(colour) == number


class Failing(RegexLexer):  # type: ignore[misc]  # pygments says nothing of its types
    """Fails at the word that it knows."""

    def _fail(self, *_: Any) -> Iterator[Any]:
        raise KeyError("state")

    tokens: ClassVar = {"root": [(r"fail", _fail), (r"\w+", Keyword), (r"\W", Text)]}


class Endless(RegexLexer):  # type: ignore[misc]
    """Goes ever deeper without getting on."""

    tokens: ClassVar = {"root": [(r"\w+", Keyword), (r" ", Text, "deep"), (r"!", Text, ("deep", "#push"))],
              "deep": [default("#push")]}  # fmt: skip


class Deep(RegexLexer):  # type: ignore[misc]
    """Opens a state with each bracket, and never closes one."""

    tokens: ClassVar = {
        "root": [
            (r"\[", Keyword, "#push"),
            (r"\]", Text, "#pop:3"),
            (r"<", Text, ("#pop", "root")),
            (r"[^<]|\n", Text, "#pop"),
        ]
    }


class Leaping(ExtendedRegexLexer):  # type: ignore[misc]
    """Begins anew at a bang, with a list of states of its own."""

    def _leap(self, match: Any, context: Any) -> Iterator[Any]:
        yield match.start(), Keyword, match[0]
        context.stack = ["root"]
        context.pos = match.end()

    tokens: ClassVar = {
        "root": [(r"\w+ ?", Text, "deep"), (r"!", _leap)],
        "deep": [(r"!", _leap), (r"\w+ ?", Keyword)],
    }


class Forgetful(Lexer):  # type: ignore[misc]
    """Loses the vowels."""

    def get_tokens_unprocessed(self, text: str) -> Iterator[Any]:
        yield 0, Keyword, re.sub("[aeiou]", "", text)


@pytest.mark.parametrize("lexer", [Failing, Endless, Forgetful])
def test_a_lexer_that_goes_wrong_costs_the_colours_and_not_the_line(lexer: type[Lexer]) -> None:
    colouring = Highlighter(lexer(), {})
    lines = ["good", "fail here", "good again", "!"]
    assert [re.sub("\x1b\\[[0-9;]*m", "", colouring.line(line)) for line in lines] == lines
    assert colouring.line("fail here") == "fail here"


def test_a_lexer_may_put_its_states_anew() -> None:
    colouring = Highlighter(Leaping(), {})
    assert colouring.line("a b!a b") == "a \x1b[34mb!\x1b[0ma \x1b[34mb\x1b[0m"


def test_a_state_on_a_state_without_end_begins_anew() -> None:
    colouring = Highlighter(Deep(), {})
    deep = "[" * (DEEPEST + 3)
    for line in (deep, "]]", "<x", "[x"):
        assert re.sub("\x1b\\[[0-9;]*m", "", colouring.line(line)) == line
    assert "\x1b[34m" in colouring.line("[")


def test_a_very_long_line_is_not_looked_at() -> None:
    colouring = highlighter("python", 16, "")
    assert colouring is not None
    line = "x = 1; " * (LONGEST // 7 + 1)
    assert colouring.line(line) == line


def test_code_that_breaks_off_is_shown_to_its_last_sign() -> None:
    assert rows(["```python\ndef f(", "x"]) == ["def f(x"]
    assert rows(["    indented", " code"]) == ["indented code"]


def test_what_is_said_in_between_stands_on_a_row_of_its_own() -> None:
    reader = Reader(80, Ink(16))
    shown = reader.feed("```python\ndef f(")
    assert not reader.at_start
    shown += reader.end_row() + "NOTE\n"
    assert reader.at_start
    shown += reader.feed("x): pass\n```\n") + reader.close()
    assert bare(shown) == "def f(\nNOTE\nx): pass\n"
    assert "\r" not in shown


def test_a_table_that_is_interrupted_goes_on_behind_the_note() -> None:
    reader = Reader(40, Ink(16))
    shown = reader.feed("| a | b |\n|---|---|\n| c |")
    assert reader.at_start
    shown += reader.end_row() + "NOTE\n" + reader.feed(" d |\n") + reader.close()
    lines = bare(shown).split("\n")
    assert lines[2] == "NOTE" and lines[3].split() == ["c", "│", "d"]
