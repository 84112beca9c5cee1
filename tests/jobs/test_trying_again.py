"""What `llmstream batch` does with refusals: once more, somebody else, the next prompt, or the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.command import Run
from jobs.commanding import batch, objects, prompts
from jobs.conftest import Provider

SECOND = "[providers.q]\nadapter = 'openai-chat'\nbase_url = 'http://127.0.0.1:{}/v1'\napi_key = 'k'\nmodel = 'n'\n"


def asked(provider: Provider, folder: Path, text: str, *arguments: str) -> Run:
    """Ask some lines with a second provider ``q/n`` at hand, answers into ``out``."""
    (folder / "in.txt").write_text(text)
    more = SECOND.format(provider.port)
    return batch(provider, folder, "in.txt", "--output", "out", "--ordered", *arguments, more=more)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_tried_again(provider: Provider, tmp_path: Path, status: int) -> None:
    run = asked(provider, tmp_path, f"once {status} {tmp_path.name}\n", "--timeout-total", "60")
    assert run.status == 0, run.err
    assert len(provider.asked) == 2


def test_without_retries_a_passing_refusal_is_a_failure(provider: Provider, tmp_path: Path) -> None:
    assert asked(provider, tmp_path, f"once 500 {tmp_path.name}\n", "--retries", "0").status == 11
    assert len(provider.asked) == 1


def test_one_prompt_that_is_always_refused_does_not_hold_up_the_rest(
    provider: Provider, tmp_path: Path
) -> None:
    run = asked(provider, tmp_path, f"good\nrefuse 500 {tmp_path.name}\nfine\n", "--retries", "1")
    assert run.status == 11
    assert [one["error"] is None for one in objects(tmp_path / "out")] == [True, False, True]
    assert provider.asked.count(f"refuse 500 {tmp_path.name}") == 2


def test_a_fallback_answers_what_the_first_refuses(provider: Provider, tmp_path: Path) -> None:
    run = asked(provider, tmp_path, "only m one\nonly n two\nonly x three\n", "--fallback", "q/n")
    assert run.status == 11
    found = objects(tmp_path / "out")
    assert [one["provider"] for one in found] == ["p", "q", "q"]
    assert [one["text"] for one in found] == ["re: only m one", "re: only n two", ""]


def test_a_line_asks_its_own_model_and_the_fallback_after_it(provider: Provider, tmp_path: Path) -> None:
    lines = '{"id": 1, "model": "q/m2", "prompt": "only m2"}\n{"id": 2, "model": "p/x", "prompt": "only n"}\n'
    run = asked(provider, tmp_path, lines, "--fallback", "q/n")
    assert run.status == 0, run.err
    assert [(one["provider"], one["model"]) for one in objects(tmp_path / "out")] == [("q", "m2"), ("q", "n")]


def test_an_unknown_provider_in_a_line_is_said_before_anything_is_sent(
    provider: Provider, tmp_path: Path
) -> None:
    run = asked(provider, tmp_path, 'good\n{"model": "nobody/x", "prompt": "y"}\n')
    assert run.status != 0
    assert "line 2" in run.err and "nobody" in run.err
    assert provider.asked == []


def test_enough_failures_end_it(provider: Provider, tmp_path: Path) -> None:
    text = "".join(f"refuse 422 {number}\n" for number in range(30))
    run = asked(provider, tmp_path, text, "--max-failures", "3", "-j", "2")
    assert run.status == 11
    assert 3 <= len(provider.asked) <= 4
    assert len(objects(tmp_path / "out")) == len(provider.asked)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_every_prompt_would_meet_ends_it_at_once(
    provider: Provider, tmp_path: Path, status: int
) -> None:
    text = "".join(f"refuse {status} {number}\n" for number in range(30))
    run = asked(provider, tmp_path, text, "-j", "2")
    assert run.status not in (0, 11)
    assert "not this one" in run.err
    assert len(provider.asked) <= 3


def test_a_run_that_ended_early_is_gone_on_with(provider: Provider, tmp_path: Path) -> None:
    name = tmp_path.name
    text = "".join(f"once 401 {name} {number}\n" for number in range(3))
    for _ in range(4):
        run = asked(provider, tmp_path, text, "-j", "1")
    assert run.status == 0
    assert len(objects(tmp_path / "out")) == 3


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--jobs", "0"], "--jobs must be 1 or more"),
        (["--rpm", "0"], "--rpm must be more than 0"),
        (["--tpm", "nan"], "--tpm"),
        (["--max-failures", "0"], "--max-failures must be 1 or more"),
        (["--output", "in.jsonl"], "is the input"),
        (["--ray", "--output", "s3://bucket/out"], "a local path"),
    ],
)
def test_what_can_not_be_meant_is_refused_before_anything_is_sent(
    provider: Provider, tmp_path: Path, flags: list[str], said: str
) -> None:
    prompts(tmp_path / "in.jsonl", 1)
    before = (tmp_path / "in.jsonl").read_bytes()
    run = batch(provider, tmp_path, "in.jsonl", *flags)
    assert run.status == 2
    assert said in run.err
    assert provider.asked == []
    assert (tmp_path / "in.jsonl").read_bytes() == before


def test_a_dry_run_looks_at_a_file_that_it_can_not_use(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 1)
    (tmp_path / "folder").mkdir()
    run = batch(provider, tmp_path, "in.jsonl", "--output", "folder", "--dry-run")
    assert run.status == 2
    assert "can't read folder" in run.err
    assert batch(provider, tmp_path, "in.jsonl", "--dry-run").out.startswith("prompts: 1\n")
    assert batch(provider, tmp_path, "in.jsonl", "--output", "folder", "--dry-run", "--fresh").status == 0


def test_a_file_goes_with_each_prompt_and_is_part_of_what_is_asked(
    provider: Provider, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    (tmp_path / "in.txt").write_text("look\n")
    assert batch(provider, tmp_path, "in.txt", "--output", "out", "-a", "a.png").status == 0
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(30))
    assert batch(provider, tmp_path, "in.txt", "--output", "out", "-a", "a.png").status == 0
    assert len(provider.asked) == 2
    assert len(objects(tmp_path / "out")) == 1


def test_who_waits_for_a_place_when_the_key_is_refused_is_left_for_the_next_run(
    provider: Provider, tmp_path: Path
) -> None:
    run = asked(provider, tmp_path, "refuse 401 now\none\ntwo\n", "--rpm", "30")
    assert run.status not in (0, 11)
    assert provider.asked == ["refuse 401 now"]
    assert [one["id"] for one in objects(tmp_path / "out")] == ["1"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_prompt_that_is_refused_while_others_are_answered_is_tried_again(
    provider: Provider, tmp_path: Path, status: int
) -> None:
    name = tmp_path.name
    run = asked(provider, tmp_path, f"gate {name} {status}\nmeanwhile\nopen {name}\n", "-j", "2")
    assert run.status == 0, run.err
    assert provider.asked.count(f"gate {name} {status}") == 2
    assert len(provider.asked) == 4
