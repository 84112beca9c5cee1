"""Answers put back into the input's order, in bounded memory."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.jobs import ordered
from llmstream.jobs.ordered import Ordered


@settings(deadline=None)
@given(st.permutations(list(range(12))), st.sampled_from([0, 40, 10**6]))
def test_lines_come_in_the_order_in_which_they_were_announced(ends: list[int], memory: int) -> None:
    bound, ordered.IN_MEMORY = ordered.IN_MEMORY, memory  # type: ignore[misc]
    try:
        written: list[bytes] = []
        order = Ordered(written.append)
        for number in range(12):
            order.expect(number)
        for place, number in enumerate(ends, 1):
            order.put(number, b"%d" % number * (number + 1))
            done = set(ends[:place])
            assert len(written) == next((n for n in range(12) if n not in done), 12)
        order.close()
    finally:
        ordered.IN_MEMORY = bound  # type: ignore[misc]
    assert written == [b"%d" % number * (number + 1) for number in range(12)]


def test_what_waits_for_something_that_never_comes_is_written_at_the_end() -> None:
    written: list[bytes] = []
    order = Ordered(written.append)
    for number in range(4):
        order.expect(number)
    for number in (3, 1):
        order.put(number, b"%d" % number)
    order.close()
    assert written == [b"1", b"3"]
