"""Secrets in bytes that come in any pieces."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.transport.tape.redaction import Redactor

SECRET = "sk-ab+ab/ab=cd"
FORMS = (SECRET, SECRET.replace("/", "\\/"), "sk-ab%2Bab%2Fab%3Dcd")
PARTS = st.lists(st.sampled_from([*FORMS, "sk-ab", "ab+", "\n", "é", " text ", SECRET[:-1]]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(parts=PARTS, data=st.data())
def test_no_cut_lets_a_secret_through_and_nothing_else_is_lost(parts: list[str], data: st.DataObject) -> None:
    whole = "".join(parts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    redactor = Redactor([(SECRET, "$KEY")])
    out = b"".join(redactor.feed(whole[a:b]) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True))
    out += redactor.close()
    assert not any(form.encode() in out for form in FORMS)
    assert out.decode() == Redactor([(SECRET, "$KEY")]).text(whole.decode())


def test_what_is_part_of_no_secret_is_not_held_back() -> None:
    redactor = Redactor([(SECRET, "$KEY")])
    assert redactor.feed(b"data: x\n\n") == b"data: x\n\n"
    assert redactor.feed(b"sk") == b""
    assert redactor.feed(b"y") == b"sky"


def test_a_short_key_is_not_looked_for_in_text_but_is_not_shown_by_itself() -> None:
    redactor = Redactor([("none", "$KEY")])
    assert redactor.feed(b"there is none") == b"there is none"
    assert redactor.value({"key": "none", "text": "there is none"}) == {
        "key": "[$KEY]",
        "text": "there is none",
    }
