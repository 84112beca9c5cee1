"""`llmstream batch --deferred`: each answer once, no batch made twice, whatever breaks in between."""

from __future__ import annotations

import pytest

from fakes.command import Command, Run
from jobs.deferring import ANSWERS, CREATE, INTERFACES, LOOK, Deferred
from jobs.office import Fault, Office
from llmstream.jobs.deferred import run as deferred_run


def test_a_job_is_sent_off_looked_at_and_fetched_by_the_same_command(job: Deferred) -> None:
    first = job()
    assert first.status == 0
    assert "submitted 3 prompts to p/m as " in first.err
    # sent off, and looked at: the second look finds it done
    assert "0 of 3 done; not finished yet" in first.err or job.office.batches["b1"].looks == 0
    while job.state.exists():
        last = job("--ordered")
    assert last.status == 0, last.err
    assert "3 answered, 0 failed" in last.err
    assert [*job.texts().items()] == [*ANSWERS.items()]
    assert len(job.office.batches) == 1
    again = job()
    assert again.status == 0
    assert "nothing left to run" in again.err


def test_each_kind_of_outcome_is_told_from_the_others(job: Deferred) -> None:
    job.input.write_text("good\nrefuse this\nexpire first\nodd one\n")
    assert job().status == 0
    last = job("--wait", "-q")
    assert last == Run(11, "", "")
    assert job.texts() == {"1": "re: good", "2": "", "3": "", "4": ""}
    errors = job.errors()
    assert [errors[id_]["type"] for id_ in "234"] == ["RequestRefused", "Unavailable", "BadMessage"]
    assert errors["2"]["status"] == 400
    assert all(error["message"].startswith("p: ") for error in errors.values())


@pytest.mark.parametrize("page", [100, 1])
def test_a_batch_whose_making_was_not_confirmed_is_found_and_not_made_again(job: Deferred, page: int) -> None:
    job.office.page = page
    job.office.make("somebody else's", [("x", "y")] * 3)
    job.office.faults = [Fault(CREATE[job.adapter], cut=0)]
    lost = job()
    assert lost.status != 0
    assert "batches:" in lost.err
    job.office.make("somebody else's too", [("x", "y")] * 2)
    found = job()
    assert found.status == 0, found.err
    assert "found " in found.err
    assert job("--wait").status == 0
    assert job.texts() == ANSWERS
    assert job.office.asked(CREATE[job.adapter]) == 1


def test_a_batch_that_was_never_made_is_made_by_the_next_run(job: Deferred) -> None:
    job.office.faults = [Fault(CREATE[job.adapter], cut=0)]
    job()
    job.office.batches.clear()
    again = job()
    assert again.status == 0
    assert "submitted 3 prompts" in again.err
    assert len(job.office.batches) == 1


def test_a_refused_batch_leaves_nothing_and_is_sent_again(job: Deferred) -> None:
    refusal = b'{"error": {"message": "no more today", "code": 429}}'
    job.office.faults = [Fault(CREATE[job.adapter], 429, refusal)]
    first = job()
    assert first.status != 0
    assert "no more today" in first.err
    assert not job.state.exists()
    assert job().status == 0
    assert job.state.exists()


def test_a_look_that_fails_for_a_moment_is_tried_again(job: Deferred) -> None:
    job()
    job.office.faults = [Fault(LOOK[job.adapter], 503), Fault(LOOK[job.adapter], cut=0)]
    assert job().status == 0
    assert job.office.faults == []


@pytest.mark.parametrize("adapter", ["openai-chat", "gemini"])
def test_a_batch_that_failed_says_why_and_is_sent_anew(
    adapter: str, run_llmstream: Command, office: Office
) -> None:
    job = Deferred(run_llmstream, office, adapter)
    job()
    office.batches["b1"].flaw = "the model sleeps"
    failed = job()
    assert failed.status != 0
    assert "failed: " in failed.err and "the model sleeps" in failed.err
    assert "run the same command again" in failed.err
    assert job("--wait").status == 0
    assert job.texts() == ANSWERS


@pytest.mark.parametrize("adapter", ["openai-chat", "anthropic"])
def test_results_that_break_off_are_fetched_again_and_none_is_doubled(
    adapter: str, run_llmstream: Command, office: Office
) -> None:
    job = Deferred(run_llmstream, office, adapter)
    job()
    where = {"openai-chat": "GET /v1/files/out", "anthropic": "GET /v1/messages/batches/b1/results"}[adapter]
    office.faults = [Fault(where, cut=cut) for cut in (5, 250, 400)]
    assert job("--wait").status == 0
    assert office.faults == []
    assert job.texts() == ANSWERS


def test_results_that_never_come_whole_are_fetched_by_the_next_run(openai_job: Deferred) -> None:
    openai_job()
    openai_job.office.faults = [Fault("GET /v1/files/out", cut=250)] * deferred_run.FETCHES
    assert openai_job("--wait").status != 0
    assert openai_job.state.exists()
    assert openai_job().status == 0
    assert openai_job.texts() == ANSWERS
    assert len(openai_job.office.batches) == 1


def test_what_does_not_fit_into_one_batch_goes_into_several(
    job: Deferred, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INTERFACES[job.adapter], "most", 2)
    job.input.write_text("".join(f"{number}\n" for number in range(5)))
    assert job().status == 0
    assert [len(batch.requests) for batch in job.office.batches.values()] == [2, 2, 1]
    assert job("--wait").status == 0
    assert len(job.texts()) == 5


def test_ids_of_any_kind_come_back_as_they_were(job: Deferred) -> None:
    lines = [
        '{"id": "é/\\u0000", "prompt": "one"}',
        '{"id": 2, "prompt": "two"}',
        '{"id": 2.5, "prompt": "three"}',
    ]
    job.input.with_suffix(".jsonl").write_text("\n".join(lines), "utf-8")
    job.input = job.input.with_suffix(".jsonl")
    assert job("--wait", "-o", "max_tokens=9").status == 0
    assert job.texts() == {"é/\0": "re: one", 2: "re: two", 2.5: "re: three"}
