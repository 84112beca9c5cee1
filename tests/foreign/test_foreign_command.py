"""Objects as models of the command, from a configuration file as a user writes it."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from foreign.foreign_models import ran, ran_apart, started

ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])
KEY = "sk-0123456789abcdef"


def configured(folder: Path, factory: str, more: str = "") -> Path:
    """Write a configuration with one provider, `mine`, that is also the default."""
    path = folder / "config.toml"
    factory = factory if ":" in factory else f"foreign.objects:{factory}"
    path.write_text(
        f'default = "mine"\n[providers.mine]\nadapter = "runnable"\nfactory = "{factory}"\n{more}\n'
    )
    path.chmod(0o600)
    return path


@ENGINES
def test_an_object_streams_with_a_separator(tmp_path: Path, engine: str) -> None:
    config = configured(tmp_path, "Streaming")
    assert ran(config, engine, "--separator", "|", "-n", "hello") == (0, "a|b|c|", "")


@ENGINES
def test_an_object_with_only_invoke_gives_exactly_one_chunk(tmp_path: Path, engine: str) -> None:
    status, out, _ = ran(configured(tmp_path, "Invoking"), engine, "--events", "hello")
    events = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [event["event"] for event in events] == ["on_llm_start", "on_llm_stream", "on_llm_end"]
    assert (events[1]["data"]["chunk"], events[2]["data"]["text"]) == ("whole", "whole")


@ENGINES
def test_no_stream_gives_one_chunk(tmp_path: Path, engine: str) -> None:
    config = configured(tmp_path, "Streaming")
    assert ran(config, engine, "--no-stream", "-S", "|", "-n", "hello") == (0, "abc|", "")


def test_options_of_the_command_go_over_those_of_the_file_and_reach_the_factory(tmp_path: Path) -> None:
    config = configured(tmp_path, "Echoing", 'model = "small"\noptions = { seed = 1, deep = { a = [1] } }')
    words = ["-o", "seed=2", "--temperature", "0", "-o", "other=x", "-m", "mine/large", "hello"]
    status, out, _ = ran(config, *words)
    expected = {"model": "large", "seed": 2, "deep": {"a": [1]}, "temperature": 0, "other": "x"}
    assert (status, json.loads(out)) == (0, expected)


@pytest.mark.parametrize(
    ("factory", "options", "said"),
    [
        ("no_such_module:X", "", 'no module "no_such_module"'),
        ("foreign.objects:Streeming", "", 'has no "Streeming"; did you mean "Streaming"?'),
        ("foreign.broken_module:X", "", 'can\'t import the module "foreign.broken_module": RuntimeError: no luck'),
        ("foreign.objects:Strict", "size = 3", "can't be made with size: ValueError: a size of 3 is too large"),
        ("foreign.objects:NoModel", "", "an object of class NoModel has neither stream nor invoke"),
    ],
)  # fmt: skip
@ENGINES
def test_a_wrong_factory_is_one_line_and_status_3(
    tmp_path: Path, engine: str, factory: str, options: str, said: str
) -> None:
    config = configured(tmp_path, factory, f"options = {{ {options} }}")
    status, out, err = ran(config, engine, "hello")
    assert (status, out) == (3, "")
    line, *hint = err.splitlines()
    assert line.startswith(f"llmstream: mine ({factory}): ")
    assert said in line
    assert len(hint) == (1 if "no_such_module" in factory else 0)


def test_a_provider_without_a_factory_is_status_3_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[providers.mine]\nadapter = "runnable"\n')
    status, _, err = ran(config, "-m", "mine", "hello")
    assert status == 3
    assert "config.toml:1:12: [providers.mine] needs factory (adapter runnable)" in err


@ENGINES
def test_what_fails_later_is_one_line_without_a_key(tmp_path: Path, engine: str) -> None:
    config = configured(tmp_path, "Failing", f'options = {{ how = "401", api_key = "{KEY}" }}')
    status, out, err = ran(config, engine, "--debug", "hello")
    assert (status, out) == (4, "")
    assert "llmstream: mine (foreign.objects:Failing): StatusError: refused, says [option api_key]" in err
    assert KEY not in err
    assert "set the key in the provider's `options`" in err


def test_no_request_that_is_shown_holds_the_key(tmp_path: Path) -> None:
    config = configured(tmp_path, "Failing", f'options = {{ how = "401", api_key = "{KEY}" }}')
    status, out, err = ran(config, "--show-request", "hello")
    assert (status, out) == (2, "")
    assert "sends no HTTP request" in err
    assert KEY not in err


def test_the_current_folder_is_never_imported_from(tmp_path: Path) -> None:
    (tmp_path / "lying_about.py").write_text(
        "class Model:\n    def invoke(self, prompt):\n        return 'x'\n"
    )
    status, out, err = ran_apart(configured(tmp_path, "lying_about:Model"), "hello")
    assert (status, out) == (3, "")
    assert "the current folder is not searched" in err
    # nor by what an object imports when it is asked
    status, out, err = ran_apart(configured(tmp_path, "ImportingLater"), "hello")
    assert (status, out) == (10, "")
    assert "ModuleNotFoundError" in err


@ENGINES
def test_what_an_object_prints_is_kept_out_of_the_answer(tmp_path: Path, engine: str) -> None:
    assert ran_apart(configured(tmp_path, "Printing"), engine, "hello") == (0, "answer\n", "noise\n")


@ENGINES
@pytest.mark.parametrize("factory", ["Hanging", "AsyncHanging"])
def test_ctrl_c_ends_an_object_that_hangs(tmp_path: Path, engine: str, factory: str) -> None:
    with started(configured(tmp_path, factory), engine, "hello") as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"\n")
    assert b"Traceback" not in err
    assert time.monotonic() - began < 10


@ENGINES
def test_a_time_limit_ends_an_object_that_hangs(tmp_path: Path, engine: str) -> None:
    config = configured(tmp_path, "Hanging")
    status, out, err = ran(config, engine, "--timeout-idle", "0.3", "hello")
    assert (status, out) == (8, "x\n")
    assert "no data for 0.3 s" in err
