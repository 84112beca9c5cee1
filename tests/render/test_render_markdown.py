"""Markdown on a terminal: what each block looks like, what is on the screen at once, what stays as it is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from markdown_rows import bare, drawn, rows

from llmstream.render.markdown.ink import Ink
from llmstream.render.markdown.reader import Reader

BOLD, ITALIC, STRUCK, OFF = "\x1b[1m", "\x1b[3m", "\x1b[9m", "\x1b[0m"


@pytest.mark.parametrize(
    ("source", "columns", "shown"),
    [
        ("one\ntwo\n\nthree", 80, ["one two", "", "three"]),
        ("some words that are wrapped", 12, ["some words", "that are", "wrapped"]),
        ("two  \nrows\\\nbroken", 80, ["two", "rows", "broken"]),
        ("(x)` words that never end", 15, ["(x) words that", "never end"]),
        ("# Title #\n\ntext", 80, ["Title", "", "text"]),
        ("Title\n===\ntext", 80, ["Title", "text"]),
        ("> quoted words here\n>\n> > deep", 15, ["│ quoted words", "│ here", "│", "│ │ deep"]),
        ("- one\n- two\n  - deep\n\n  more", 80, ["• one", "• two", "  ◦ deep", "", "  more"]),
        ("9. nine\n1. ten", 80, ["9. nine", "10. ten"]),
        ("| a |\n|---|\n| b |\n- c", 11, ["a", "───────", "b", "", "• c"]),
        ("- [ ] open\n- [x] done\n- [ ] # text", 80, ["☐ open", "☑ done", "☐ # text"]),
        ("- a\n\n  ```\n  code\n    more\n  ```\n", 80, ["• a", "", "code", "  more"]),
        ("```\n\tx\n```\ntext", 80, ["        x", "text"]),
        ("    code\n\n    more\n", 80, ["code", "", "more"]),
        ("a | b\n--|--:\n1 | 2\n", 21, ["a       │       b", "────────┼────────", "1       │       2"]),
        ("| a | b |\n|---|---|\nx", 80, None),
        ("text  \na | b\n--|--\n1 | 2\n", 21, ["text", "a       │ b", "────────┼────────", "1       │ 2"]),
        ("no | table\nat all", 80, ["no | table at all"]),
        ("---\n", 80, ["─" * 40]),
        ("<div>\n**x**\n</div>\n\ntext", 80, ["<div>", "**x**", "</div>", "", "text"]),
        ("[a](https://e.org) <https://e.org>", 80, ["a (https://e.org) https://e.org"]),
        ("[https://e.org](https://e.org) ![pic](p.png)", 80, ["https://e.org 🖼 pic (p.png)"]),
        ("[ref][id]\n\n[id]: https://e.org", 80, ["[ref][id]", "", "[id]: https://e.org"]),
        ("&amp; &copy; &nosuch; \\*x\\*", 80, ["& © &nosuch; *x*"]),
    ],
)
def test_blocks_as_they_are_shown(source: str, columns: int, shown: list[str] | None) -> None:
    for parts in ([source], list(source)):
        got = rows(parts, columns)
        assert got == shown or (shown is None and "x" in got[2])


@pytest.mark.parametrize(
    "source",
    [
        "2 * 3 * 4",
        "snake_case_name",
        "a < b",
        "<tag>",
        "C:\\new",
        "a lone *",
        "a lone _",
        "a lone `",
        "costs $5",
        "~x~",
        "**never closed",
        "[no](link",
        "[x] y",
        "#tag",
        "1.5 is no list",
        "-5 degrees",
        "a __init__b",
        "x ** y",
        "+1",
    ],
)
def test_what_is_no_markdown_stays_as_it_is(source: str) -> None:
    for parts in ([source], list(source)):
        assert rows(parts) == [source]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("a **b** c", f"a {BOLD}b{OFF} c\n".replace(f"a {BOLD}b", f"a{BOLD} b")),
        ("***x***", "\x1b[1;3mx" + OFF + "\n"),
        ("*a **b** c*", None),
        ("~~gone~~", f"{STRUCK}gone{OFF}\n"),
    ],
)
def test_emphasis_is_bold_italic_and_struck(source: str, shown: str | None) -> None:
    made = drawn([source])
    assert bare(made).strip() == re.sub(r"[*~]", "", source)
    if shown is None:
        assert f"{ITALIC}a" in made
        assert re.search(r"\x1b\[0;1;3m ?b", made)
    else:
        assert made.replace(f"a {BOLD}b", f"a{BOLD} b") == shown


def test_a_sign_that_closes_more_than_is_open_shows_the_rest_plainly() -> None:
    assert drawn(["*a** b"]) == f"{ITALIC}a{OFF}* b\n"


def test_a_sign_that_opened_nothing_is_put_right_on_the_open_row() -> None:
    reader = Reader(80, Ink())
    assert ITALIC in reader.feed("an *open sign ")
    assert reader.close().endswith("\r\x1b[Kan *open sign\n")


def test_words_are_shown_as_they_come_and_rows_one_by_one() -> None:
    reader = Reader(20, Ink())
    assert reader.feed("The first") == "The"
    assert reader.feed(" words") == " first"
    assert reader.feed(" of a paragraph") == " words of\na"
    assert reader.feed(" ") == " paragraph"


def test_text_behind_an_open_sign_isnt_held_back() -> None:
    reader = Reader(80, Ink())
    assert bare(reader.feed("**bold words go on")) == "bold words go"
    assert bare(reader.feed(" `code that goes on")) == " on code that goes"


def test_a_table_comes_row_by_row() -> None:
    reader = Reader(80, Ink())
    assert reader.feed("| a | b |\n") == ""
    assert "a" in reader.feed("|---|---|\n")
    assert reader.feed("| one | tw") == ""
    assert bare(reader.feed("o |\n")).split() == ["one", "│", "two"]


def test_a_cell_may_hold_a_link_longer_than_its_column() -> None:
    made = drawn(
        [
            "| a | b |\n|---|---|\n| [a long text of a link](https://e.org/x) | *no end of it at all, really |\n"
        ],
        30,
    )
    assert "\x1b]8;;https://e.org/x\x1b\\" in made
    assert "[" not in bare(made)
    assert "*no" in bare(made)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "https:x"]
)
def test_only_harmless_addresses_become_links(address: str) -> None:
    made = drawn([f"[text]({address}) <{address}>"])
    assert "\x1b]8" not in made
    assert made.count(address) == 2


def test_an_address_is_percent_encoded() -> None:
    assert "\x1b]8;;https://e.org/%C3%A9%20x\x1b\\" in drawn(["[é](<https://e.org/é x>)"])


def test_code_is_coloured_only_where_colours_are_allowed() -> None:
    source = "```python\ndef f(x):\n    return 'a'\n```\n"
    assert re.search("\x1b\\[[0-9;]*3[0-9]", drawn([source], colours=16))
    themed = Reader(80, Ink(256, "monokai"))
    assert "\x1b[38;5;" in themed.feed(source)
    assert drawn([source], colours=0) == "def f(x):\n    return 'a'\n"
    assert drawn(["```nosuch\ndef f(x):\n```\n"], colours=256) == "def f(x):\n"


def test_a_code_line_longer_than_the_screen_is_written_once() -> None:
    line = "x = '" + "a" * 100 + "'"
    made = drawn(["```python\n", *line, "\n```\n"], 40)
    assert "\r" not in made
    assert bare(made) == line + "\n"


def test_a_resize_ends_an_open_row_that_no_longer_fits() -> None:
    reader = Reader(80, Ink())
    made = reader.feed("some *words that stand on a row of eighty cells ")
    reader.resize(20)
    made += reader.feed("and go on") + reader.close()
    assert "\r" not in made
    assert bare(made) == "some words that stand on a row of eighty cells\nand go on\n"


def test_a_row_with_an_emoji_sequence_is_only_appended_to() -> None:
    assert "\r" not in drawn(["👩‍👩‍👧 and *no end of it"])


def test_wide_characters_break_between_each_other() -> None:
    assert rows(["日本語テキスト"], 9) == ["日本語テ", "キスト"]
    assert rows(["ab 日本語"], 6) == ["ab 日", "本語"]


def test_on_the_narrowest_screens_everything_is_still_shown() -> None:
    source = "- a\n  > b\n\n| c | d |\n|---|---|\n| e | f |\n"
    for columns in (1, 2, 3, 5):
        assert [*"".join(re.findall("[a-f]", "".join(rows([source], columns))))] == [*"abcdef"]


def seconds(make: Callable[[int], list[str]], count: int) -> float:
    """Return the CPU time of a document in parts, the best of three."""
    best = 9.0
    for _ in range(3):
        parts = make(count)
        began = time.process_time()
        drawn(parts)
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("sign", ["*", "_", "**", "[", "](", "`", "<", "&", "~~", "> ", "- ", "|", "\\"])
def test_the_work_grows_with_the_length_only(sign: str) -> None:
    assert seconds(lambda n: [sign * n], 8000) < 12 * seconds(lambda n: [sign * n], 2000) + 0.05


@pytest.mark.parametrize("begun", ["", "a\n", "- ", "> ", "- a\n"])
@pytest.mark.parametrize("blank", [" ", "\t"])
def test_blanks_that_come_one_by_one_are_looked_at_once(begun: str, blank: str) -> None:
    def make(count: int) -> list[str]:
        return [begun, *[blank] * count, "x\n"]

    assert seconds(make, 8000) < 8 * seconds(make, 2000) + 0.05


@pytest.mark.parametrize("sign", ["|", "|-", "\u200d", "e\u0301", "\u0301", "*", "[", "<", "- "])
def test_signs_that_come_one_by_one_take_no_more_the_longer_the_line_is(sign: str) -> None:
    assert seconds(lambda n: [sign] * n, 8000) < 8 * seconds(lambda n: [sign] * n, 2000) + 0.1


def test_an_indent_is_looked_at_once_however_many_items_go_on_in_it() -> None:
    def make(count: int) -> list[str]:
        return ["- " * 90 + "a\n", "  " * 90 + " " * count + "x\n"]

    assert seconds(make, 80_000) < 8 * seconds(make, 20_000) + 0.05
