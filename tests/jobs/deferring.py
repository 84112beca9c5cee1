"""A deferred job as its tests see it: the command, an office that carries it out, no waiting."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest

from fakes.command import Command, Run
from jobs.office import Office
from llmstream.jobs.deferred import run as deferred_run
from llmstream.jobs.deferred import web
from llmstream.jobs.deferred.anthropic import Anthropic
from llmstream.jobs.deferred.gemini import Gemini
from llmstream.jobs.deferred.openai import OpenAI

INTERFACES: Final = {"openai-chat": OpenAI, "anthropic": Anthropic, "gemini": Gemini}
CREATE: Final = {
    "openai-chat": "POST /v1/batches",
    "anthropic": "POST /v1/messages/batches",
    "gemini": "POST /v1beta/models/m:",
}
LOOK: Final = {
    "openai-chat": "GET /v1/batches/",
    "anthropic": "GET /v1/messages/batches/",
    "gemini": "GET /v1beta/batches/",
}
ANSWERS: Final = {"1": "re: one", "2": "re: two", "3": "re: three"}
"""Texts of the job's three prompts by their ids."""


@pytest.fixture
def office(no_waiting: None) -> Iterator[Office]:
    """The three interfaces."""
    with Office() as running:
        yield running


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once: how long a provider is left in peace is no matter of these tests."""
    for module in (deferred_run, web):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda _: None, monotonic=time.monotonic))


class Deferred:
    """One deferred job: the same command again and again."""

    def __init__(self, command: Command, office: Office, adapter: str) -> None:
        self.command = command
        self.office = office
        self.adapter = adapter
        folder = command.home.folder
        self.input, self.output = folder / "in.txt", folder / "out.jsonl"
        self.state = folder / "out.jsonl.deferred.json"
        self.input.write_text("one\ntwo\nthree\n")
        command.home.write(
            f'[providers.p]\nadapter = "{adapter}"\nbase_url = "{office.base_url(adapter)}"\napi_key = "sk-office"\n'
        )

    def __call__(self, *more: str) -> Run:
        """Run it once."""
        words = ("batch", self.input.name, "--output", "out.jsonl", "--deferred", "-m", "p/m", *more)
        return self.command(*words)

    def texts(self) -> dict[str | int | float, str]:
        """Return the answers in FILE, each id once."""
        found = [json.loads(line) for line in self.output.read_text("utf-8").splitlines()]
        assert len({one["id"] for one in found}) == len(found)
        return {one["id"]: one["text"] for one in found}

    def errors(self) -> dict[str, Any]:
        """Return the error of each line that has one."""
        found = [json.loads(line) for line in self.output.read_text("utf-8").splitlines()]
        return {one["id"]: one["error"] for one in found if one["error"]}


@pytest.fixture(params=INTERFACES)
def job(request: pytest.FixtureRequest, run_llmstream: Command, office: Office) -> Deferred:
    """A job of three prompts, with each interface in turn."""
    return Deferred(run_llmstream, office, request.param)


@pytest.fixture
def openai_job(run_llmstream: Command, office: Office) -> Deferred:
    """The same with OpenAI's alone."""
    return Deferred(run_llmstream, office, "openai-chat")
