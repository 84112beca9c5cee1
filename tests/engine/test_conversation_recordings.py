"""Recorded answers of every dialect through whole conversations: the cuts make no difference."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.by_hand import Played, Said, call, play
from llmstream.adapters.registry import ADAPTERS, adapter
from llmstream.engine.effects import Head
from llmstream.engine.policy import Policy

FOLDER = Path(__file__).parent.parent / "adapters" / "recordings"
LONGEST = 12_000
"""Longer ones say nothing more here, and each byte counts in a cut at each byte."""
RECORDINGS = sorted(
    body.with_suffix("")
    for name in ADAPTERS
    for body in (FOLDER / name).glob("*.body")
    if body.stat().st_size < LONGEST
)


def answered(path: Path, reads: list[bytes]) -> Played:
    """Return what a conversation makes of a recording that comes in these reads."""
    said = json.loads(path.with_suffix(".json").read_text("utf-8"))
    head = Head(said["status"], {"content-type": said["content_type"]})
    replies: list[Said] = [head, *reads, b"", b""]
    return play(call(adapter(path.parent.name), Policy(max_retries=0)), replies)


@cache
def whole(path: Path) -> Played:
    """Return what it makes of a recording that comes at once."""
    return answered(path, [path.with_suffix(".body").read_bytes()])


def same(path: Path, reads: list[bytes]) -> None:
    found, wanted = answered(path, reads), whole(path)
    assert found.events == wanted.events
    assert (type(found.error), str(found.error)) == (type(wanted.error), str(wanted.error))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_byte_by_byte_gives_the_same_events(path: Path) -> None:
    body = path.with_suffix(".body").read_bytes()
    same(path, [body[at : at + 1] for at in range(len(body))])


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.name}")
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_cut_gives_the_same_events(path: Path, data: st.DataObject) -> None:
    body = path.with_suffix(".body").read_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(body) - 1)), max_size=6)))
    places = [0, *cuts, len(body)]
    same(path, [part for part in (body[a:b] for a, b in pairwise(places)) if part])


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_answer_is_complete_or_an_error_says_why_not(path: Path) -> None:
    said = json.loads(path.with_suffix(".json").read_text("utf-8"))
    played = whole(path)
    complete = said.get("complete", not said["error"])
    assert (played.error is None) == complete
    assert (said["error"] or "") in str(played.error)
    assert played.text == said["text"] or said["status"] != 200
