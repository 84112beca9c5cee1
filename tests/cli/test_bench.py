"""`llmstream bench`: what is measured, the forms in which it is shown, and where it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from pathlib import Path

import pytest

from fakes.command import Command, Home
from fakes.fixtures import Fake, Provider
from fakes.screen import on_screen

FEW = ("bench", "--warmup", "0", "-n", "2")


@pytest.fixture
def two(home: Home, provider: Provider, run_llmstream: Command) -> Command:
    """The command with a good provider and one that refuses everything."""
    home.write(provider.table("ok", name="good") + provider.table("401", name="bad"))
    return run_llmstream


def test_a_table_has_each_model_and_the_prompt_is_ours_without_one(fake: Fake) -> None:
    run = fake("ok")(*FEW, "-m", "fake")
    assert run.status == 0 and run.err == ""
    assert "fake/m1" in run.out and "\x1b" not in run.out
    assert len(fake.provider.log()) == 2
    assert max(map(len, run.out.splitlines())) <= 80


def test_made_up_words_stand_alone_without_a_prompt_and_behind_one_that_is_given(fake: Fake) -> None:
    command = fake("ok")
    command("bench", "--warmup", "0", "-n", "1", "-m", "fake")
    command(*FEW, "-m", "fake", "--prompt-tokens", "20")
    command(*FEW, "-m", "fake", "--prompt-tokens", "20", "Sum up:")
    ours, first, second, behind, _ = (one["body"]["messages"][-1]["content"] for one in fake.provider.log())
    assert ours not in first and first != second and len(first.split()) >= 10
    assert "Sum up:" in behind


def test_json_is_an_object_a_model_and_csv_a_row(two: Command) -> None:
    models = ("-m", "good", "-m", "bad")
    run = two(*FEW, "--json", *models)
    good, bad = map(json.loads, run.out.splitlines())
    assert run.status == 0
    assert (good["requests"], sum(bad["failures"].values())) == (2, 2)
    run = two(*FEW, "--csv", *models)
    rows = list(csv.DictReader(io.StringIO(run.out)))
    assert [(row["provider"], row["requests"], row["failures"]) for row in rows] == [
        ("good", "2", "0"),
        ("bad", "0", "2"),
    ]
    assert float(rows[0]["ttft_p50"]) > 0 and rows[1]["ttft_p50"] == ""


def test_where_nothing_went_well_the_status_says_why(two: Command) -> None:
    run = two(*FEW, "-m", "bad")
    assert run.status == 4 and "Incorrect API key" in run.err


def test_a_picture_is_drawn_beside_the_table(fake: Fake, home: Home) -> None:
    run = fake("ok")(*FEW, "-m", "fake", "--svg", "picture.svg")
    assert run.status == 0 and "fake/m1" in run.out
    assert (home.folder / "picture.svg").read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize("place", [".", "no/such/folder/p.svg"])
def test_a_picture_that_can_not_be_written_is_told_before_anything_is_asked(fake: Fake, place: str) -> None:
    run = fake("ok")(*FEW, "-m", "fake", "--svg", place)
    assert run.status == 2 and "can't write" in run.err and fake.provider.log() == []


def test_a_picture_that_fails_at_the_end_costs_no_figures(fake: Fake, home: Home) -> None:
    place = home.folder / "picture.svg"
    place.symlink_to("/dev/full")
    run = fake("ok")(*FEW, "-m", "fake", "--svg", str(place))
    assert run.status == 1 and "fake/m1" in run.out and "picture.svg" in run.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-n", "0"], "--requests must be at least 1"),
        (["-j", "0"], "--jobs must be at least 1"),
        (["--prompt-tokens", "0"], "--prompt-tokens must be at least 1"),
        (["--rate", "0"], "rate must be"),
        (["--slo", "speed=1"], "speed"),
    ],
)
def test_a_load_that_makes_no_sense_is_wrong_use(fake: Fake, options: list[str], said: str) -> None:
    run = fake("ok")("bench", "-m", "fake", *options)
    assert run.status == 2 and said in run.err and fake.provider.log() == []


def test_standard_input_is_only_read_where_it_is_asked_for(fake: Fake) -> None:
    command = fake("ok")
    command(*FEW, "-m", "fake", stdin="a script's own")
    command(*FEW, "-m", "fake", "-", stdin="the prompt")
    prompts = [one["body"]["messages"][-1]["content"] for one in fake.provider.log()]
    assert [("script" in prompt, prompt == "the prompt") for prompt in prompts] == [
        *[(False, False)] * 2,
        *[(False, True)] * 2,
    ]


def test_on_a_terminal_the_number_of_requests_is_shown_and_erased(fake: Fake) -> None:
    command = fake("ok")
    shown = on_screen(command, *FEW, "-m", "fake").out
    assert "\r\x1b[Kfake/m1: 1 requests\r\x1b[Kfake/m1: 2 requests\r\x1b[K" in shown
    quiet = on_screen(command, "-q", *FEW, "-m", "fake").out
    assert "requests\r" not in quiet and "fake/m1" in quiet
    wide = on_screen(command, *FEW, "-m", "fake", columns=120, env={"TERM": "dumb"}).out
    assert "\x1b" not in wide and "fake/m1" in wide


def test_what_was_measured_is_told_when_the_user_stops(fake: Fake, tmp_path: Path) -> None:
    process = fake("gate").start("bench", "--warmup", "0", "-n", "2", "-m", "fake", "--json")
    fake.provider.wait("request")
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout
    found = json.loads(process.stdout.read())
    assert process.wait(30) == 130 and found["requests"] == 0


def test_two_formats_at_once_are_refused(fake: Fake) -> None:
    run = fake("ok")("bench", "-m", "fake", "-n", "1", "--json", "--csv", "Hello")
    assert (run.status, run.out) == (2, "") and "--csv" in run.err
    assert fake.provider.log() == []
