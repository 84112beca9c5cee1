"""--reasoning's lines of a chain's or an agent's steps: what is told, and what is not."""

from __future__ import annotations

import tempfile

import pytest

from llmstream.events import Event, Finish, Step, TextDelta
from llmstream.prompt import Json
from llmstream.render.base import Writer
from llmstream.render.notes import NotesSink
from llmstream.render.steps import StepLines


def step(kind: str, moment: str, *, parents: int = 1, data: Json = None) -> Step:
    """Return an event as LangChain tells it."""
    event: dict[str, Json] = {"event": f"on_{kind}_{moment}", "name": "it", "run_id": "r1"}
    return Step({**event, "parent_ids": [str(n) for n in range(parents)], "data": data or {}})


@pytest.mark.parametrize(
    ("given", "said"),
    [({"input": "words"}, "tool it words"), ({"input": {"q": "é"}}, 'tool it {"q": "é"}'), ([], "tool it ")],
)
def test_a_tool_is_told_with_what_it_is_given(given: Json, said: str) -> None:
    assert StepLines().line(step("tool", "start", data=given), 0.0) == said


@pytest.mark.parametrize(
    ("kind", "parents", "said"),
    [
        ("chain", 1, "step it 0.8 s"),
        ("chat_model", 1, "step it 0.8 s"),
        ("chain", 2, ""),
        ("chain", 0, ""),
        ("retriever", 3, "step it 0.8 s"),
        ("prompt", 1, ""),
        ("tool", 1, ""),
    ],
)
def test_an_end_is_told_of_links_and_retrievers(kind: str, parents: int, said: str) -> None:
    lines = StepLines()
    lines.line(step(kind, "start", parents=parents), 1.0)
    assert lines.line(step(kind, "stream", parents=parents), 1.5) == ""
    assert lines.line(step(kind, "end", parents=parents), 1.8) == said


@pytest.mark.parametrize(("kind", "said"), [("tool", "tool it"), ("chain", "step it")])
def test_a_failure_is_told_of_every_step(kind: str, said: str) -> None:
    lines = StepLines()
    lines.line(step(kind, "start", parents=5), 1.0)
    assert lines.line(step(kind, "error", parents=5), 3.0) == f"{said} failed after 2.0 s"
    assert lines.line(step(kind, "error"), 3.0) == f"{said} failed after 0.0 s"


@pytest.mark.parametrize("told", [True, False])
def test_steps_are_lines_of_their_own_where_they_are_wanted(told: bool) -> None:
    batch: list[Event] = [step("tool", "start", data={"input": "a\nb"}), TextDelta("x"), Finish("stop")]

    assert ("tool it a" in _lines(batch, told=told)) is told


def _lines(batch: list[Event], *, told: bool) -> str:
    with tempfile.TemporaryFile() as file:
        sink = NotesSink(Writer(file.fileno()), color=False, steps=told)
        sink.write(batch, 0.0)
        sink.close(None, 1.0)
        file.seek(0)
        return file.read().decode()
