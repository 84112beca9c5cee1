"""What takes the place of a call that failed: the same request revised, or another model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.by_hand import DONE, OK, After, Clock, Said, call, completions, delta, piece, play, refusal
from llmstream.adapters.anthropic import Anthropic
from llmstream.engine.effects import Open, Prepare
from llmstream.engine.policy import Policy
from llmstream.errors import (
    AuthenticationError,
    Cancelled,
    ConnectionFailed,
    LLMStreamError,
    MissingKey,
    RequestRefused,
    StreamBroken,
    TimeLimitPassed,
)
from llmstream.events import Fallback, Notice, Retry, Start
from llmstream.prompt import Message, Options, Prompt, ToolCall
from llmstream.record import replace

GOOD: list[Said] = [OK, delta("a", "stop"), DONE]
ONCE = Policy(max_retries=0)
OTHER = call(provider="other", policy=ONCE)
STREAM_OPTIONS = "Unrecognized request argument supplied: stream_options"
MAX_TOKENS = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."


def sent(effect: Open) -> Any:
    return json.loads(effect.request.body)


def test_another_model_takes_over_before_the_first_token() -> None:
    played = play([call(), OTHER], [*refusal(401, "who are you?"), *GOOD])
    assert played.text == "a"
    assert [opened.request.url.split("/")[2] for opened in played.opens] == ["acme.test", "other.test"]
    told = Fallback("other", "m1", "acme (acme.test): 401 Unauthorized: who are you?")
    assert played.events[:3] == [Start("acme", "m1"), told, Start("other", "m1")]


def test_a_call_is_retried_before_its_fallback_is_asked() -> None:
    played = play([call(policy=Policy(max_retries=1)), OTHER], [*refusal(503), *refusal(503), *GOOD])
    assert [type(found) for found in played.events][:5] == [Start, Retry, Start, Fallback, Start]


@pytest.mark.parametrize("first", [delta("a"), delta(None, reasoning="hm"), delta(None, tool_calls=[{}])])
def test_none_takes_over_once_a_delta_was_given_out(first: bytes) -> None:
    played = play([call(), OTHER], [OK, first, StreamBroken("reset"), *GOOD])
    assert isinstance(played.error, StreamBroken)
    assert len(played.opens) == 1


def test_a_call_that_can_not_be_made_ready_is_passed_over() -> None:
    played = play([MissingKey("no key for acme"), OTHER], GOOD)
    assert played.events[0] == Fallback("other", "m1", "no key for acme")
    assert played.text == "a"


def test_a_fallback_is_made_ready_only_when_it_is_needed() -> None:
    played = play([call(), MissingKey("no key for other")], GOOD)
    assert played.error is None
    assert sum(isinstance(effect, Prepare) for effect in played.effects) == 1


def test_when_all_fail_the_last_ones_error_is_raised() -> None:
    played = play([call(), OTHER], [*refusal(401), *refusal(404, "no such model")])
    assert isinstance(played.error, RequestRefused)
    assert played.error.provider == "other"


def test_a_run_that_its_caller_stopped_goes_nowhere_else() -> None:
    played = play([call(), OTHER], [Cancelled("stopped"), *GOOD])
    assert isinstance(played.error, Cancelled)
    assert len(played.opens) == 1


def test_a_run_whose_time_is_over_goes_nowhere_else() -> None:
    limits = Policy(total=25, max_retries=0)
    played = play([call(policy=limits), OTHER], [OK, After(25, TimeLimitPassed("late")), *GOOD])
    assert played.failure.phase == "total"
    assert "within 25 s" in played.failure.message
    assert len(played.opens) == 1


def test_the_total_limit_is_one_for_all_models() -> None:
    limits = Policy(total=25, max_retries=0)
    replies = [After(5, ConnectionFailed("no")), *GOOD]
    played = play([call(policy=limits), OTHER], replies, clock=Clock(0.0))
    assert [opened.deadline for opened in played.opens] == [25, 25]


@pytest.mark.parametrize("dialect", ["chat", "completions"])
def test_a_server_that_refuses_stream_options_is_asked_without(dialect: str) -> None:
    made = call() if dialect == "chat" else completions()
    good = GOOD if dialect == "chat" else [OK, piece("a", "stop"), DONE]
    played = play(made, [*refusal(400, STREAM_OPTIONS), *good])
    assert ["stream_options" in sent(opened) for opened in played.opens] == [True, False]
    assert (played.text, played.waits) == ("a", [])
    assert not any(isinstance(found, Retry) for found in played.events)


def test_a_model_that_wants_the_newer_name_of_max_tokens_gets_it() -> None:
    played = play(call(options=Options(max_tokens=9)), [*refusal(400, MAX_TOKENS), *GOOD])
    first, second = map(sent, played.opens)
    assert (first["max_tokens"], second["max_completion_tokens"]) == (9, 9)
    assert "max_tokens" not in second
    assert played.opens[1].request.headers == played.opens[0].request.headers


@pytest.mark.parametrize(
    "says",
    [
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index 1",
        "Missing `reasoning_content` field in the assistant message at message index 1.",
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
    ],
)
def test_a_model_that_wants_its_thinking_back_gets_it(says: str) -> None:
    asked = ToolCall(0, "c1", "weather", "{}")
    messages = (
        Message("user", "hello"),
        Message("assistant", "", tool_calls=(asked,), reasoning="it wants the weather"),
        Message("tool", "rain", tool_call_id="c1"),
        Message("assistant", "It rains."),
        Message("user", "and now?"),
    )
    made = replace(call(), prompt=Prompt(messages))
    played = play(made, [*refusal(400, says), *GOOD])
    first, second = ([m.get("reasoning_content") for m in sent(o)["messages"]] for o in played.opens)
    assert first == [None] * 5
    # an empty text is rejected where the thinking isn't known
    assert second == [None, "it wants the weather", None, " ", None]
    assert played.text == "a" and played.waits == []
    played = play(call(), [*refusal(400, says), *GOOD])
    assert len(played.opens) == 1 and isinstance(played.error, RequestRefused)


def test_a_request_is_revised_once() -> None:
    played = play(
        call(options=Options(max_tokens=9)), [*refusal(400, MAX_TOKENS), *refusal(400, STREAM_OPTIONS)]
    )
    assert isinstance(played.error, RequestRefused)
    assert len(played.opens) == 2


def test_a_revised_request_is_retried_as_often_as_any() -> None:
    replies = [*refusal(400, STREAM_OPTIONS), *refusal(503), *refusal(503), *GOOD]
    played = play(call(policy=Policy(max_retries=2)), replies)
    assert played.text == "a"
    assert ["stream_options" in sent(opened) for opened in played.opens] == [True, False, False, False]


def test_what_a_revision_leaves_out_is_said_once() -> None:
    thoughtless = call(Anthropic(), options=Options(reasoning_effort="none", seed=7))
    refused = refusal(400, "thinking: 'disabled' is not supported")
    played = play(thoughtless, [*refused, *refused])
    notices = [event.message for event in played.events if isinstance(event, Notice)]
    assert len(notices) == len(set(notices)) == 2
    assert ("seed" in notices[0], "always thinks" in notices[1]) == (True, True)
    assert "thinking" not in sent(played.opens[1])


@pytest.mark.parametrize("error", [AuthenticationError("no", status=401), LLMStreamError(STREAM_OPTIONS)])
def test_other_failures_revise_nothing(error: LLMStreamError) -> None:
    played = play(call(policy=ONCE), [error, *GOOD])
    assert len(played.opens) == 1
