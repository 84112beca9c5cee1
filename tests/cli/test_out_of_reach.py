"""Folders that the system won't let us look into, and paths that name nothing: one clear line, no fault of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.command import Command
from fakes.fixtures import Fake

# a name that is too long is refused to root, too, unlike a folder without permissions
FAR = "/tmp/" + "x" * 300


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        (["doctor", "--offline"], 0, "File name too long; using defaults"),
        (["config", "check"], 0, "File name too long; using defaults"),
        (["config", "init"], 3, "File name too long"),
        (["config", "alias", "a", "local"], 3, "File name too long"),
        (["history", "off"], 3, "File name too long"),
        (["keys", "list"], 0, "no stored keys"),
        (["template", "list"], 0, "no templates"),
        (["template", "show", "a"], 2, 'unknown template "a"'),
        (["template", "save", "a", "b"], 3, "File name too long"),
        (["models", "local"], 0, "no models yet"),
        (["pull", "smollm2"], 10, "can't read the model"),
        (["pull", f"{FAR}/m.gguf"], 10, "can't read the model"),
        (["-m", "local", "Hello"], 10, "can't read the model"),
    ],
)
def test_a_folder_out_of_reach_is_told_in_a_line(
    run_llmstream: Command, line: list[str], status: int, said: str
) -> None:
    run = run_llmstream(*line, env={"XDG_CONFIG_HOME": FAR, "XDG_DATA_HOME": FAR})
    assert run.status == status, run
    assert said in run.err + run.out and "internal error" not in run.err


@pytest.mark.parametrize("option", ["-f", "-a", "--record", "--config"])
def test_an_empty_path_is_refused_instead_of_ignored(fake: Fake, option: str) -> None:
    run = fake.command(option, "", "Hello")
    assert (run.status, run.out) == (2, "") and " is empty" in run.err
    assert fake.provider.log() == []


def test_an_empty_schema_is_refused(fake: Fake) -> None:
    run = fake.command("--schema", "", "Hello")
    assert (run.status, run.out) == (2, "") and "the schema is empty" in run.err


def test_the_local_model_has_no_batch_interface(run_llmstream: Command, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Hello\n")
    run = run_llmstream("batch", str(tmp_path / "in.txt"), "--output", str(tmp_path / "out"), "--deferred")
    assert (run.status, run.out) == (2, "") and "no batch interface" in run.err
