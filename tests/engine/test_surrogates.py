"""Characters that deltas cut in two leave whole, in whatever pieces they come."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.engine.surrogates import Surrogates, joined
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta


def units(text: str) -> list[str]:
    """Return text as its UTF-16 code units, which is how servers cut it."""
    data = text.encode("utf-16-le", "surrogatepass")
    return [data[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(data), 2)]


def mended(events: list[Event]) -> list[Event]:
    surrogates = Surrogates()
    return [*map(surrogates.mend, events), *surrogates.close()]


def text_of(events: list[Event], kind: type[TextDelta] | type[ReasoningDelta]) -> str:
    return "".join(event.text for event in events if type(event) is kind)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_cut_at_every_unit_is_the_same_text(text: str) -> None:
    found = mended([TextDelta(unit) for unit in units(text)])
    assert text_of(found, TextDelta) == text


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.text(st.characters()))))
def test_whatever_comes_what_leaves_can_be_encoded(pieces: list[tuple[bool, str]]) -> None:
    kinds = [(TextDelta if is_text else ReasoningDelta)(piece) for is_text, piece in pieces]
    for event in mended([*kinds]):
        assert isinstance(event, TextDelta | ReasoningDelta)
        event.text.encode()


@settings(deadline=None)
@given(st.lists(st.text(st.characters())))
def test_what_stays_alone_is_replaced_and_nothing_else_is(pieces: list[str]) -> None:
    found = text_of(mended([TextDelta(piece) for piece in pieces]), TextDelta)
    whole = "".join(pieces).encode("utf-16-le", "surrogatepass")
    assert found == whole.decode("utf-16-le", "replace")


def test_each_call_keeps_its_own_half() -> None:
    found = mended([
        ToolCallDelta(0, "a", "f", "\ud83e"), ToolCallDelta(1, "b", "g", "\ud83e"),
        ToolCallDelta(0, None, None, "\udd64"), ToolCallDelta(1, None, None, "x"),
    ])  # fmt: skip
    said = {0: "", 1: ""}
    for event in found:
        assert isinstance(event, ToolCallDelta)
        said[event.index] += event.arguments
    assert said == {0: "\U0001f964", 1: "\ufffdx"}


def test_other_events_pass() -> None:
    assert Surrogates().mend(Finish("stop")) == Finish("stop")


def test_names_and_ids_and_reasons_leave_whole() -> None:
    (found,) = mended([ToolCallDelta(0, "\ud83d", "f\ud83d", "{}")])
    assert found == ToolCallDelta(0, "\ufffd", "f\ufffd", "{}")
    assert joined("\ud83e\udd64\ud83d") == "\U0001f964\ufffd"
