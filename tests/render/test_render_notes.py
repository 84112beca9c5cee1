"""What people read on standard error: one short harmless line each, and no colour unasked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import batches, captured, on_terminal, texts

from llmstream.engine.meter import Completion, Latency, Timing
from llmstream.engine.policy import Policy
from llmstream.errors import ConfigError, RequestRefused, StreamBroken
from llmstream.events import Event, Fallback, Finish, Notice, Retry, TextDelta, Usage
from llmstream.prompt import Endpoint, Message, Prompt
from llmstream.render.notes import NotesSink, error_lines, note_line
from llmstream.render.plain import PlainSink
from llmstream.render.progress import progress
from llmstream.render.stats import stats_line
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target

PLAN = Plan(
    [Target("openai-chat", Endpoint("p", "m", "http://127.0.0.1"), policy=Policy(max_retries=2))],
    Prompt((Message("user", "Hello"),)),
)


@given(texts, texts, st.booleans())
def test_an_error_is_lines_without_anything_a_terminal_obeys(message: str, hint: str, color: bool) -> None:
    raw = error_lines(RequestRefused(message, hint=hint), color=color).decode()
    if color:
        for own in ("\x1b[31m", "\x1b[2m", "\x1b[0m"):
            raw = raw.replace(own, "")
    assert raw.startswith("llmstream:")
    assert raw.endswith("\n")
    assert raw.replace("\n", "").isprintable() or "\x1b" not in raw
    assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in raw)


def test_an_error_is_its_message_and_its_hint_below() -> None:
    error = RequestRefused("no \x1b model\nhere", hint="either this\n\nor that")
    assert error_lines(error).decode() == "llmstream: no ␛ model here\n  either this\n  or that\n"
    assert error_lines(RequestRefused("x"), color=True) == b"\x1b[31mllmstream:\x1b[0m x\n"


def test_the_problems_of_a_configuration_are_a_line_each() -> None:
    error = ConfigError("2 problems\nc.toml:1:1: a\x1b\nc.toml:2:1: b")
    assert error_lines(error).decode() == "llmstream: 2 problems\n  c.toml:1:1: a␛\n  c.toml:2:1: b\n"


def test_an_error_of_megabytes_is_short() -> None:
    error = RequestRefused("m" * 10_000_000, hint="h\n" * 100_000)
    assert len(error_lines(error)) < 4000


def notes(runs: list[list[Event]], error: StreamBroken | None = None) -> str:
    """Return what is said about these batches."""
    with captured() as (writer, out):
        sink = NotesSink(writer)
        sink.open(PLAN, 0.0)
        for batch in runs:
            sink.write(batch, 0.0)
        sink.close(error, 0.0)
    return out[0].decode()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Retry(1, 1.5, "503\nbusy"), "retrying in 1.5 s (attempt 2 of 3): 503 busy"),
        (Fallback("p", "m", "x"), "falling back to p/m: x"),
        (Notice("top_k was dropped"), "warning: top_k was dropped"),
        (Finish("length"), "the answer was cut off at the token limit; to raise it: --max-tokens N"),
        (Finish("content_filter"), "the provider's content filter stopped the answer"),
    ],
)
def test_each_event_that_matters_is_one_line(event: Event, said: str) -> None:
    assert notes([[event]]) == f"llmstream: {said}\n"


def test_a_usual_run_says_nothing() -> None:
    assert notes([[TextDelta("a"), Usage(1), Finish("stop")]]) == ""
    assert notes([[Finish("length")]], StreamBroken("cut")) == ""


@given(batches)
def test_notes_bring_no_escape_sequence(runs: list[list[Event]]) -> None:
    assert "\x1b" not in notes(runs)


@pytest.mark.parametrize("newline", [True, False])
def test_a_note_never_cuts_a_line_of_the_answer(newline: bool) -> None:
    with captured() as (writer, out):
        answer = PlainSink(writer, newline=newline, guard=False)
        sink = NotesSink(writer, answer=answer)
        runs: list[list[Event]] = [[TextDelta("a")], [Notice("n")], [TextDelta("b")]]
        for batch in runs:
            answer.write(batch, 0.0)
            sink.write(batch, 0.0)
        answer.close(None, 0.0)
        sink.close(None, 0.0)
    assert out[0] == b"ab\nllmstream: warning: n\n"


def test_colour_only_when_asked() -> None:
    assert note_line("x") == b"llmstream: x\n"
    assert note_line("x", color=True) == b"\x1b[2mllmstream: x\x1b[0m\n"


def test_stats_say_what_is_known() -> None:
    done = Completion(
        "text",
        finish_reason="stop",
        usage=Usage(12, 128, 140, 64, 10, 0.0012),
        timing=Timing(0.3123, 3.2, Latency(), 130, 42.123),
        provider="openai",
        model="gpt\x1b",
    )
    assert stats_line(done).decode() == (
        "openai/gpt␛: TTFT 0.31 s, total 3.20 s, 42.1 tokens/s, 12 tokens in (10 cached), "
        "128 tokens out (64 reasoning), finish stop, cost 0.0012\n"
    )
    assert stats_line(done, color=True).startswith(b"\x1b[2m")


def test_stats_guess_nothing() -> None:
    assert stats_line(Completion("", timing=Timing(total=1.0, chunks=3))) == (
        b"total 1.00 s, tokens not reported, 3 chunks, finish unknown\n"
    )
    assert b" 1 chunk," in stats_line(Completion("", timing=Timing(total=1.0, chunks=1)))


def test_a_download_off_a_terminal_is_one_line() -> None:
    with captured() as (writer, out):
        update, close = progress(writer, "fetching \x1b model", draw=True)
        update(5, 10)
        update(10, None)
        close()
    assert out[0] == "llmstream: fetching ␛ model\n".encode()


def test_a_download_on_a_terminal_is_a_bar_that_gives_the_cursor_back() -> None:
    with on_terminal() as (writer, out):
        update, close = progress(writer, "fetching [red]\x1b[2Jx", draw=True)
        update(5, None)
        update(10, 10)
        close()
    raw = b"".join(out).decode()
    assert "fetching [red]␛[2Jx" in raw
    assert "\x1b[2J" not in raw
    assert raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l")


@given(texts, st.integers(1, 9))
def test_a_retry_is_one_line_of_a_terminal_of_80_columns(reason: str, attempt: int) -> None:
    with captured() as (writer, out):
        sink = NotesSink(writer, width=80)
        sink.write([Retry(attempt, 0.4, f"work (127.0.0.1:80): 503 Service Unavailable: {reason}")], 0.0)
    assert b"".join(out).count(b"\n") == 1 and b"503 Service Unavailable" in out[0]


@given(texts, st.integers(1, 99))
def test_a_retry_is_one_line_that_fits_a_terminal(reason: str, attempt: int) -> None:
    with captured() as (writer, out):
        sink = NotesSink(writer)
        sink.write([Retry(attempt, 12.3, f"work (127.0.0.1:80): 503 Service Unavailable: {reason}")], 0.0)
    line = b"".join(out).decode()
    assert "retrying in 12.3 s" in line and "503 Service Unavailable" in line
    assert line.count("\n") == 1 and len(line) <= 100
