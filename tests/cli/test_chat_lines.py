"""How a chat reads what is typed: with prompt_toolkit, with readline, as it comes, or through a pipe."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from fakes.desk import at_screen
from fakes.fixtures import Fake
from fakes.scenarios import VERSE
from llmstream.cli.chat.slash import completed
from llmstream.cli.chat.typed import MOST, NAME, TypedLines, forget
from llmstream.errors import Cancelled

ANSWER = "".join(VERSE)
UP = "\x1b[A"


def said(fake: Fake) -> list[str]:
    """Return the last message of each request."""
    return [request["body"]["messages"][-1]["content"] for request in fake.provider.log()]


def test_ctrl_c_throws_a_line_away_and_the_chat_goes_on(fake: Fake) -> None:
    fake("ok")
    run = at_screen(fake.command, "chat", "--no-md", typed="one\rwrong\x03two\r/exit\r")
    assert run.status == 0
    assert said(fake) == ["one", "two"]


def test_ctrl_z_is_for_the_shell_and_no_part_of_the_line(fake: Fake) -> None:
    fake("ok")
    # no shell watches this terminal, so that the line goes on at once
    terminal = fake.command.on_terminal("chat", "--no-md", env={"TERM": "vt100"})
    terminal.wait_for(">")
    terminal.type("hel\x1alo\r/exit\r")
    assert terminal.finish().status == 0
    assert said(fake) == ["hello"]


def test_tab_completes_a_command(fake: Fake) -> None:
    fake("ok")
    run = at_screen(fake.command, "chat", typed="/st\t", then=("ats", "\r\x04"))
    assert run.status == 0
    assert "this chat: 0 answers" in run.out


def test_a_pasted_text_of_several_lines_is_one_turn(fake: Fake) -> None:
    fake("ok")
    run = at_screen(fake.command, "chat", typed="\x1b[200~/one\ntwo\x1b[201~\r\x04", out=False)
    assert run.out == f"{ANSWER}\n"
    assert said(fake) == ["/one\ntwo"]


@pytest.mark.parametrize("kind", ["vt100", "dumb"])
def test_neither_a_locale_nor_a_byte_that_is_no_text_ends_a_chat(fake: Fake, kind: str) -> None:
    fake("ok")
    folder = fake.home.folder / "hidden"
    folder.mkdir()
    folder.joinpath("prompt_toolkit.py").write_text("raise ImportError\n", "utf-8")
    variables = {"PYTHONPATH": str(folder), "TERM": kind, "LC_ALL": "C"}
    for _ in range(2):  # the second time the lines of the first one are there
        terminal = fake.command.on_terminal("chat", "--no-md", env=variables)
        terminal.wait_for("> ")
        terminal.type("été 世\r")
        terminal.wait_for("🥤!")
        terminal.type(b"a\xe9b\r/exit\r")
        assert terminal.process.wait(60) == 0
    assert said(fake)[0] == "été 世" and len(said(fake)) == 4


def test_without_prompt_toolkit_a_pasted_text_is_one_turn_too(fake: Fake) -> None:
    if "libedit" in (pytest.importorskip("readline").__doc__ or ""):
        pytest.skip("libedit knows no bracketed paste")
    fake("ok")
    folder = fake.home.folder / "hidden"
    folder.mkdir()
    folder.joinpath("prompt_toolkit.py").write_text("raise ImportError\n", "utf-8")
    terminal = fake.command.on_terminal("chat", "--no-md", env={"PYTHONPATH": str(folder)})
    terminal.wait_for("\x1b[?2004h> ")
    # as terminals send it: each line ends with CR
    terminal.type("\x1b[200~one\rtwo\x1b[201~\r")
    terminal.wait_for("🥤!")
    terminal.type("/exit\r")
    assert terminal.finish().status == 0
    assert said(fake) == ["one\ntwo"]


def test_without_prompt_toolkit_pythons_own_editing_keeps_and_completes_lines(fake: Fake) -> None:
    fake("ok")
    folder = fake.home.folder / "hidden"
    folder.mkdir()
    folder.joinpath("prompt_toolkit.py").write_text("raise ImportError\n", "utf-8")
    terminal = fake.command.on_terminal("chat", "--no-md", env={"PYTHONPATH": str(folder), "TERM": "vt100"})
    terminal.wait_for("> ")
    terminal.type("one\r")
    terminal.wait_for("🥤!")
    terminal.type(f"{UP}\r/ex\t\r")
    assert terminal.finish().status == 0
    assert said(fake) == ["one", "one"]


def test_without_an_editor_of_lines_they_come_as_the_terminal_gives_them(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake("ok")
    # what an installation without the extra does
    monkeypatch.setitem(sys.modules, "prompt_toolkit", None)
    run = at_screen(fake.command, "chat", typed="one\n/exit\n", out=False)
    assert run.out == f"{ANSWER}\n"
    # and what Windows has no readline for
    monkeypatch.setitem(sys.modules, "readline", None)
    assert at_screen(fake.command, "chat", "--no-md", typed="two\n/exit\n").status == 0
    assert said(fake) == ["one", "two"]


@pytest.mark.parametrize(("given", "told"), [(b"one\nwrong \xff\n", "UTF-8"), (b"one\nwrong \0\n", "binary")])
def test_a_line_through_a_pipe_that_is_no_text_ends_the_chat(fake: Fake, given: bytes, told: str) -> None:
    run = fake("ok")("chat", stdin=given)
    assert (run.status, run.out) == (2, f"{ANSWER}\n")
    assert told in run.err


def test_a_last_line_without_its_end_is_a_turn_too(fake: Fake) -> None:
    fake("ok")("chat", stdin=b"\xef\xbb\xbfone\r\n\n  \ntwo")
    assert said(fake) == ["one", "two"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/mo", ["/model"]),
        ("hello", []),
        ("/model p/", ["p/one"]),
        ("/file no", ["notes.txt"]),
        ("/file sub/", ["sub/deep"]),
        ("/file s", ["sub/"]),
        ("/file none/x", []),
        ("/undo x", []),
        ("/nothing x", []),
    ],
)
def test_commands_models_and_paths_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, words: list[str]
) -> None:
    tmp_path.joinpath("notes.txt").touch()
    tmp_path.joinpath("sub").mkdir()
    tmp_path.joinpath("sub", "deep").touch()
    monkeypatch.chdir(tmp_path)
    assert completed(line, lambda: ["p/one", "q/two"]) == words


def test_typed_lines_are_kept_for_the_next_chat_once_each_time_and_privately(tmp_path: Path) -> None:
    lines = TypedLines(lambda: tmp_path)
    for text in ("one", "one", "  ", "two\nlines"):
        lines.add(text)
    assert TypedLines(lambda: tmp_path).lines == ["one", "two\nlines"]
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    apart = TypedLines(None)
    apart.add("three")
    assert apart.lines == ["three"]
    assert TypedLines(lambda: tmp_path).lines == ["one", "two\nlines"]


def test_old_typed_lines_make_room_however_short_each_chat_is(tmp_path: Path) -> None:
    text = "".join(f"{json.dumps(str(number))}\n" for number in range(2 * MOST - 1))
    tmp_path.joinpath(NAME).write_text(text, "utf-8")
    first, second = (TypedLines(lambda: tmp_path) for _ in range(2))
    assert first.lines == [str(number) for number in range(MOST - 1, 2 * MOST - 1)]
    second.add("of another chat")
    first.add("new")
    assert len(tmp_path.joinpath(NAME).read_text("utf-8").splitlines()) == 2 * MOST + 1
    first.add("newer")
    kept = TypedLines(lambda: tmp_path).lines
    assert len(kept) == len(tmp_path.joinpath(NAME).read_text("utf-8").splitlines()) == MOST
    assert kept[-3:] == ["of another chat", "new", "newer"]


def test_typed_lines_that_cannot_be_read_or_written_cost_nothing(tmp_path: Path) -> None:
    tmp_path.joinpath(NAME).write_bytes(b'no json\n"one"\n5\n"tw')
    assert TypedLines(lambda: tmp_path).lines == ["one"]

    def nowhere() -> Path:
        raise Cancelled("no folder")

    lines = TypedLines(nowhere)
    lines.add("one")
    lines.add("two")
    assert lines.lines == ["one", "two"]


def test_typed_lines_are_forgotten_by_their_text_or_all(tmp_path: Path) -> None:
    lines = TypedLines(lambda: tmp_path)
    lines.add("secret")
    lines.add("other")
    forget(tmp_path, {"nothing of it"})
    forget(tmp_path, {"secret"})
    assert TypedLines(lambda: tmp_path).lines == ["other"]
    # in a damaged line, and further back than a chat looks
    more = "".join(f"{json.dumps(str(number))}\n" for number in range(MOST))
    tmp_path.joinpath(NAME).write_text(f'"secret"\n"sec\n{more}', "utf-8")
    forget(tmp_path, {"secret"})
    assert "sec" not in tmp_path.joinpath(NAME).read_text("utf-8")
    forget(tmp_path)
    forget(tmp_path)
    assert not tmp_path.joinpath(NAME).exists()


def test_a_chat_whose_reader_left_ends_and_keeps_what_had_come(fake: Fake) -> None:
    fake("ok")
    ours, theirs = os.pipe()
    os.close(ours)
    # standard error is the terminal, standard output a pipe that nobody reads
    run = at_screen(fake.command, "chat", typed="one\rtwo\r", out=theirs)
    os.close(theirs)
    assert run.status == 141
    assert said(fake) == ["one"]
    (line,) = fake.command("history", "export").out.splitlines()
    assert json.loads(line)["status"] == "partial"


def test_a_signal_ends_a_chat_that_waits_for_a_line(fake: Fake) -> None:
    fake("ok")
    terminal = fake.command.on_terminal("chat", env={"TERM": "dumb"})
    terminal.wait_for("> ")
    terminal.process.terminate()
    assert terminal.finish().status == 143


def test_a_history_that_cannot_be_written_is_told_once_in_a_chat(fake: Fake) -> None:
    # nobody, not even root, can make a folder in /proc
    run = fake("ok")("chat", stdin="one\ntwo\nthree\n", env={"XDG_DATA_HOME": "/proc/none"})
    assert run.status == 0 and run.out == f"{ANSWER}\n" * 3
    assert run.err.count("not saved in the history") == 1
