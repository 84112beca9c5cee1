"""The nearest right name: a slip of the keyboard is forgiven, a mere likeness is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.adapters import catalogue
from llmstream.nearest import nearest, slips, typo_of

PROVIDERS = catalogue.names()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gorq", "groq"), ("FAST", "fast"), ("opnai", "openai"), ("antropic", "anthropic"),
        ("fire", "fireworks"), ("groqcloud", "groq"), ("llama_cpp", "llamacpp"), ("hugingface", "huggingface"),
    ],
)  # fmt: skip
def test_slips_and_beginnings_are_near(written: str, meant: str) -> None:
    assert nearest(written, [*PROVIDERS, "fast"]) == meant


@pytest.mark.parametrize("written", ["rate", "f", "oc", "", "/", "banana", "claude", "time"])
def test_what_is_only_similar_is_not_near(written: str) -> None:
    assert nearest(written, PROVIDERS) is None


def test_a_longer_name_is_no_typing_error() -> None:
    assert typo_of("stop_token_ids", ["stop"]) is None
    assert nearest("stop_token_ids", ["stop"]) == "stop"


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_slips_are_symmetric_and_bounded(one: str, other: str, more: str) -> None:
    assert slips(one, other) == slips(other, one) <= max(len(one), len(other))
    assert (slips(one, other) == 0) == (one == other)
    assert slips(one + more, other + more) <= slips(one, other)


@given(st.text("abcdef", min_size=4, max_size=9), st.integers(0, 7))
def test_two_neighbours_exchanged_are_one_slip(name: str, at: int) -> None:
    at %= len(name) - 1
    wrong = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    assert slips(wrong, name) <= 1
    assert nearest(wrong, [name]) == name
