"""What is tried again, when, and after which wait: only while nothing was given out."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.by_hand import DONE, OK, After, Clock, Said, call, completions, delta, event, piece, play, refusal
from llmstream.engine.effects import Close, Open, Prepare, Read, Sleep
from llmstream.engine.policy import FIRST_PAUSE, LONGEST_OBEYED, LONGEST_PAUSE, Policy, pause
from llmstream.errors import ConnectionFailed, StreamBroken, TimeLimitPassed, Unavailable
from llmstream.events import Retry, Start

GOOD: list[Said] = [OK, delta("a", "stop"), DONE]


@pytest.mark.parametrize(
    "replies",
    [
        [ConnectionFailed("no connection")],
        [TimeLimitPassed("", phase="connect")],
        [OK, StreamBroken("reset")],
        [OK, b""],
        [OK, event({"error": {"message": "busy", "type": "overloaded_error"}})],
        [OK, event({"error": {"message": "busy", "code": 503}})],
        *(refusal(status) for status in (408, 409, 425, 429, 500, 502, 503, 504, 529)),
    ],
    ids=str,
)
def test_what_may_pass_by_itself_is_tried_again(replies: list[Said]) -> None:
    played = play(call(), [*replies, *GOOD])
    assert (played.text, played.error) == ("a", None)
    assert len(played.opens) == 2


@pytest.mark.parametrize(
    "replies",
    [
        [ConnectionFailed("no TLS connection", retryable=False)],
        [OK, b"data: nonsense\n\n"],
        [OK, event({"error": {"message": "such a model there is not", "code": 404}})],
        refusal(503, headers={"x-should-retry": "false"}),
        *(refusal(status) for status in (301, 307, 400, 401, 402, 403, 404, 413, 422)),
    ],
    ids=str,
)
def test_what_would_fail_again_is_not_tried_again(replies: list[Said]) -> None:
    played = play(call(), [*replies, *GOOD])
    assert played.error is not None
    assert len(played.opens) == 1
    assert played.waits == []


@pytest.mark.parametrize(
    "first", [delta("a"), delta(None, reasoning="hm"), delta(None, tool_calls=[{"index": 0}])]
)
def test_nothing_is_tried_again_once_a_delta_was_given_out(first: bytes) -> None:
    played = play(call(), [OK, first, StreamBroken("reset"), *GOOD])
    assert isinstance(played.error, StreamBroken)
    assert len(played.opens) == 1


def test_an_empty_delta_was_given_out_too() -> None:
    played = play(completions(), [OK, piece(""), StreamBroken("reset"), OK, piece("a", "stop"), DONE])
    assert isinstance(played.error, StreamBroken)
    assert len(played.opens) == 1


def test_a_retry_closes_tells_waits_and_opens_again() -> None:
    played = play(call(), [*refusal(503, "busy"), *GOOD])
    kinds = [type(effect) for effect in played.effects]
    assert kinds == [Prepare, Open, Read, Read, Close, Sleep, Open, Read, Read]
    assert played.events[:3] == [
        Start("acme", "m1"), Retry(1, 0.5, "acme (acme.test): 503 Service Unavailable: busy"),
        Start("acme", "m1"),
    ]  # fmt: skip


@pytest.mark.parametrize("most", [0, 1, 3])
def test_there_are_as_many_retries_as_the_policy_says(most: int) -> None:
    played = play(call(policy=Policy(max_retries=most)), refusal(503) * 9)
    assert len(played.opens) == most + 1
    assert isinstance(played.error, Unavailable)
    assert [found.attempt for found in played.events if isinstance(found, Retry)] == [*range(1, most + 1)]


def test_waits_double() -> None:
    assert play(call(policy=Policy(max_retries=6)), refusal(503) * 9).waits == [0.5, 1, 2, 4, 8, 8]


@settings(deadline=None)
@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True))
def test_jitter_moves_a_wait_by_a_quarter_at_most(attempt: int, jitter: float) -> None:
    base = min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
    found = pause(attempt, None, jitter)
    assert found is not None
    assert base * 0.75 <= found <= base * 1.25


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": formatdate(1_000_020, usegmt=True), "date": formatdate(1_000_000, usegmt=True)}, 20),
        ({"retry-after": f"{LONGEST_OBEYED:g}"}, LONGEST_OBEYED),
        ({"retry-after": "0"}, 0.5),
        ({"retry-after": "-5"}, 0.5),
        ({"retry-after": "soon"}, 0.5),
        ({"retry-after": "nan"}, 0.5),
        (
            {"retry-after": formatdate(1_000_000, usegmt=True), "date": formatdate(1_000_020, usegmt=True)},
            0.5,
        ),
    ],
    ids=str,
)
def test_the_wait_is_what_the_server_asks_for(headers: dict[str, str], wait: float) -> None:
    assert play(call(), [*refusal(429, headers=headers), *GOOD]).waits == [wait]


def test_googles_wait_stands_in_the_body() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]
    body = event({"error": {"message": "quota", "details": details}})[6:-2]  # type: ignore[dict-item]  # JSON
    refused = refusal(429)
    assert play(call(), [refused[0], body, b"", *GOOD]).waits == [7]


def test_an_hour_is_not_waited_but_told() -> None:
    played = play(call(), [*refusal(429, headers={"retry-after": "3600"}), *GOOD])
    assert played.waits == []
    assert isinstance(played.error, Unavailable)
    assert "asks to wait 3600 s" in played.error.message
    assert "later" in played.error.hint


def test_a_wait_that_would_pass_the_total_limit_is_not_begun() -> None:
    clock = Clock(0.0)
    played = play(call(policy=Policy(total=10)), [After(8, ConnectionFailed("x")), *GOOD], clock=clock)
    assert played.waits == [0.5]
    played = play(call(policy=Policy(total=10)), [After(9.6, ConnectionFailed("x")), *GOOD], clock=clock)
    assert played.waits == []
    assert isinstance(played.error, ConnectionFailed)
