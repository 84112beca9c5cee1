"""The package as a whole: what it offers, what importing it costs, and that its types hold."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import llmstream

HERE = Path(__file__).parent
COST_MS = 15.0
RUNS = 9
HEAVY = {
    "asyncio", "httpx", "rich", "typer", "pydantic", "sqlite3", "ssl", "json", "importlib.metadata",
    "concurrent.futures", "email", "dataclasses", "tomllib", "platformdirs",
}  # fmt: skip


def run(code: str, *options: str) -> str:
    """Return what a fresh interpreter prints."""
    environment = {**os.environ, "LLMSTREAM_CONFIG": os.devnull}
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


@pytest.mark.parametrize("name", llmstream.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(llmstream, name) is not None
    assert name in dir(llmstream)


def test_a_star_import_brings_all_of_them() -> None:
    space: dict[str, object] = {}
    exec("from llmstream import *", space)
    assert set(llmstream.__all__) <= set(space)


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nonsense"):
        llmstream.Nonsense  # noqa: B018
    assert not hasattr(llmstream, "Nonsense")


def test_every_error_and_event_is_public() -> None:
    from llmstream import errors, events

    raised = {
        name for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.LLMStreamError)
    }  # fmt: skip
    told = {one.__name__ for one in events.Event.__args__}
    assert raised | told <= set(llmstream.__all__)


def test_the_tree_in_the_errors_docstring_has_every_error() -> None:
    from llmstream import errors

    assert errors.__doc__ is not None
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, errors.LLMStreamError):
            assert f" {name} " in f"{errors.__doc__} ".replace("\n", " "), name


def test_every_module_can_be_imported_and_says_what_it_is_for() -> None:
    for found in pkgutil.walk_packages(llmstream.__path__, "llmstream."):
        if not found.name.endswith("__main__"):
            assert importlib.import_module(found.name).__doc__, found.name


def test_importing_brings_nothing_heavy() -> None:
    code = "import json, sys; before = set(sys.modules); import llmstream; print(json.dumps([*sys.modules]))"
    bare = set(json.loads(run("import json, sys; print(json.dumps([*sys.modules]))")))
    assert not HEAVY & (set(json.loads(run(code))) - bare)
    assert "httpx" not in run(
        "import sys, llmstream; llmstream.Prompt, llmstream.Runnable; print([*sys.modules])"
    )


def test_importing_costs_next_to_nothing() -> None:
    # the processor's time, and the best of some runs: other tests run beside this one
    code = (
        "import sys, time; began = time.process_time(); import llmstream; "
        "sys.stdout.write(str(time.process_time() - began))"
    )
    assert min(float(run(code)) * 1000 for _ in range(RUNS)) <= COST_MS


def test_the_interface_type_checks_as_a_user_would_write_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path),
            "--config-file", os.devnull, str(HERE / "runnable" / "as_a_user.py"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(llmstream.__path__[0]) / "py.typed").is_file()
