"""One answer: what is asked of a driver, in which order, and when an answer is complete."""

from __future__ import annotations

import pytest

from engine.by_hand import COMMENT, DONE, OK, Clock, call, completions, delta, event, piece, play
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Batch, Close, Head, Open, Prepare, Read, Reply
from llmstream.engine.policy import Policy
from llmstream.errors import BadMessage, RequestRefused, StreamBroken, StreamEndedEarly, TimeLimitPassed
from llmstream.events import Finish, ReasoningDelta, Start, TextDelta, ToolCallDelta, Usage

ONCE = Policy(max_retries=0)
EMOJI = "\U0001f964"
HIGH, LOW = "\ud83e", "\udd64"


def test_an_answer_is_prepared_opened_and_read_to_its_end_mark() -> None:
    played = play(call(), [OK, delta("one "), delta("two"), delta(finish="stop"), DONE, b"never read"])
    assert [type(effect) for effect in played.effects] == [Prepare, Open, Read, Read, Read, Read]
    assert played.events == [Start("acme", "m1"), TextDelta("one "), TextDelta("two"), Finish("stop", "stop")]
    assert played.error is None


def test_the_events_of_one_read_are_one_batch_and_no_batch_is_empty() -> None:
    sizes: list[int] = []

    def count(batch: Batch) -> float:
        sizes.append(len(batch))
        return 0.0

    played = play(
        call(),
        [OK, delta("a") + delta("b") + delta("c"), COMMENT, delta(finish="stop") + DONE],
        consumer=count,
    )
    assert sizes == [1, 3, 1]
    assert played.text == "abc"


def test_the_requests_options_route_and_limits_go_with_the_effect() -> None:
    opened = play(call(policy=Policy(connect=3, first_token=7)), [OK, DONE], clock=Clock(50.0)).opens[0]
    assert opened.request.url == "https://acme.test/v1/chat/completions"
    assert (opened.connect, opened.deadline, opened.route) == (3, 57.0, None)


def test_a_finish_reason_without_an_end_mark_is_complete() -> None:
    assert play(call(), [OK, delta("a", "stop"), b""]).error is None


def test_an_end_mark_without_a_finish_reason_is_complete() -> None:
    played = play(call(), [OK, delta("a") + DONE])
    assert played.error is None
    assert not any(isinstance(found, Finish) for found in played.events)


@pytest.mark.parametrize(
    "fault", [StreamBroken("reset"), TimeLimitPassed("late"), b""], ids=["broken", "late", "ended"]
)
def test_whatever_happens_behind_the_finish_reason_the_answer_is_complete(
    fault: StreamBroken | bytes,
) -> None:
    played = play(call(), [OK, delta("a", "stop"), fault])
    assert (played.error, played.text) == (None, "a")


def test_usage_behind_the_finish_reason_is_waited_for() -> None:
    usage = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}})
    assert play(call(), [OK, delta("a", "stop"), usage, DONE]).events[-1] == Usage(3, 1, 4)


def test_an_end_without_either_is_an_error_behind_all_that_came() -> None:
    played = play(call(policy=ONCE), [OK, delta("half an ans"), b""])
    assert played.text == "half an ans"
    assert isinstance(played.error, StreamEndedEarly)
    assert played.error.phase == "stream"
    assert "acme (acme.test)" in played.error.message


def test_a_broken_connection_is_an_error_behind_all_that_came() -> None:
    played = play(call(policy=ONCE), [OK, delta("half"), StreamBroken("the connection broke: reset")])
    assert played.text == "half"
    assert isinstance(played.error, StreamBroken)
    assert (played.error.phase, played.error.provider) == ("stream", "acme")


def test_good_events_before_a_bad_one_of_the_same_read_are_given_out() -> None:
    played = play(call(), [OK, delta("good ") + delta("news") + b"data: {broken\n\n"])
    assert played.text == "good news"
    assert isinstance(played.error, BadMessage)


def test_a_message_of_another_dialect_is_named_so() -> None:
    played = play(call(policy=ONCE), [OK, event({"choices": [{"delta": {"tool_calls": 7}}]})])
    assert isinstance(played.error, BadMessage)
    assert "tool_calls" in played.error.message


def test_an_error_event_behind_text_is_raised_and_not_tried_again() -> None:
    played = play(
        call(), [OK, delta("a"), event({"error": {"message": "it is over", "type": "server_error"}})]
    )
    assert played.text == "a"
    assert len(played.opens) == 1
    assert "it is over" in played.failure.message


def test_a_whole_answer_is_one_document() -> None:
    document = event({"choices": [{"message": {"content": "all of it"}, "finish_reason": "stop"}]})[6:-2]
    head = Head(200, {"content-type": "application/json"})
    played = play(call(stream=False), [head, document[:20], document[20:], b""])
    assert played.events == [Start("acme", "m1"), TextDelta("all of it"), Finish("stop", "stop")]


def test_a_document_where_a_stream_was_asked_for_is_understood() -> None:
    document = b'{"error": {"message": "the model is asleep", "code": 400}}'
    played = play(call(), [Head(200, {"content-type": "application/json"}), document, b""])
    assert isinstance(played.error, RequestRefused)
    assert "the model is asleep" in played.error.message


@pytest.mark.parametrize("make", [call, completions])
def test_half_characters_are_joined_over_deltas(make: type) -> None:
    one = delta if make is call else piece
    played = play(make(), [OK, one("a" + HIGH), one(LOW + "b", "stop"), DONE])
    assert played.text == f"a{EMOJI}b"
    assert all(found.text.encode() is not None for found in played.events if isinstance(found, TextDelta))


def test_halves_of_text_and_reasoning_are_kept_apart() -> None:
    played = play(call(), [
        OK, delta(None, reasoning_content=HIGH), delta("x" + HIGH), delta(None, reasoning_content=LOW),
        delta(LOW, "stop"), DONE,
    ])  # fmt: skip
    assert (played.text, played.reasoning) == (f"x{EMOJI}", EMOJI)


def test_a_half_that_stays_alone_becomes_a_replacement_character() -> None:
    played = play(call(), [OK, delta("a" + HIGH), delta("b"), delta(HIGH, "stop"), DONE])
    assert played.text == "a\ufffdb\ufffd"


def test_halves_in_a_tool_calls_arguments_are_joined() -> None:
    def called(arguments: str) -> bytes:
        return delta(None, tool_calls=[{"index": 0, "id": "c", "function": {"arguments": arguments}}])

    played = play(call(), [OK, called('{"a": "' + HIGH), called(LOW + '"}'), delta(None, "tool_calls"), DONE])
    pieces = [found.arguments for found in played.events if isinstance(found, ToolCallDelta)]
    assert "".join(pieces) == f'{{"a": "{EMOJI}"}}'


def test_reasoning_is_no_part_of_the_text() -> None:
    played = play(call(), [OK, delta(None, reasoning="hm"), delta("yes", "stop"), DONE])
    assert played.events[1:3] == [ReasoningDelta("hm"), TextDelta("yes")]


def _advanced(stops: int) -> tuple[object, int]:
    """Run an answer with a retry in it for `stops` steps, close it, and return the last step."""
    made = call()
    replies: list[Reply] = [Head(503, {}), b"", OK, delta("a") + delta("b"), delta("c", "stop"), DONE]
    steps = converse([Prepare(lambda: made)], Clock(), lambda: 0.5)
    step: object = next(steps)
    count = 1
    try:
        while count < stops:
            reply: Reply = None
            if isinstance(step, Prepare):
                reply = step.make()
            elif isinstance(step, Open | Read):
                reply = replies.pop(0)
            step = steps.send(reply)
            count += 1
    except StopIteration:
        return None, count
    steps.close()
    return step, count


def test_a_conversation_can_be_closed_at_every_step() -> None:
    seen: list[object] = []
    for stops in range(1, 100):
        step, _ = _advanced(stops)
        if step is None:
            break
        seen.append(type(step))
    assert len(seen) > 12
    assert {Prepare, Open, Read, Close, list} <= set(seen)
