"""`llmstream history`: what lists and shows say, what is refused, and what removing takes along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes.desk import at_desk
from fakes.fixtures import Fake
from fakes.scenarios import VERSE
from history.made import run as made
from llmstream.history.kept import Run
from llmstream.history.store import Store, keep

ANSWER = "".join(VERSE)
DAY = 86_400_000


def database(fake: Fake) -> Path:
    """Return where the history is, in a folder that is there."""
    path = Path(fake.command("history", "path").out.strip())
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def kept(fake: Fake, *prompts: str, text: str = "an answer", **fields: object) -> list[Run]:
    """Keep runs without asking anybody."""
    path = database(fake)
    return [keep(path, made(prompt, text, **fields)) for prompt in prompts]


def left(fake: Fake) -> list[str]:
    """Return the prompts that the history has."""
    store = Store.reading(database(fake))
    assert store is not None
    with store:
        return [run.prompt for run in store.newest(-1)]


def test_a_list_has_a_row_a_run_the_newest_first_with_how_it_ended(fake: Fake) -> None:
    first, second = kept(fake, "one\ntwo", "three " * 40)
    kept(fake, "bad", status="failed")
    rows = fake.command("history").out.splitlines()
    assert [row.split()[0] for row in rows[1:]] == [second.id, first.id]
    assert " ! p/m" in rows[0]
    assert "one two" in rows[2]
    assert len(rows[1]) < 160
    as_json = fake.command("history", "list", "--json", "-n", "1").out
    assert json.loads(as_json)["status"] == "failed"


@pytest.mark.parametrize("count", ["0", "-3"])
def test_a_list_of_no_rows_is_refused(fake: Fake, count: str) -> None:
    run = fake.command("history", "list", "-n", count)
    assert (run.status, run.out) == (2, "")
    assert "-n" in run.err


def test_a_search_that_finds_nothing_says_so_but_never_to_a_program(fake: Fake) -> None:
    kept(fake, "one")
    run = fake.command("history", "search", "two")
    assert (run.status, run.out) == (0, "") and "no run has" in run.err
    assert fake.command("history", "search", "two", "--json") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["list"], 0),
        (["search", "x"], 0),
        (["export"], 0),
        (["prune", "--all", "--yes"], 0),
        (["show"], 2),
        (["show", "01"], 2),
        (["rm", "01"], 2),
    ],
)
def test_without_a_history_lists_are_empty_and_none_is_made(
    fake: Fake, words: list[str], status: int
) -> None:
    run = fake.command("history", *words)
    assert (run.status, run.out) == (status, "")
    assert ("the history is empty" in run.err) == (words != ["export"])
    assert bool(fake.command("history", *words, "-q").err) == bool(status)
    assert not database(fake).exists()


def test_one_run_is_shown_whole(fake: Fake) -> None:
    (first,) = kept(fake, "one", session="blue", system="be brief")
    error = {"type": "StreamBroken", "message": "it broke"}
    details = {"error": error}
    (second,) = kept(fake, "two", text="half\n", earlier=(first.row,), status="partial", details=details)
    shown = fake.command("history", "show", first.id).out
    assert "session blue" in shown.splitlines()[0]
    assert shown.endswith("\n[system]\nbe brief\n\n[user]\none\n\n[assistant]\nan answer\n")
    newest = fake.command("history", "show").out
    assert "1 earlier turn\n" in newest
    assert "StreamBroken: it broke\n" in newest
    assert newest.endswith("\n[user]\ntwo\n\n[assistant]\nhalf\n")
    as_json = json.loads(fake.command("history", "show", second.id, "--json").out)
    assert [one["content"] for one in as_json["messages"]] == ["one", "an answer", "two"]


def test_a_history_whose_runs_were_all_removed_has_nothing_to_show(fake: Fake) -> None:
    (one,) = kept(fake, "one")
    assert fake.command("-q", "history", "rm", one.id).status in (0, 2)
    fake.command("history", "prune", "--all", "--yes")
    run = fake.command("history", "show")
    assert run.status == 2
    assert "empty" in run.err


def test_an_export_begins_at_a_day(fake: Fake) -> None:
    kept(fake, "old", time=0)
    kept(fake, "new")
    lines = fake.command("history", "export", "--since", "2020-01-31").out.splitlines()
    assert [json.loads(line)["messages"][-1]["content"] for line in lines] == ["new"]
    run = fake.command("history", "export", "--since", "yesterday")
    assert (run.status, run.out) == (2, "")
    assert "yesterday" in run.err


def test_old_runs_are_removed_or_all_but_the_newest(fake: Fake) -> None:
    (new,) = kept(fake, "new")
    kept(fake, "old", time=new.time - 40 * DAY)
    kept(fake, "older", time=new.time - 90 * DAY)
    run = fake.command("history", "prune", "--older", "2M", "--yes")
    assert "1 run " in run.err
    assert left(fake) == ["new", "old"]
    assert fake.command("history", "prune", "--keep", "1", "--yes").status == 0
    assert left(fake) == ["new"]
    again = fake.command("history", "prune", "--keep", "1")
    assert (again.status, again.err) == (0, "llmstream: nothing to delete\n")
    assert fake.command("history", "prune", "--keep", "1", "-q").err == ""


@pytest.mark.parametrize(
    "rules",
    [[], ["--all", "--keep", "1"], ["--older", "long"], ["--older", "5x"], ["--keep", "-1"], ["--all"]],
)
def test_what_prune_does_not_understand_removes_nothing(fake: Fake, rules: list[str]) -> None:
    kept(fake, "one")
    assert fake.command("history", "prune", *rules).status == 2
    assert left(fake) == ["one"]


@pytest.mark.parametrize(("answer", "prompts"), [("n", ["two", "one"]), ("", ["two", "one"]), ("Yes", [])])
def test_prune_asks_on_a_terminal(fake: Fake, answer: str, prompts: list[str]) -> None:
    kept(fake, "one", "two")
    run = at_desk(fake.command, "history", "prune", "--all", typed=f"{answer}\n")
    assert run.status == 0
    assert "2 runs" in run.err
    assert ("nothing was deleted" in run.err) == (prompts != [])
    assert left(fake) == prompts


def test_a_history_is_switched_off_and_on_again(fake: Fake) -> None:
    fake("ok")
    off = fake.command("history", "off")
    assert (off.status, off.out) == (0, "") and "off" in off.err
    assert fake.command("hello").status == 0
    assert not database(fake).exists()
    on = fake.command("history", "on")
    assert (on.status, on.out) == (0, "") and str(database(fake)) in on.err
    assert fake.command("history", "on", "-q") == (0, "", "")
    assert "takes precedence" in fake.command("history", "on", env={"LLMSTREAM_NO_HISTORY": "1"}).err
    fake.command("hello")
    assert left(fake) == ["hello"]
