"""`llmstream compare`: several models at once, in sections, as objects, or the first to begin."""

from __future__ import annotations

import json
import os
import signal

import pytest

from fakes.command import Command, Home
from fakes.fixtures import Provider
from fakes.scenarios import VERSE
from fakes.screen import on_screen

ANSWER = "".join(VERSE)
ALL = ("-m", "good", "-m", "bad", "-m", "code")


@pytest.fixture
def compare(home: Home, provider: Provider, run_llmstream: Command) -> Command:
    """The command with several providers: good, bad, code, gate, silent."""
    scenarios = {"good": "ok", "bad": "401", "code": "code", "gate": "gate", "silent": "silent"}
    home.write("".join(provider.table(scenario, name=name) for name, scenario in scenarios.items()))
    return run_llmstream


def test_each_answer_stands_under_its_models_name_in_the_order_of_the_command_line(compare: Command) -> None:
    run = compare("compare", *ALL, "Hello")
    assert run.status == 0
    assert run.out.startswith(f"## good/m1\n{ANSWER}\n\n## code/m1\nSo:\n") and "## bad" not in run.out
    assert "bad/m1" in run.err or "bad (" in run.err


def test_on_a_terminal_a_table_of_all_comes_last(compare: Command) -> None:
    shown = on_screen(compare, "compare", *ALL, "Hello").out
    heads = [shown.index(f"\x1b[1m{name}/m1\x1b[0m") for name in ("good", "bad", "code")]
    table = shown[max(heads) :]
    assert all(f"{name}/m1" in table.split("\x1b[0m", 1)[1] for name in ("good", "bad", "code"))


@pytest.mark.parametrize("form", ["--json", "--events"])
def test_machines_get_every_answer_and_who_gave_it(compare: Command, form: str) -> None:
    run = compare("compare", form, *ALL, "Hello")
    rows = [json.loads(line) for line in run.out.splitlines()]
    if form == "--json":
        assert {row["provider"]: row["text"] for row in rows if row.get("text")}["good"] == ANSWER
        assert {row["provider"] for row in rows} == {"good", "bad", "code"}
    else:
        # they have one parent
        assert len({tuple(row["parent_ids"]) for row in rows}) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["Hello"], 2, "-m PROVIDER/MODEL"),
        (["-m", "good", "-m", "no-such-provider", "Hello"], 3, "no-such-provider"),
        (["-m", "bad", "Hello"], 4, "Incorrect API key"),
    ],
)
def test_what_can_not_be_compared_is_said(
    compare: Command, arguments: list[str], status: int, said: str
) -> None:
    run = compare("compare", *arguments)
    assert run.status == status and said in run.err and run.out == ""


def test_a_race_shows_the_first_to_begin(compare: Command, provider: Provider) -> None:
    run = compare("compare", "--race", "-m", "silent", "-m", "good", "Hello")
    assert (run.status, run.out) == (0, f"{ANSWER}\n")


def test_ctrl_c_ends_the_answer_that_is_being_shown(compare: Command, provider: Provider) -> None:
    process = compare.start("compare", "-m", "gate", "-m", "silent", "Hello")
    assert process.stdout and process.stderr
    assert process.stdout.read(len("## gate/m1\nfirst")) == b"## gate/m1\nfirst"
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout.read().startswith(b"\n")
    assert process.wait(30) == 130
