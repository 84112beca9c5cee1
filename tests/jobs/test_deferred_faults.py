"""A deferred job whose provider answers nonsense, whose notes are damaged, or whose input has changed."""

from __future__ import annotations

import json
import os
from types import ModuleType

import pytest

from fakes.command import Command
from jobs.deferring import ANSWERS, CREATE, LOOK, Deferred
from jobs.office import Fault, Office, gemini_outcome
from llmstream.jobs.deferred import gemini, openai, web

BROKEN = {"choices": [{"index": 0, "message": {"content": "h"}, "finish_reason": "error"}]}
RESULTS = {"openai-chat": "GET /v1/files/out", "anthropic": "GET /v1/messages/batches/b1/results"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"llmstream_deferred": 1}', "is damaged"),
        ('{"llmstream_deferred": 9, "complete": true, "batches": []}', "another version"),
        (None, "can't read"),
    ],
)
def test_notes_that_can_not_be_read_stop_it_before_anything_is_sent(
    text: str | None, said: str, openai_job: Deferred
) -> None:
    if text is None:
        openai_job.state.mkdir()
    else:
        openai_job.state.write_text(text)
    run = openai_job()
    assert run.status == 2
    assert "out.jsonl.deferred.json" in run.err and said in run.err
    assert openai_job.office.seen == []


def test_nothing_is_sent_when_no_note_of_it_can_be_made(openai_job: Deferred) -> None:
    (openai_job.state.parent / ".out.jsonl.deferred.json.new").mkdir()
    run = openai_job()
    assert run.status != 0
    assert "can't write out.jsonl.deferred.json" in run.err
    assert openai_job.office.seen == []


def test_a_provider_without_a_batch_interface_says_so(run_llmstream: Command, office: Office) -> None:
    run = Deferred(run_llmstream, office, "ollama")()
    assert run.status == 2
    assert "p (ollama) has no batch interface" in run.err
    assert "leave out --deferred" in run.err


def test_an_input_that_can_be_read_only_once_is_refused(openai_job: Deferred) -> None:
    os.mkfifo(openai_job.command.home.folder / "pipe")
    # a reader and a writer, so that opening it waits for nobody
    held = os.open(openai_job.command.home.folder / "pipe", os.O_RDWR)
    run = openai_job.command("batch", "pipe", "--output", "out.jsonl", "--deferred", "-m", "p/m")
    os.close(held)
    assert run.status == 2
    assert "can be read twice" in run.err


def test_an_address_without_batches_gets_a_hint(job: Deferred) -> None:
    job.office.faults = [Fault("POST ", 404, b'{"error": {"message": "no such page"}}')]
    run = job()
    assert run.status != 0
    assert "may have no batch interface" in run.err


@pytest.mark.parametrize(
    ("body", "said"), [(b"<html>", "is not JSON"), (b"[1]", "is not an object"), (b"{" * 3000, "larger than")]
)
def test_an_answer_that_is_none_is_said_and_the_next_run_goes_on(
    body: bytes, said: str, job: Deferred, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LARGEST", 2500)
    job()
    job.office.faults = [Fault(LOOK[job.adapter], 200, body)]
    run = job()
    assert run.status != 0
    assert said in run.err and "internal error" not in run.err
    assert job("--wait").status == 0
    assert job.texts() == ANSWERS


def test_an_answer_without_an_id_is_no_batch(job: Deferred) -> None:
    job.office.faults = [Fault("POST ", 200, b"{}")]
    run = job()
    assert run.status != 0
    assert "the response has no" in run.err
    assert job("--wait").status == 0
    assert job.texts() == ANSWERS


@pytest.mark.parametrize("adapter", RESULTS)
@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b'{"id": 1}\n'])
def test_a_malformed_line_of_results_is_said_and_costs_nothing(
    adapter: str, line: bytes, run_llmstream: Command, office: Office
) -> None:
    job = Deferred(run_llmstream, office, adapter)
    job()
    office.faults = [Fault(RESULTS[adapter], 200, line)]
    run = job("--wait")
    assert run.status != 0
    assert "a line of the results is malformed" in run.err
    assert job("--wait").status == 0
    assert job.texts() == ANSWERS
    assert len(office.batches) == 1


@pytest.mark.parametrize("body", [None, 7, {}, {"choices": []}, BROKEN])
def test_an_answer_of_no_known_form_or_that_broke_off_is_a_failure_of_its_prompt(
    body: object, openai_job: Deferred
) -> None:
    openai_job()
    office = openai_job.office
    lines = [
        {"custom_id": id_, "response": {"status_code": 200, "body": body}}
        for id_, _ in office.batches["b1"].requests
    ]
    office.faults = [Fault("GET /v1/files/out", 200, "\n".join(map(json.dumps, lines)).encode())]
    assert openai_job("--wait").status == 11
    assert [*openai_job.errors()] == ["1", "2", "3"]


def test_results_of_nobody_are_left_out(openai_job: Deferred) -> None:
    openai_job()
    known = openai_job.office.batches["b1"].requests
    known += [("somebody", "else"), known[0]]
    assert openai_job("--wait").status == 0
    assert openai_job.texts() == ANSWERS


def test_an_answer_of_any_length_is_fetched_whole(job: Deferred) -> None:
    long = "x" * 300_000
    job.input.write_text(f"short\n{long}\n")
    assert job("--wait").status == 0
    assert job.texts() == {"1": "re: short", "2": f"re: {long}"}


def test_a_batch_whose_prompts_have_left_the_input_is_let_go(job: Deferred) -> None:
    job()
    job.input = job.input.with_suffix(".jsonl")
    job.input.write_text('{"id": "new", "prompt": "four", "model": "p/n"}\n')
    if job.adapter == "gemini":
        job.office.faults = [Fault("POST /v1beta/models/n:", 429)]
        assert job("--wait").status != 0
    assert job("--wait").status == 0
    assert job.texts() == {"new": "re: four"}
    assert len(job.office.batches) == 2


@pytest.mark.parametrize(("adapter", "module"), [("openai-chat", openai), ("gemini", gemini)])
def test_a_lost_batch_is_looked_for_among_the_latest_only(
    adapter: str, module: ModuleType, run_llmstream: Command, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGES", 1)
    job = Deferred(run_llmstream, office, adapter)
    office.page = 1
    office.make("an earlier one", [("x", "y")])
    office.faults = [Fault(CREATE[adapter], cut=0)]
    job()
    office.make("a later one", [("x", "y")])
    again = job()
    assert again.status == 0
    assert "submitted 3 prompts" in again.err


@pytest.mark.parametrize("place", ["response", "output"])
def test_geminis_answers_are_found_in_both_places(place: str, run_llmstream: Command, office: Office) -> None:
    job = Deferred(run_llmstream, office, "gemini")
    job()
    inlined = {"inlinedResponses": [gemini_outcome(*one) for one in office.batches["b1"].requests]}
    document: dict[str, object] = {"metadata": {"state": "JOB_STATE_SUCCEEDED"}, "response": inlined}
    if place == "output":
        document = {"metadata": {"state": "BATCH_STATE_SUCCEEDED", "output": {"inlinedResponses": inlined}}}
    office.faults = [Fault(LOOK["gemini"], 200, json.dumps(document).encode())]
    assert job().status == 0
    assert job.texts() == ANSWERS


def test_what_an_expired_batch_did_not_answer_is_sent_again(run_llmstream: Command, office: Office) -> None:
    job = Deferred(run_llmstream, office, "gemini")
    job()
    office.faults = [Fault(LOOK["gemini"], 200, b'{"metadata": {"state": "BATCH_STATE_EXPIRED"}}')]
    run = job()
    assert run.status == 0
    assert "submitted 3 prompts" in run.err
    assert job("--wait").status == 0
    assert job.texts() == ANSWERS


def test_geminis_answer_that_does_not_say_whose_it_is_is_refused(
    run_llmstream: Command, office: Office
) -> None:
    job = Deferred(run_llmstream, office, "gemini")
    job()
    document = {
        "metadata": {"state": "BATCH_STATE_SUCCEEDED"},
        "response": {"inlinedResponses": [{"response": {}}]},
    }
    office.faults = [Fault(LOOK["gemini"], 200, json.dumps(document).encode())]
    run = job()
    assert run.status != 0
    assert "has no key that matches it" in run.err
