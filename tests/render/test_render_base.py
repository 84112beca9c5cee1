"""The writer on every kind of descriptor, and the tee."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import pytest

from llmstream.errors import LLMStreamError, StreamBroken
from llmstream.events import Event
from llmstream.render.base import OutputError, ReaderGone, Sink, Tee, Writer, encode

BIG = bytes(range(256)) * 8192


def drain(fd: int, into: list[bytes]) -> threading.Thread:
    """Start to read all of `fd` in a thread."""

    def read() -> None:
        while data := os.read(fd, 1000):
            into.append(data)

    thread = threading.Thread(target=read)
    thread.start()
    return thread


@pytest.mark.parametrize("blocking", [True, False])
def test_more_than_a_pipe_holds_arrives_whole(blocking: bool) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    arrived: list[bytes] = []
    thread = drain(reading, arrived)
    writer = Writer(writing)
    writer.write(b"first ")
    writer.write(BIG)
    os.close(writing)
    thread.join()
    os.close(reading)
    assert b"".join(arrived) == b"first " + BIG


def test_a_closed_reader_is_told_once_then_output_is_dropped() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = Writer(writing)
    with pytest.raises(ReaderGone):
        writer.write(b"x")
    writer.write(b"y")
    os.close(writing)
    assert writer.broken


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_named_with_its_remedy() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OutputError, match=r"can't write to standard output: No space left") as caught:
        Writer(full).write(b"x")
    os.close(full)
    assert caught.value.phase == "output"
    assert "space" in caught.value.hint


def test_a_closed_descriptor_is_an_output_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    writer = Writer(writing)
    assert not writer.isatty
    with pytest.raises(OutputError, match="is closed"):
        writer.write(b"x")


def test_a_closed_terminal_is_a_reader_that_went() -> None:
    master, slave = os.openpty()
    writer = Writer(slave)
    os.close(master)
    with pytest.raises(ReaderGone):
        writer.write(b"x")
    os.close(slave)


def test_an_interrupted_write_goes_on_where_it_stopped() -> None:
    class Stopped(Exception):
        pass

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    reading, writing = os.pipe()
    writer = Writer(writing)
    arrived: list[bytes] = []
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Stopped):
            writer.write(BIG)  # nobody reads: it blocks when the pipe is full
    finally:
        signal.signal(signal.SIGALRM, before)
    thread = drain(reading, arrived)
    writer.write(b" end")
    os.close(writing)
    thread.join()
    os.close(reading)
    assert b"".join(arrived) == BIG + b" end"


@pytest.mark.parametrize("blocking", [True, False])
def test_a_hurried_writer_leaves_a_reader_that_does_not_read(blocking: bool) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    writer = Writer(writing)
    writer.hurry(0.05)
    writer.write(BIG)
    assert writer.broken
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        assert BIG.startswith(stream.read())


def test_lone_surrogates_are_written_as_replacement_characters() -> None:
    assert encode("a\ud83d b é") == "a\ufffd b é".encode()


class Recorder(Sink):
    """A sink that notes its calls and fails where told to."""

    def __init__(self, log: list[str], name: str, failure: LLMStreamError | OSError | None = None) -> None:
        self.log, self.name, self.failure = log, name, failure

    def write(self, batch: list[Event], at: float) -> None:
        self.log.append(f"{self.name} {len(batch)} {at}")

    def close(self, error: LLMStreamError | None, now: float) -> None:
        self.log.append(f"{self.name} {error} {now}")
        if self.failure:
            raise self.failure


def test_a_tee_feeds_in_order_and_closes_all_even_after_a_failure() -> None:
    log: list[str] = []
    tee = Tee([Recorder(log, "a", ReaderGone()), Recorder(log, "b", OutputError("x")), Recorder(log, "c")])
    tee.write([], 1.0)
    with pytest.raises(ReaderGone):
        tee.close(StreamBroken("cut"), 2.0)
    assert log == ["a 0 1.0", "b 0 1.0", "c 0 1.0", "a cut 2.0", "b cut 2.0", "c cut 2.0"]
