"""Thinking on standard error: rows of its own, folded only where nothing above is touched."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import captured

from llmstream.events import Event, ReasoningDelta, TextDelta
from llmstream.render.base import Writer
from llmstream.render.plain import PlainSink
from llmstream.render.thinking import ThinkingSink

batches = st.lists(
    st.lists(st.one_of(st.builds(TextDelta, st.text()), st.builds(ReasoningDelta, st.text())), max_size=3)
)


@contextmanager
def terminal(columns: int) -> Iterator[tuple[Writer, list[bytes]]]:
    """Yield a writer to a terminal, and a list that has what it got at the end."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    got: list[bytes] = []
    try:
        yield Writer(slave), got
    finally:
        os.close(slave)
        parts = []
        try:
            while part := os.read(master, 65536):
                parts.append(part)
        except OSError:
            # Linux answers EIO when the other side is closed and all is read
            pass
        os.close(master)
        got.append(b"".join(parts).replace(b"\r\n", b"\n"))


def thought(columns: int, *texts: str, dim: bool = True) -> str:
    with terminal(columns) as (writer, got):
        answer = PlainSink(writer, guard=True)
        sink = ThinkingSink(writer, dim=dim, guard=True, terminal=True, answer=answer)
        for number, text in enumerate(texts):
            sink.write([ReasoningDelta(text)], 10.0 + number)
        sink.write([TextDelta("yes")], 13.2)
        answer.write([TextDelta("yes")], 13.2)
        sink.close(None, 14.0)
        answer.close(None, 14.0)
    return got[0].decode()


@pytest.mark.parametrize("dim", [True, False])
def test_thinking_and_answer_on_one_terminal_have_lines_of_their_own(dim: bool) -> None:
    def shade(text: str) -> str:
        return f"\x1b[2m{text}\x1b[22m" if dim else text

    with captured() as (writer, out):
        answer = PlainSink(writer, guard=True)
        thinking = ThinkingSink(writer, dim=dim, guard=True, terminal=False, answer=answer)
        runs: list[list[Event]] = [
            [ReasoningDelta("hm"), TextDelta("")],
            [ReasoningDelta("\x1bm")],
            [TextDelta("yes")],
            [ReasoningDelta("no?")],
            [TextDelta("no")],
        ]
        for batch in runs:
            thinking.write(batch, 0.0)
            answer.write(batch, 0.0)
        thinking.close(None, 0.0)
        answer.close(None, 0.0)
    assert out[0].decode() == f"{shade('hm')}{shade('␛m')}\nyes\n{shade('no?')}\nno\n"


@given(batches)
def test_thinking_leaves_no_line_open_and_no_escape_through(runs: list[list[Event]]) -> None:
    with captured() as (writer, out):
        sink = ThinkingSink(writer, dim=False, guard=True, terminal=False)
        for batch in runs:
            sink.write(batch, 0.0)
        sink.close(None, 0.0)
    assert b"\x1b" not in out[0]
    assert not out[0] or out[0].endswith(b"\n")


def test_thinking_on_one_row_is_folded_into_how_long_it_took() -> None:
    assert thought(40, "hm, ", "so\n\n").endswith("\r\x1b[K\x1b[2mthought for 3.2 s\x1b[22m\nyes\n")


@pytest.mark.parametrize("text", ["two\nrows", "x" * 40, "\U0001f469\u200d\U0001f4bb", "a\tb"])
def test_thinking_that_may_stand_on_more_than_the_open_row_stays(text: str) -> None:
    assert thought(40, text) == f"\x1b[2m{text}\x1b[22m\nyes\n"


def test_newlines_around_thinking_make_no_blank_rows() -> None:
    assert thought(40, "\n", "a\nb", "\n\n") == "\x1b[2ma\nb\x1b[22m\nyes\n"


def test_without_colours_thinking_is_marked_where_it_begins_and_ends() -> None:
    assert thought(40, "a\nb", dim=False) == "[thinking] a\nb [end of thinking]\nyes\n"
    assert thought(40, "a", dim=False).endswith("\r\x1b[Kthought for 3.2 s\nyes\n")
