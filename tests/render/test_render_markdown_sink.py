"""The Markdown answer and the waiting sign on a real terminal."""

from __future__ import annotations

import os
import termios
from pathlib import Path

import pytest
from markdown_rows import bare
from render_samples import captured, datagrams, on_terminal

from llmstream.events import Event, TextDelta, Usage
from llmstream.prompt import Endpoint, Message, Prompt
from llmstream.render import waiting
from llmstream.render.markdown.sink import MarkdownSink, colours_of, theme_of
from llmstream.render.waiting import ERASE, WaitingSink
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target


def shown(*texts: str, newline: bool = True) -> bytes:
    """Return what a terminal gets for an answer in these parts."""
    with on_terminal() as (writer, got):
        sink = MarkdownSink(writer, newline=newline)
        for text in texts:
            sink.write([TextDelta(text)], 0.0)
        sink.close(None, 0.0)
    return b"".join(got)


def test_an_answer_is_shown_as_markdown() -> None:
    assert shown("# T", "\n\n- a **b", "**") == b"\x1b[1;4;35mT\x1b[0m\n\n\xe2\x80\xa2 a \x1b[1mb\x1b[0m\n"


def test_without_a_newline_the_last_row_stays_open() -> None:
    assert shown("a *b*", newline=False) == b"a \x1b[3mb\x1b[0m"


def test_an_answer_of_nothing_writes_nothing() -> None:
    assert shown() == shown("") == b""


def test_control_sequences_of_the_model_are_only_shown() -> None:
    made = shown("a \x1b", "[2Jb `\x1b]0;x\x07` [t](https://e.org/\x1b[2J)\r\n\u202ex").decode()
    assert "\u241b[2Jb" in bare(made)
    assert "<U+202E>x" in bare(made)


def test_what_is_written_between_starts_on_a_fresh_row() -> None:
    with on_terminal() as (writer, got):
        sink = MarkdownSink(writer)
        assert sink.ended_with_newline
        sink.write([TextDelta("some words")], 0.0)
        assert not sink.ended_with_newline
        sink.end_row()
        assert sink.ended_with_newline
        sink.write([TextDelta(" go on")], 0.0)
        sink.close(None, 0.0)
    assert b"".join(got) == b"some\nwords go on\n"


@pytest.mark.parametrize(
    ("variables", "wanted", "theme"),
    [
        ({}, None, ""),
        ({"COLORFGBG": "15;0"}, None, "monokai"),
        ({"COLORFGBG": "0;default;15"}, None, "default"),
        ({"COLORFGBG": "0;default"}, None, ""),
        ({"COLORFGBG": "15;0"}, "vim", "vim"),
    ],
)
def test_the_theme_suits_the_background(variables: dict[str, str], wanted: str | None, theme: str) -> None:
    assert theme_of(variables, wanted) == theme


def test_as_many_colours_as_the_terminal_has() -> None:
    assert colours_of({"TERM": "xterm-256color"}, allowed=True) == 256
    assert colours_of({"TERM": "xterm", "COLORTERM": "truecolor"}, allowed=True) == 256
    assert colours_of({"TERM": "xterm"}, allowed=True) == 16
    assert colours_of({"TERM": "xterm-256color"}, allowed=False) == 0


PLAN = Plan(
    [Target("openai-chat", Endpoint("p", "m", "http://127.0.0.1"))], Prompt((Message("user", "Hello"),))
)


@pytest.mark.parametrize("event", [TextDelta("x"), None])
def test_the_waiting_sign_leaves_no_trace(event: Event | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    with datagrams() as (writer, terminal):
        sink = WaitingSink(writer, dim=True)
        sink.open(PLAN, 0.0)
        assert terminal.recv(100) == b"\r\x1b[2mwaiting\x1b[22m"
        sink.write([Usage()], 0.0)
        if event:
            sink.write([event], 0.0)
        sink.close(None, 0.0)
        assert terminal.recv(100) == ERASE
        terminal.setblocking(False)
        with pytest.raises(BlockingIOError):
            terminal.recv(100)


def test_an_answer_that_comes_at_once_has_no_waiting_sign() -> None:
    with on_terminal() as (writer, got):
        sink = WaitingSink(writer, dim=True)
        sink.open(PLAN, 0.0)
        sink.write([TextDelta("x")], 0.0)
        sink.close(None, 0.0)
    assert b"".join(got) == b""


def test_nothing_of_markdown_is_loaded_for_a_pipe(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, llmstream.cli.app, llmstream.cli.running.outputs; print('llmstream.render.markdown.sink' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=dict(os.environ))
    assert made.stdout.strip() == b"False"


def test_a_return_at_the_end_of_a_piece_waits_for_its_newline() -> None:
    assert shown("a\r", "\n\r", "\nb") == b"a\n\nb\n"
    assert shown("a", "\r").decode() == "a\u240d\n"


def test_a_window_that_changes_its_size_is_noticed_and_one_that_is_gone_is_eighty_wide() -> None:
    with on_terminal() as (writer, got):
        sink = MarkdownSink(writer)
        sink.end_row()
        termios.tcsetwinsize(writer.fd, (24, 40))
        sink.write([TextDelta("word " * 6)], 0.0)
        termios.tcsetwinsize(writer.fd, (24, 20))
        sink.write([TextDelta("word " * 9)], 1.0)
        sink.close(None, 2.0)
    assert max(len(bare(row)) for row in b"".join(got).decode().split("\n")[1:]) < 20
    with captured() as (writer, got):
        sink = MarkdownSink(writer)
        sink.write([TextDelta("word " * 30)], 0.0)
        sink.close(None, 0.0)
    assert 70 < max(map(len, bare(got[0].decode()).split("\n"))) < 80
