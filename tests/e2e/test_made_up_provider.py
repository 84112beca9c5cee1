"""A service that nobody has heard of works from its lines of TOML alone, by the real command."""

from __future__ import annotations

import json

import pytest

from e2e.recorder import TEXT, Recorder
from fakes.command import Command, Home

KEY = "mu-0123456789-secret"
MADE_UP = """\
default = "acme"
[providers.acme]
adapter = "openai-chat"
base_url = "{address}/gateway/v1"
model = "wonder-7"
api_key_env = ["ACME_KEY", "ACME_TOKEN"]
headers = {{ X-Team = "search", User-Agent = "acme-cli/1" }}
options = {{ temperature = 0.25, max_tokens = 99, top_k = 7 }}
extra_body = {{ safe_mode = true, route = {{ region = "eu" }} }}
quirks = ["no-stream-options"]
max_retries = 0
timeout = {{ connect = 5, first_token = 30, idle = 30 }}
"""


@pytest.fixture
def acme(home: Home, recorder: Recorder) -> Recorder:
    """The made-up provider, configured and with its key in the environment."""
    home.write(MADE_UP.format(address=recorder.address))
    home.environment["ACME_TOKEN"] = KEY
    return recorder


@pytest.mark.parametrize("engine", ["--sync", "--async"])
def test_its_table_says_all_that_the_request_needs(
    acme: Recorder, run_llmstream: Command, engine: str
) -> None:
    run = run_llmstream(engine, "-s", "Be brief.", "Say hello")
    assert (run.status, run.out, run.err) == (0, TEXT + "\n", "")
    [request] = acme.requests
    assert (request.method, request.path) == ("POST", "/gateway/v1/chat/completions")
    assert request.body == {
        "model": "wonder-7",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello"}],
        "stream": True,
        "temperature": 0.25,
        "max_tokens": 99,
        "top_k": 7,
        "safe_mode": True,
        "route": {"region": "eu"},
    }
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert (request.headers["x-team"], request.headers["user-agent"]) == ("search", "acme-cli/1")


def test_the_first_variable_that_is_set_has_the_key(acme: Recorder, run_llmstream: Command) -> None:
    assert run_llmstream("Hello", env={"ACME_KEY": "first-choice"}).status == 0
    assert acme.last.headers["authorization"] == "Bearer first-choice"


def test_flags_beat_its_options_and_another_model_can_be_named(
    acme: Recorder, run_llmstream: Command
) -> None:
    options = ["--temperature", "1", "-o", "top_k=3", "-o", "safe_mode=false", "--no-stream"]
    run = run_llmstream("-m", "acme/wonder/8:beta", *options, "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n")
    body = acme.last.body
    assert (body["model"], body["temperature"], body["top_k"]) == ("wonder/8:beta", 1, 3)
    assert body.get("stream") is not True


def test_without_the_quirk_usage_is_asked_for(acme: Recorder, home: Home, run_llmstream: Command) -> None:
    home.write(home.config.read_text().replace('["no-stream-options"]', "[]"))
    run = run_llmstream("--json", "Hello")
    assert acme.last.body["stream_options"] == {"include_usage": True}
    assert json.loads(run.out)["usage"]["total_tokens"] == 5
    assert json.loads(run.out)["provider"] == "acme"


def test_a_preset_starts_from_a_row_whose_key_stays_at_home(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    table = f'[providers.mine]\npreset = "groq"\nbase_url = "{recorder.address}/v1"\n'
    home.write(table)
    home.environment |= {"GROQ_API_KEY": KEY, "MINE_KEY": "my-own"}
    refused = run_llmstream("-m", "mine", "Hello")
    # the variable of the row is for the address of the row
    assert refused.status == 3 and recorder.requests == [] and KEY not in refused.err
    home.write(table + 'api_key_env = "MINE_KEY"\noptions = { temperature = 0 }\n')
    run = run_llmstream("-m", "mine", "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n")
    assert recorder.last.body["model"] == "openai/gpt-oss-20b"
    assert recorder.last.body["temperature"] == 0
    assert recorder.last.headers["authorization"] == "Bearer my-own"
    home.write(table + 'api_key_env = "GROQ_API_KEY"\nmodel = "other"\n')
    assert run_llmstream("-m", "mine", "Hello").status == 0
    assert recorder.last.body["model"] == "other"
    assert recorder.last.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("adapter", "suffix", "path", "key_header"),
    [
        ("openai-completions", "/v1", "/v1/completions", "authorization"),
        ("openai-responses", "/v1", "/v1/responses", "authorization"),
        ("anthropic", "", "/v1/messages", "x-api-key"),
        ("gemini", "/v1beta", "/v1beta/models/wonder-7:streamGenerateContent?alt=sse", "x-goog-api-key"),
        ("ollama", "", "/api/chat", "authorization"),
        ("cohere", "", "/v2/chat", "authorization"),
        ("bedrock", "", "/model/wonder-7/converse-stream", "authorization"),
    ],
)
@pytest.mark.parametrize("engine", ["--sync", "--async"])
def test_every_other_dialect_works_in_the_same_way(
    acme: Recorder, home: Home, run_llmstream: Command,
    adapter: str, suffix: str, path: str, key_header: str, engine: str,
) -> None:  # fmt: skip
    text = home.config.read_text().replace("/gateway/v1", suffix).replace('"openai-chat"', f'"{adapter}"')
    home.write(text.replace('quirks = ["no-stream-options"]\n', ""))
    run = run_llmstream(engine, "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n"), run.err
    [request] = acme.requests
    assert request.path == path
    assert request.headers[key_header].endswith(KEY) and request.headers["x-team"] == "search"
    assert request.body["safe_mode"] is True and request.body["route"] == {"region": "eu"}
    assert "wonder-7" in request.path or request.body["model"] == "wonder-7"
