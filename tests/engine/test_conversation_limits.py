"""The four limits as deadlines in the effects: what moves them and what doesn't."""

from __future__ import annotations

import pytest

from engine.by_hand import COMMENT, DONE, OK, After, Clock, Said, call, completions, delta, piece, play
from llmstream.engine.attempt import AFTER_FINISH
from llmstream.engine.effects import NEVER
from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError, TimeLimitPassed
from llmstream.events import Event, TextDelta

LIMITS = Policy(connect=2, first_token=60, idle=10, max_retries=0)
END: list[Said] = [delta(None, "stop"), DONE]


def late() -> TimeLimitPassed:
    return TimeLimitPassed("no data in time")


def deadlines(replies: list[Said], policy: Policy = LIMITS) -> list[float]:
    """Return when each read has to be over, in seconds since the run began."""
    clock = Clock(0.0)
    return [read.deadline for read in play(call(policy=policy), replies, clock=clock).reads]


def test_until_the_first_token_there_is_one_deadline() -> None:
    found = deadlines([After(5, OK), After(5, COMMENT), After(20, COMMENT), After(5, delta("a")), *END])
    assert found[:3] == [60, 60, 60]


def test_opening_has_the_same_deadline() -> None:
    assert play(call(policy=LIMITS), [OK, *END], clock=Clock(0.0)).opens[0].deadline == 60


def test_after_a_token_the_deadline_is_the_idle_limit() -> None:
    assert deadlines([OK, After(30, delta("a")), After(5, delta("b")), *END]) == [60, 40, 45, 40]


def test_comments_move_no_deadline() -> None:
    found = deadlines([OK, delta("a"), After(3, COMMENT), After(3, COMMENT), After(3, delta("b")), *END])
    assert found[:5] == [60, 10, 10, 10, 19]


@pytest.mark.parametrize("first", [delta(None, reasoning="hm"), delta(None, tool_calls=[{"index": 0}])])
def test_reasoning_and_tool_calls_are_a_first_token(first: bytes) -> None:
    assert deadlines([OK, After(2, first), *END])[:2] == [60, 12]


def test_an_empty_delta_is_no_first_token() -> None:
    clock = Clock(0.0)
    played = play(
        completions(LIMITS), [OK, After(2, piece("")), After(2, piece("a", "stop")), DONE], clock=clock
    )
    assert [read.deadline for read in played.reads][:2] == [60, 60]


def test_a_role_alone_is_no_first_token() -> None:
    assert deadlines([OK, After(2, delta(None, role="assistant")), After(2, delta("a")), *END])[:3] == [
        60,
        60,
        14,
    ]


def test_after_the_finish_reason_little_time_is_left_for_usage_and_end_mark() -> None:
    answer: list[Said] = [OK, delta("a"), delta(None, "stop"), DONE]
    assert deadlines(answer)[2] == AFTER_FINISH
    assert deadlines(answer, Policy(idle=0))[2] == AFTER_FINISH
    assert deadlines(answer, Policy(idle=1))[2] == 1


def test_a_limit_of_zero_is_none() -> None:
    assert deadlines([OK, delta("a"), *END], Policy(first_token=0, idle=0))[:2] == [NEVER, NEVER]


def test_no_deadline_is_behind_the_total_limit() -> None:
    limits = Policy(first_token=60, idle=10, total=25, max_retries=0)
    assert deadlines([OK, After(20, delta("a")), *END], limits)[:2] == [25, 25]


def test_the_time_that_a_batchs_taker_needs_does_not_count() -> None:
    def slow(batch: list[Event]) -> float:
        return 500.0 if isinstance(batch[0], TextDelta) else 0.0

    clock = Clock(0.0)
    played = play(call(policy=LIMITS), [OK, delta("a"), delta("b"), *END], clock=clock, consumer=slow)
    assert [read.deadline for read in played.reads][:3] == [60, 510, 1010]


def test_the_idle_deadline_lags_by_a_hundredth_at_most() -> None:
    many: list[Said] = [After(0.01, delta("a")) for _ in range(200)]
    clock = Clock(0.0)
    played = play(call(policy=LIMITS), [OK, *many, *END], clock=clock)
    for number, read in enumerate(played.reads[1:-1], 1):
        assert number * 0.01 + 10 * 0.99 <= read.deadline + 1e-9 <= number * 0.01 + 10 + 2e-9


def test_the_total_limit_is_one_for_all_attempts() -> None:
    limits = Policy(total=100, max_retries=2)
    clock = Clock(0.0)
    broken = LLMStreamError("gone", retryable=True)
    played = play(call(policy=limits), [After(30, broken), After(30, broken), OK, *END], clock=clock)
    assert [opened.deadline for opened in played.opens] == [100, 100, 100]


@pytest.mark.parametrize(
    ("replies", "phase", "says", "option"),
    [
        ([TimeLimitPassed("", phase="connect")], "connect", "no connection within 2 s", "--timeout-connect"),
        ([After(60, late())], "first_token", "no first token within 60 s", "--timeout-first"),
        ([OK, After(60, late())], "first_token", "no first token within 60 s", "--timeout-first"),
        ([OK, delta("a"), After(10, late())], "stream", "no data for 10 s", "--timeout-idle"),
    ],
)
def test_a_passed_limit_says_which_one(replies: list[Said], phase: str, says: str, option: str) -> None:
    error = play(call(policy=LIMITS), replies).failure
    assert isinstance(error, TimeLimitPassed)
    assert error.phase == phase
    assert says in error.message
    assert option in error.hint
    assert "acme (acme.test)" in error.message


def test_the_total_limit_is_told_and_is_no_reason_to_try_again() -> None:
    played = play(call(policy=Policy(total=25, max_retries=5)), [OK, After(25, late())])
    assert (played.failure.phase, played.failure.retryable) == ("total", False)
    assert "within 25 s" in played.failure.message
    assert "--timeout-total" in played.failure.hint
    assert len(played.opens) == 1
