"""The command as a user and a script meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from llmstream.render.jsonl import schema

from .conftest import Run
from .provider import TEXT, Provider

KEY = "sk-secret-1234567"
ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])


@ENGINES
@pytest.mark.parametrize("adapter", ["openai-chat", "openai-completions"])
def test_standard_output_is_the_answer_and_one_newline(run: Run, engine: str, adapter: str) -> None:
    done = run(engine, "hi", adapter=adapter)
    assert (done.stdout, done.stderr, done.returncode) == (TEXT + "\n", "", 0)


@pytest.mark.parametrize(
    ("arguments", "stdin", "sent"),
    [
        (["two", "words"], "", "two words"),
        (["before"], "piped", "before\n\npiped"),
        (["say {stdin} twice"], "piped\n", "say piped twice"),
        ([], "piped", "piped"),
        (["-"], "piped", "piped"),
        (["--no-stdin", "words"], "piped", "words"),
        (["--", "-x", "--help"], "", "-x --help"),
        (["--", "models"], "", "models"),
    ],
)
def test_where_the_prompt_comes_from(
    run: Run, provider: Provider, arguments: list[str], stdin: str, sent: str
) -> None:
    assert run(*arguments, stdin=stdin).returncode == 0
    body = provider.seen["ok"][-1]["body"]
    assert isinstance(body, dict)
    assert body["messages"] == [{"role": "user", "content": sent}]


def test_options_reach_the_request(run: Run, provider: Provider) -> None:
    arguments = ["-m", "p/m9", "-s", "be brief", "-o", "top_k=4", "--temperature", "0", "--max-tokens", "7"]
    assert run(*arguments, "--stop", "END", "--seed", "3", "hi").returncode == 0
    body = provider.seen["ok"][-1]["body"]
    assert isinstance(body, dict)
    assert body["model"] == "m9"
    assert body["messages"][0] == {"role": "system", "content": "be brief"}
    wanted = {"top_k": 4, "temperature": 0.0, "max_tokens": 7, "stop": ["END"], "seed": 3}
    assert {key: body[key] for key in wanted} == wanted


def test_separator_follows_every_chunk_and_n_adds_no_newline(run: Run) -> None:
    assert run("-S", "|", "-n", "hi").stdout == "Hello|, |wörld|\n|bye|"


def test_no_stream_is_one_chunk(run: Run) -> None:
    assert run("--no-stream", "-S", "|", "-n", "hi").stdout == TEXT + "|"


@ENGINES
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("scenario", ["ok", "401", "cut", "429-then-ok"])
def test_events_are_one_start_deltas_and_one_end(run: Run, engine: str, version: str, scenario: str) -> None:
    done = run(engine, "--events-version", version, "hi", scenario=scenario)
    validator = Draft202012Validator(json.loads(schema()))
    events = [json.loads(line) for line in done.stdout.split("\n") if line]
    for event in events:
        validator.validate(event)
    names = [event["event"] for event in events]
    failed = scenario in ("401", "cut")
    assert names[0] == "on_llm_start"
    assert names[-1] == ("on_llm_error" if failed else "on_llm_end")
    assert sum(name.endswith(("start", "end", "error")) for name in names) == 2
    assert [event["seq"] for event in events] == list(range(len(events)))
    text = "".join(event["data"]["chunk"] for event in events if event["event"] == "on_llm_stream")
    assert text == ("" if scenario == "401" else TEXT)


def test_events_come_also_without_a_key(run: Run) -> None:
    done = run("--events", "hi", TEST_KEY="")
    assert done.returncode == 3
    events = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert [event["event"] for event in events] == ["on_llm_start", "on_llm_error"]
    assert "TEST_KEY" in events[-1]["data"]["error"]["message"]


def test_json_is_one_object(run: Run) -> None:
    found = json.loads(run("--json", "hi").stdout)
    assert (found["text"], found["provider"], found["finish_reason"]) == (TEXT, "p", "stop")


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "status", "said"),
    [("401", 4, "401"), ("404", 5, "m1"), ("429", 6, "429"), ("500", 6, "500"), ("cut", 9, "early")],
)
def test_each_failure_has_its_status_and_one_clear_message(
    run: Run, engine: str, scenario: str, status: int, said: str
) -> None:
    done = run(engine, "-q", "hi", scenario=scenario)
    assert done.returncode == status
    assert said in done.stderr
    assert KEY not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.stdout == (TEXT + "\n" if scenario == "cut" else "")


@ENGINES
def test_a_stalled_answer_ends_by_its_limit(run: Run, engine: str) -> None:
    done = run(engine, "--timeout-idle", "0.3", "hi", scenario="stall")
    assert (done.stdout, done.returncode) == (TEXT + "\n", 8)
    assert "stalled" in done.stderr


def test_retry_and_length_are_told(run: Run, provider: Provider) -> None:
    provider.seen["429-then-ok"].clear()
    done = run("hi", scenario="429-then-ok")
    assert (done.stdout, done.returncode) == (TEXT + "\n", 0)
    assert "retrying in" in done.stderr
    assert "token limit" in run("hi", scenario="length").stderr


def test_fallback_takes_the_place_of_a_model_that_fails(run: Run) -> None:
    done = run("--fallback", "other", "hi", scenario="401")
    assert (done.stdout, done.returncode) == (TEXT + "\n", 0)
    assert "falling back to other/m2" in done.stderr


def test_show_request_sends_nothing_and_shows_no_key(run: Run, provider: Provider) -> None:
    before = len(provider.seen["ok"])
    done = run("--show-request", "hi")
    assert done.stdout.startswith("curl ")
    assert "$TEST_KEY" in done.stdout
    assert KEY not in done.stdout
    assert len(provider.seen["ok"]) == before


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--modle", "x", "hi"], 2, "--model"),
        (["-o", "temprature=1", "hi"], 2, "temperature"),
        (["-m", "othr", "hi"], 3, "other"),
        ([""], 2, "prompt"),
        (["chat"], 2, "llmstream -- chat"),
        (["--retries", "many", "hi"], 2, "retries"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(run: Run, arguments: list[str], status: int, said: str) -> None:
    done = run(*arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["providers"], ["schema", "config"]])
def test_information_goes_to_standard_output(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stdout
    assert done.stderr == ""


def test_the_reader_may_go_away_in_silence(environment: dict[str, str], provider: Provider) -> None:
    config = Path(environment["HOME"]) / "c.toml"
    config.write_text(f'[providers.p]\nadapter="openai-chat"\nbase_url="{provider.url("ok")}"\nmodel="m"\n')
    command = f"{sys.executable} -m llmstream --config {config} -m p hi | true; exit ${{PIPESTATUS[0]}}"
    with config.open("a") as file:
        file.write('api_key_env = ""\n')
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 141)
    assert done.stderr == ""


@ENGINES
def test_ctrl_c_keeps_what_came_and_ends_the_line(
    environment: dict[str, str], provider: Provider, engine: str
) -> None:
    config = Path(environment["HOME"]) / "c.toml"
    config.write_text(
        f'[providers.p]\nadapter="openai-chat"\nbase_url="{provider.url("stall")}"\nmodel="m"\napi_key_env=""\n'
    )
    command = [sys.executable, "-m", "llmstream", "--config", str(config), "-m", "p", engine, "--stats", "hi"]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert child.stdout is not None
    assert child.stderr is not None
    seen = b""
    while not seen.endswith(b"bye"):
        seen += os.read(child.stdout.fileno(), 4096)
    child.send_signal(signal.SIGINT)
    assert child.wait(20) == 130
    assert child.stdout.read() == b"\n"
    said = child.stderr.read().decode()
    assert (said.count("\n"), said.rstrip().endswith("finish cancelled")) == (1, True)
    child.stdout.close()
    child.stderr.close()


def test_the_plain_path_loads_nothing_that_it_does_not_need(run: Run, tmp_path: Path) -> None:
    program = (
        "import sys, llmstream.cli as cli; status = cli.run(['hi']); "
        "sys.stderr.write(' '.join(sys.modules)); sys.exit(status)"
    )
    run("hi")  # writes the configuration
    environment = {**os.environ, "LLMSTREAM_CONFIG": str(tmp_path / "config.toml"), "TEST_KEY": KEY}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0
    forbidden = {"asyncio", "rich", "pydantic", "importlib.metadata", "sqlite3", "typer"}
    assert forbidden & set(done.stderr.split()) == set()


def test_no_certificates_are_loaded_for_http() -> None:
    from llmstream.transport.http_common import DIRECT, trust

    assert trust(DIRECT, https=False).cert_store_stats()["x509_ca"] == 0
