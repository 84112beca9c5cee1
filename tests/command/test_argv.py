"""The quick parser says what the full one says, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llmstream.cli
from llmstream.cli.app import run
from llmstream.cli.argv import command_in, parse
from llmstream.cli.options import OPTIONS

NAMES = [f"--{name}" for option in OPTIONS for name in (option.name, option.off) if name]
SHORT = [f"-{option.short}" for option in OPTIONS if option.short]
VALUES = ["1", "0.5", "text", "v1", "show", "a=b", "-1", "auto", "", "é"]
WORDS = st.sampled_from(
    [*NAMES, *SHORT, *VALUES, "--", "-", "hello", "--model=x", "--events-version=v2", "-mx"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=6))
def test_both_parsers_agree(argv: list[str]) -> None:
    quick = parse(argv)
    if quick is None or command_in(argv) is not None:
        return
    found: list[tuple[dict[str, object], list[str]]] = []
    with pytest.MonkeyPatch.context() as patch:

        def caught(values: dict[str, object], words: list[str]) -> int:
            found.append((values, list(words)))
            return 0

        patch.setattr(llmstream.cli, "prompted", caught)
        assert run(["prompt", *argv]) == 0
    values, words = found[0]
    # a flag that is off says the same as one that isn't there
    assert {k: v for k, v in values.items() if v not in (False, None) or k in ("sync", "stream")} == {
        k: v for k, v in quick[0].items() if v not in (False, None) or k in ("sync", "stream")
    }
    assert words == quick[1]
