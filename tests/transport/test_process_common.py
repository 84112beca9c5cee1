"""Deadlines and tails, without any process."""

from __future__ import annotations

import pytest

from llmstream.errors import TimeLimitPassed
from llmstream.transport.patience import STANDSTILL, TICK, Patience
from llmstream.transport.process.common import TAIL, Tail, exit_error


def test_time_in_which_we_stood_still_does_not_count() -> None:
    patience = Patience(100.0)
    assert patience.slice(99.0) == TICK
    # stopped for an hour in that slice: the rest of the time is there as before
    assert patience.slice(99.0 + TICK + 3600) == pytest.approx(1 - TICK)
    with pytest.raises(TimeLimitPassed):
        patience.slice(3700.0 + STANDSTILL / 2)


def test_the_tail_is_bounded_and_exact() -> None:
    tail = Tail()
    text = bytes(range(256)) * 64
    for at in range(0, len(text), 7):
        tail.add(text[at : at + 7])
    assert tail.bytes() == text[-TAIL:]


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert "signal 37" in exit_error("p", -37, b"").message
    assert "SIGKILL" in exit_error("p", -9, b"").message
