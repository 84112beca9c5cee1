"""The plain answer: exact bytes, and the newline rules."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import batches, captured, datagrams, texts

from llmstream.errors import LLMStreamError, StreamBroken
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta
from llmstream.render.base import encode
from llmstream.render.plain import PlainSink


def plain(
    runs: list[list[Event]],
    *,
    separator: str = "",
    newline: bool = True,
    guard: bool = False,
    error: LLMStreamError | None = None,
) -> bytes:
    """Return what a sink writes for these batches."""
    with captured() as (writer, out):
        sink = PlainSink(writer, separator=separator, newline=newline, guard=guard)
        for batch in runs:
            sink.write(batch, 0.0)
        sink.close(error, 0.0)
    return out[0]


def printed(chunks: list[str], separator: str) -> bytes:
    """Return the bytes that Python's print gives for these chunks."""
    stream = io.StringIO()
    for chunk in chunks:
        print(chunk, end=separator, flush=True, file=stream)
    return encode(stream.getvalue())


@given(batches, st.sampled_from(["", "|", "\n", "é"]))
def test_a_pipe_gets_the_bytes_that_print_gives(runs: list[list[Event]], separator: str) -> None:
    chunks = [event.text for batch in runs for event in batch if isinstance(event, TextDelta)]
    want = printed(chunks, separator)
    assert plain(runs, separator=separator, newline=False) == want
    assert plain(runs, separator=separator) == want + (b"" if not want or want.endswith(b"\n") else b"\n")


@given(st.lists(texts, max_size=6))
def test_a_guarded_answer_does_not_depend_on_the_batches(chunks: list[str]) -> None:
    deltas: list[Event] = [TextDelta(chunk) for chunk in chunks]
    assert plain([deltas], guard=True) == plain([[delta] for delta in deltas], guard=True)


@pytest.mark.parametrize(
    ("chunks", "separator", "newline", "want"),
    [
        ([], "", True, b""),
        ([""], "", True, b""),
        (["a"], "", True, b"a\n"),
        (["a\n"], "", True, b"a\n"),
        (["a", ""], "|", True, b"a||\n"),
        (["a", ""], "|", False, b"a||"),
        ([""], "|", True, b"|\n"),
        (["a"], "\n", True, b"a\n"),
    ],
)
def test_the_final_newline(chunks: list[str], separator: str, newline: bool, want: bytes) -> None:
    for error in (None, StreamBroken("cut")):
        runs: list[list[Event]] = [[TextDelta(chunk)] for chunk in chunks]
        assert plain(runs, separator=separator, newline=newline, error=error) == want


def test_separators_are_the_users_own_and_pass_the_guard() -> None:
    assert plain([[TextDelta("a\x1b"), TextDelta("b\r")]], separator="\x1b[0m", guard=True) == (
        "a␛\x1b[0mb\x1b[0m␍\n".encode()
    )


def test_one_batch_is_one_write() -> None:
    with datagrams() as (writer, received):
        sink = PlainSink(writer, guard=False)
        sink.write([TextDelta("a"), ReasoningDelta("-"), TextDelta("b"), Finish("stop")], 0.0)
        sink.write([TextDelta("c")], 0.0)
        assert received.recv(100) == b"ab"
        assert received.recv(100) == b"c"


def test_a_sink_knows_whether_its_line_has_ended() -> None:
    with captured() as (writer, _):
        sink = PlainSink(writer, newline=False, guard=False)
        states = [sink.ended_with_newline]
        for text in ("a", "\n", "b"):
            sink.write([TextDelta(text)], 0.0)
            states.append(sink.ended_with_newline)
        sink.close(None, 0.0)
        states.append(sink.ended_with_newline)
    assert states == [True, False, True, False, False]
