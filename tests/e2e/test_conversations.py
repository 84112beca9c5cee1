"""History, conversations, chat, templates, extraction and doctor, by the real command."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from fakes.command import Run
from fakes.fixtures import KEY, Fake
from fakes.scenarios import VERSE

ANSWER = "".join(VERSE)
READY = "\x1b[?2004h"
"""The prompt line is ready: pasted text is marked from now on."""


def runs(fake: Fake) -> list[dict[str, Any]]:
    """Return what the history has, the oldest first."""
    return [json.loads(line) for line in fake.command("history", "export").out.splitlines()]


def turns(fake: Fake) -> list[tuple[str, str]]:
    """Return the messages of the last request."""
    return [(one["role"], one["content"]) for one in fake.provider.body()["messages"]]


def database(fake: Fake) -> Path:
    """Return where the history is."""
    return Path(fake.command("history", "path").out.strip())


def test_a_run_is_kept_whole_readable_by_its_owner_and_without_the_key(fake: Fake) -> None:
    fake("ok")("-s", "be brief", "hello")
    (one,) = runs(fake)
    assert (one["status"], one["text"], one["model"], one["system"]) == ("complete", ANSWER, "m1", "be brief")
    assert one["messages"][-1]["content"] == "hello"
    path = database(fake)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("scenario", "kept"), [("cut", "partial"), ("401", "failed"), ("length", "complete"), ("ok", "complete")]
)
def test_what_ended_early_is_kept_as_such(fake: Fake, scenario: str, kept: str) -> None:
    fake(scenario)("--retries", "0", "hello")
    assert [one["status"] for one in runs(fake)] == [kept]


@pytest.mark.parametrize("off", ["option", "variable", "file", "command"])
def test_a_history_that_is_off_is_not_made(fake: Fake, off: str) -> None:
    fake("ok")
    if off == "file":
        fake.home.write("history = false\n" + fake.home.config.read_text("utf-8"))
    if off == "command":
        assert fake.command("history", "off").status == 0
    variables = {"LLMSTREAM_NO_HISTORY": "1"} if off == "variable" else {}
    run = fake.command(*(["--no-history"] if off == "option" else []), "hello", env=variables)
    assert (run.status, run.out, run.err) == (0, ANSWER + "\n", "")
    assert not database(fake).exists()


def test_a_history_that_cannot_be_written_costs_one_warning_only(fake: Fake) -> None:
    fake("ok")
    path = database(fake)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no database at all, but somebody's file\n" * 99)
    before = path.read_bytes()
    run = fake.command("hello")
    assert (run.status, run.out) == (0, ANSWER + "\n")
    assert run.err.count("warning") == 1
    assert path.read_bytes() == before


def test_going_on_sends_the_turns_that_were_shown_with_their_system_prompt(fake: Fake) -> None:
    fake("ok")("-s", "be brief", "one")
    run = fake.command("-c", "two")
    assert "one" in run.err
    assert turns(fake) == [("system", "be brief"), ("user", "one"), ("assistant", ANSWER), ("user", "two")]
    fake.command("apart")
    assert turns(fake) == [("user", "apart")]


@pytest.mark.parametrize("which", [["-c"], ["--session", "blue"]])
def test_going_on_after_a_prompt_without_an_answer_asks_the_same_model(fake: Fake, which: list[str]) -> None:
    first = which if which[0] == "--session" else []
    fake("401")(*first, "-m", "fake/other", "-s", "be brief", "one")
    run = fake("ok")(*which, "two")
    assert run.status == 0 and "without an answer yet, with fake/other" in run.err
    assert fake.provider.body()["model"] == "other"
    assert turns(fake) == [("system", "be brief"), ("user", "two")]


def test_a_session_goes_on_by_its_name_and_begins_where_there_is_none(fake: Fake) -> None:
    fake("ok")("--session", "blue", "one")
    fake.command("--session", "red", "other")
    fake.command("--session", "blue", "two")
    assert turns(fake) == [("user", "one"), ("assistant", ANSWER), ("user", "two")]


@pytest.mark.parametrize("arguments", [["-c", "hello"], ["-c", "--session", "x", "hello"]])
def test_nothing_to_go_on_with_is_a_usage_error(fake: Fake, arguments: list[str]) -> None:
    assert fake("ok")(*arguments).status == 2
    assert fake.provider.log() == []


def test_search_takes_plain_words_and_says_when_there_is_more(fake: Fake) -> None:
    fake("ok")
    for word in ("alpha", "alpha*", "beta"):
        fake.command(f"{word} AND")
    found = fake.command("history", "search", "--json", "alpha AND")
    assert len(found.out.splitlines()) == 2
    found = fake.command("history", "search", "-n", "1", "AND")
    assert len(found.out.splitlines()) == 1
    assert "-n 10" in found.err


def test_what_is_removed_is_gone_and_prune_asks_for_a_word(fake: Fake) -> None:
    fake("ok")("one")
    fake.command("two")
    first = runs(fake)[0]["id"]
    assert fake.command("history", "rm", first).status == 0
    assert [one["messages"][-1]["content"] for one in runs(fake)] == ["two"]
    assert fake.command("history", "prune", "--all").status == 2
    assert fake.command("history", "prune", "--all", "--yes").status == 0
    assert runs(fake) == []


def test_a_chat_through_a_pipe_has_a_turn_a_line(fake: Fake) -> None:
    run = fake("ok")("chat", stdin="one\ntwo\n")
    assert (run.status, run.out) == (0, f"{ANSWER}\n" * 2)
    assert turns(fake) == [("user", "one"), ("assistant", ANSWER), ("user", "two")]


def test_the_first_failure_ends_a_chat_through_a_pipe(fake: Fake) -> None:
    run = fake("401")("chat", stdin="one\ntwo\n")
    assert (run.status, run.out) == (4, "")
    assert len(fake.provider.log()) == 1


def test_a_stopped_answer_of_a_chat_is_kept_and_the_chat_goes_on(fake: Fake) -> None:
    terminal = fake("stall").on_terminal("chat", "--no-md")
    terminal.wait_for(READY)
    for word in ("one", "two"):
        terminal.type(f"{word}\r")
        terminal.wait_for("so far")
        terminal.shown = b""
        terminal.type("\x03")
        terminal.wait_for(READY)
    terminal.type("/exit\r")
    assert terminal.finish().status == 0
    assert turns(fake)[::2] == [("user", "one"), ("user", "two")]
    assert [one["status"] for one in runs(fake)] == ["partial", "partial"]


def test_a_template_is_filled_and_flags_beat_it(fake: Fake) -> None:
    fake("ok")
    saved = fake.command(
        "template", "save", "ask", "-s", "be {tone}", "-p", "tone=kind", "Say {what}: {stdin}"
    )
    assert saved.status == 0
    run = fake.command("-t", "ask", "-p", "what=hi", "and more", stdin="piped")
    assert run.status == 0
    assert turns(fake) == [("system", "be kind"), ("user", "Say hi: piped\n\nand more")]
    fake.command("-t", "ask", "-p", "what=hi", "-s", "other", stdin="piped")
    assert turns(fake)[0] == ("system", "other")
    missing = fake.command("-t", "ask", stdin="piped")
    assert missing.status == 2
    assert "what" in missing.err


@pytest.mark.parametrize("name", ["../x", "a/b", "none"])
def test_a_template_that_is_not_there_reaches_nobody(fake: Fake, name: str) -> None:
    assert fake("ok")("-t", name, "hello").status in (2, 3)
    assert fake.provider.log() == []


@pytest.mark.parametrize("option", ["-x", "--extract-last"])
def test_only_the_code_comes_out(fake: Fake, option: str) -> None:
    run = fake("code")(option, "how?")
    assert (run.status, run.out) == (0, "touch widget-works\n")


def checks(run: Run) -> dict[str, str]:
    """Return doctor's checks: name and state."""
    return {one["name"]: one["state"] for one in json.loads(run.out)["checks"]}


def test_doctor_has_a_line_a_check_and_shows_no_key(fake: Fake) -> None:
    run = fake("ok")("doctor", "--json", "--offline")
    assert (run.status, run.err) == (0, "")
    assert set(checks(run).values()) <= {"ok", "warn"}
    assert KEY not in run.out
    assert fake.provider.log() == []


def test_doctor_says_what_to_do_about_what_is_wrong(fake: Fake) -> None:
    fake("ok")
    fake.home.write("modle = 1\n" + fake.home.config.read_text("utf-8"))
    run = fake.command("doctor", "--offline", "--json")
    found = json.loads(run.out)["checks"]
    assert run.status == 3
    assert all(one["hint"] for one in found if one["state"] == "fail")


def test_people_are_told_once_where_their_runs_are_kept(fake: Fake) -> None:
    command = fake("ok")
    shown = [command.on_terminal("Hello").finish().out for _ in range(3)]
    assert ["runs are kept in" in one for one in shown] == [False, True, False]
