"""Inputs that the renderers' tests share: places to write to, texts that hurt, and any run of events."""

from __future__ import annotations

import os
import socket
import tempfile
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hypothesis import strategies as st

from llmstream.events import (
    Event,
    Fallback,
    Finish,
    Notice,
    ReasoningDelta,
    Retry,
    Start,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from llmstream.render.base import Writer

HOSTILE = (
    "\x1b]0;title\x07", "\x1b[2J", "\x1b", "]52;c;cm0g", "\x9b2J", "\x9d", "\r", "\r\n", "\n", "\t", "\x00",
    "\x08", "\x7f", "\x85", "\u202e", "\u2066", "\u2069", "\u200d", "\u200f", "\ufff9", "\ud83d", "\udc80",
    "\U0001f3f4", "\U000e0067\U000e0062", "\U000e007f", "\U000e0001", "e\u0301", "\u2028",
    "\u2029", "日本", "",
)  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=5)), max_size=6).map("".join)
counts = st.none() | st.integers(0, 10**6)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(TextDelta, texts),
    st.builds(TextDelta, texts),
    st.builds(ReasoningDelta, texts),
    st.builds(ToolCallDelta, st.integers(0, 3), st.none() | texts, st.none() | texts, texts),
    st.builds(Usage, counts, counts, counts, counts, counts, st.none() | st.floats(0, 1e6)),
    st.builds(Finish, st.sampled_from(["stop", "length", "tool_calls", "unknown"]), st.none() | texts),
    st.builds(Retry, st.integers(1, 9), st.floats(0, 1e3), texts),
    st.builds(Fallback, texts, texts, texts),
    st.builds(Notice, texts),
    st.builds(Start, texts, texts),
)
batches = st.lists(st.lists(events, max_size=6), max_size=6)


@contextmanager
def captured() -> Iterator[tuple[Writer, list[bytes]]]:
    """Give a writer to a file, and a list that holds what was written once the block has ended."""
    collected: list[bytes] = []
    with tempfile.TemporaryFile(buffering=0) as file:
        yield Writer(file.fileno()), collected
        file.seek(0)
        collected.append(file.read())


@contextmanager
def datagrams() -> Iterator[tuple[Writer, socket.socket]]:
    """Give a writer, and a socket that receives each of its writes by itself."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        yield Writer(near.fileno()), far


@contextmanager
def on_terminal() -> Iterator[tuple[Writer, list[bytes]]]:
    """Give a writer to a terminal, and a list that holds what it was sent once the block has ended.

    The terminal holds some 4 KiB unread; more would block.
    """
    master, slave = os.openpty()
    tty.setraw(slave)
    collected: list[bytes] = []
    try:
        yield Writer(slave), collected
    finally:
        os.close(slave)
        # Linux answers EIO when all was read and no one has the other side open
        with suppress(OSError):
            while data := os.read(master, 1 << 16):
                collected.append(data)
        os.close(master)
