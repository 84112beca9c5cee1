"""Several answers that come at once: each is shown whole under its model's name, whatever came in between."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import captured, on_terminal

from llmstream.cli.environment import Environment
from llmstream.cli.running.stage import Lane, Stage, stage_for
from llmstream.errors import Cancelled, ConnectionFailed, LLMStreamError
from llmstream.events import Event, Finish, TextDelta, Usage
from llmstream.prompt import Endpoint, Message, Prompt
from llmstream.render.base import Writer
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target
from llmstream.runnable.together import News

NAMES = ("one", "two", "three")
HELLO = Prompt((Message("user", "Hello"),))


def lanes() -> list[Lane]:
    targets = [Target("openai-chat", Endpoint(name, "m", "http://127.0.0.1")) for name in NAMES]
    return [Lane(Plan([target], HELLO), 0.0) for target in targets]


class Shown:
    """A stage, and what it wrote on both streams."""

    def __init__(self, terminal: bool, variables: dict[str, str], **values: bool) -> None:
        self._values = values
        self._variables = variables
        self._terminal = terminal
        self.out = ""

    def of(self, news: Sequence[News], left: LLMStreamError | None = None) -> str:
        """Show some news, end or leave, and return what was shown."""
        place: AbstractContextManager[tuple[Writer, list[bytes]]] = (
            on_terminal() if self._terminal else captured()
        )
        with place as (writer, collected):
            environment = Environment(writer, writer, self._variables)
            stage: Stage = stage_for(dict(self._values), lanes(), environment, 0.0)
            for one in news:
                stage.take(one)
            if left is None:
                stage.end()
            else:
                stage.leave(left)
        return b"".join(collected).decode()


PLAIN = {"TERM": "dumb"}
COLOURED = {"TERM": "xterm-256color"}


def text(place: int, *events: str | Event) -> News:
    return News(place, [TextDelta(one) if isinstance(one, str) else one for one in events], None, 1.0)


def end(place: int, error: LLMStreamError | None = None) -> News:
    return News(place, None, error, 2.0)


def failure(message: str = "no connection") -> LLMStreamError:
    return ConnectionFailed(message)


@given(st.permutations([(place, number) for place in range(3) for number in range(4)]), st.booleans())
def test_each_answer_is_whole_under_its_name_in_whatever_order_its_pieces_come(
    order: list[tuple[int, int]], terminal: bool
) -> None:
    left = {place: iter(range(4)) for place in range(3)}
    news = []
    for place, _ in order:
        number = next(left[place])
        news.append(text(place, f"{NAMES[place]}-{number} ") if number < 3 else end(place))
    shown = Shown(terminal, PLAIN, raw=True).of(news).replace("\r\n", "\n")
    heads = [shown.index(f"## {name}/m\n{name}-0 {name}-1 {name}-2") for name in NAMES]
    if not terminal:
        assert heads == sorted(heads)


def test_on_a_terminal_the_first_to_begin_is_shown_first_and_while_it_comes() -> None:
    shown = Shown(True, COLOURED).of(
        [text(1, Usage(1)), text(2, "late"), text(0, "later"), end(1), end(0), end(2)]
    )
    places = [shown.index(f"\x1b[1m{name}/m\x1b[0m") for name in ("three", "one", "two")]
    assert places == sorted(places)
    assert shown.index("late") < places[1]


def test_on_a_terminal_a_table_of_all_comes_last() -> None:
    shown = Shown(True, COLOURED).of([text(0, "a", Finish("length")), end(0), end(1, failure()), end(2)])
    table = shown[shown.rindex("three/m\x1b[0m") :]
    assert "length" in table and "error" in table and "two" in table
    assert "length" not in Shown(False, COLOURED).of([text(0, "a", Finish("stop")), end(0), end(1), end(2)])


@pytest.mark.parametrize("terminal", [True, False])
def test_a_failure_is_told_once_with_its_models_name(terminal: bool) -> None:
    news = [text(0, "so far"), end(0, failure()), end(1, failure("two/m: it broke")), text(2, "c"), end(2)]
    shown = Shown(terminal, PLAIN).of(news)
    assert shown.count("one/m: no connection") == 1 and shown.count("two/m: it broke") == 1
    assert "two/m: two/m" not in shown
    assert "so far" in shown and shown.index("so far") < shown.rindex("c")


def test_on_a_pipe_a_model_that_said_nothing_has_no_heading() -> None:
    shown = Shown(False, PLAIN).of([end(0, failure()), text(1, "b"), end(1), end(2)])
    assert "## one/m" not in shown and "## two/m\nb\n" in shown and "## three/m\n" in shown


@pytest.mark.parametrize("machine", [True, False])
def test_an_answer_that_was_under_way_is_ended_when_the_user_stops(machine: bool) -> None:
    news = [text(0, "whole"), end(0), text(1, "half")]
    shown = Shown(False, PLAIN, json=machine).of(news, Cancelled("stopped by the user"))
    assert "whole" in shown and "half" in shown
    if machine:
        rows = shown.splitlines()
        assert ["stopped by the user" in row for row in rows] == [False, True, True]
    else:
        assert "three" not in shown


def test_machines_get_each_answer_when_it_has_ended_and_failures_beside_them() -> None:
    shown = Shown(False, PLAIN, json=True).of([text(0, "a"), text(1, "b"), end(1), end(0), end(2, failure())])
    first, second, *rest = shown.splitlines()
    assert '"text": "b"' in first and '"text": "a"' in second
    assert any("three/m: no connection" in row for row in rest)
