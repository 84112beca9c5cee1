"""Lists in columns: no line is wider than the terminal, and nothing is cut off."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.render.columns import NARROWEST, cells, columns, wrapped

TEXT = st.text("ab/- \u4f60e\u0301", max_size=40).map(lambda text: " ".join(text.split()))


def test_without_a_limit_each_column_is_as_wide_as_its_widest_cell() -> None:
    assert columns([["a", "bb"], ["ccc", "d"]]) == "a    bb\nccc  d\n"
    assert columns([]) == ""


def test_a_cell_that_does_not_fit_goes_on_below_itself() -> None:
    assert columns([["name", "accounts/fireworks/models/gpt"], ["x", "y"]], 24) == (
        "name  accounts/\n      fireworks/models/\n      gpt\nx     y\n"
    )


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), st.integers(3 * NARROWEST + 4, 80))
def test_no_line_is_too_wide_and_every_letter_is_there(rows: list[tuple[str, str, str]], width: int) -> None:
    made = columns(rows, width)
    assert all(cells(line) <= width for line in made.split("\n"))
    shown, given_ = (
        "".join(sorted(t.replace(" ", "").replace("\n", ""))) for t in (made, "".join(map("".join, rows)))
    )
    assert shown == given_


@given(TEXT, st.integers(2, 30))
def test_a_wrapped_text_keeps_its_characters(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cells(line) <= width for line in lines)
