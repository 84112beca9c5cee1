"""What the end of a run says: assembled calls, usage, and timing in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.engine.meter import Histogram, Latency, Meter
from llmstream.events import (
    Event,
    Fallback,
    Finish,
    Notice,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from llmstream.prompt import ToolCall

START = Start("acme", "m1")
STEP = 2 ** (1 / 16)
"""What lies between the bounds of one bucket: 4.4 %."""


def metered(*timed: tuple[float, Sequence[Event]]) -> Meter:
    """Return a meter of a run that began at 100, fed with batches at seconds after that."""
    meter = Meter(100.0)
    for at, batch in timed:
        meter.write([*batch], 100.0 + at)
    return meter


def test_the_first_tokens_time_is_counted_from_the_request_that_brought_it() -> None:
    meter = metered(
        (0, [START]), (5, [START]), (7, [TextDelta("")]), (8, [TextDelta("a")]), (9, [Finish("stop")])
    )
    timing = meter.timing(110.0)
    assert (timing.ttft, timing.total, timing.chunks) == (3.0, 10.0, 2)


def test_thinking_and_tool_calls_are_a_first_token() -> None:
    assert metered((0, [START]), (2, [ReasoningDelta("hm")])).timing(103.0).ttft == 2.0
    assert metered((0, [START]), (2, [ToolCallDelta(0, "c", "f", "")])).timing(103.0).ttft == 2.0


def test_without_a_token_nothing_is_guessed() -> None:
    timing = metered((0, [START])).timing(104.0)
    assert (timing.ttft, timing.itl, timing.output_tokens_per_second) == (None, Latency(), None)


def test_times_between_deltas_begin_with_the_second() -> None:
    meter = metered((0, [START]), (2, [TextDelta("a")]), (2.5, [TextDelta("b")]), (4, [TextDelta("c")]))
    latency = meter.timing(105.0).itl
    assert latency.max == 1.5
    assert latency.p50 is not None
    assert 0.5 / STEP <= latency.p50 <= 0.5 * STEP


def test_what_came_in_one_read_came_at_once() -> None:
    first = metered((0, [START]), (2, [TextDelta("a"), TextDelta("b"), TextDelta("c")]))
    assert first.timing(103.0).itl == Latency(0.0, 0.0, 0.0)
    first.write([TextDelta("d"), TextDelta("e")], 103.0)
    assert first.timing(103.0).itl.max == 1.0


def test_a_rate_needs_the_providers_count() -> None:
    deltas = [(2.0, [TextDelta("a")]), (4.0, [TextDelta("b")])]
    assert metered((0, [START]), *deltas).timing(105.0).output_tokens_per_second is None
    counted = metered((0, [START]), *deltas, (5, [Usage(output_tokens=30)]))
    assert counted.timing(106.0).output_tokens_per_second == 15.0


@settings(deadline=None)
@given(st.lists(st.floats(2e-6, 1000), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 1.0]))
def test_quantiles_are_within_4_percent(durations: list[float], share: float) -> None:
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    exact = sorted(durations)[-(-int(share * 100) * len(durations) // 100) - 1]
    found = histogram.quantile(share)
    assert found is not None
    assert exact / STEP <= found <= exact * STEP
    assert histogram.longest == max(durations)


def test_quantiles_of_nothing_and_of_extremes() -> None:
    histogram = Histogram()
    assert histogram.quantile(0.5) is None
    histogram.add(0.0, 3)
    assert histogram.quantile(0.95) == 0.0
    histogram.add(1e12)
    assert histogram.quantile(1.0) is not None
    assert histogram.longest == 1e12


def test_memory_does_not_grow_with_the_deltas() -> None:
    meter = Meter(0.0, keep_text=False)
    meter.write([START], 0.0)
    for number in range(100):
        meter.write([TextDelta("abc")], number * 0.01)
    tracemalloc.start()
    try:
        for number in range(100, 20_000):
            meter.write([TextDelta("abc")], number * 0.01)
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert meter.chunks == 20_000
    assert meter.text == ""
    # other threads' few objects are counted too; a byte for each delta would be 20,000
    assert grown < 10_000


def test_tool_calls_are_assembled_in_their_order() -> None:
    meter = metered((0, [START]), (1, [
        ToolCallDelta(1, "c1", "g", ""), ToolCallDelta(0, "c0", None, '{"a'), ToolCallDelta(0, None, "f", '": 1}'),
        ToolCallDelta(1, None, None, "{}"), Finish("stop", "stop"),
    ]))  # fmt: skip
    done = meter.completion(102.0)
    assert done.tool_calls == (ToolCall(0, "c0", "f", '{"a": 1}'), ToolCall(1, "c1", "g", "{}"))
    assert (done.finish_reason, done.raw_finish_reason) == ("tool_calls", "stop")


def test_a_completion_holds_all_that_came() -> None:
    meter = metered((0, [START]), (0, [Notice("mind the gap")]), (1, [Fallback("other", "m2", "down")]), (2, [
        ReasoningDelta("h"), ReasoningDelta("m"), TextDelta("a"), TextDelta("b"), Finish("length", "max"),
        Usage(1, 2, 3),
    ]))  # fmt: skip
    done = meter.completion(103.0)
    assert str(done) == done.text == "ab"
    assert (done.reasoning, done.finish_reason, done.usage) == ("hm", "length", Usage(1, 2, 3))
    assert (done.provider, done.model, done.notices) == ("other", "m2", ("mind the gap",))


def test_an_answer_that_never_finished_has_an_unknown_reason() -> None:
    assert metered((0, [START]), (1, [TextDelta("a")])).completion(102.0).finish_reason == "unknown"


def test_a_finished_call_without_arguments_has_an_empty_object_of_them() -> None:
    call = ToolCallDelta(0, "c0", "now", "")
    unfinished = metered((0, [START]), (1, [call])).completion(102.0)
    finished = metered((0, [START]), (1, [call]), (2, [Finish("stop", "stop")])).completion(103.0)
    assert [done.tool_calls[0].arguments for done in (unfinished, finished)] == ["", "{}"]
