"""What the options put into the request, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.fixtures import KEY, Fake


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (["--temperature", "0.5"], {"temperature": 0.5}),
        (["--max-tokens=7"], {"max_tokens": 7}),
        (["--top-p", "0.9"], {"top_p": 0.9}),
        (["--seed", "42"], {"seed": 42}),
        (["--stop", "END", "--stop", "\n"], {"stop": ["END", "\n"]}),
        (["-o", "temperature=0"], {"temperature": 0}),
        (["-o", "top_k=40", "-o", "min_p=0.1"], {"top_k": 40, "min_p": 0.1}),
        (["-o", "stop=1"], {"stop": ["1"]}),
        (["-o", "user=plain text"], {"user": "plain text"}),
        (["-o", 'logit_bias={ "5" = -100 }'], {"logit_bias": {"5": -100}}),
        (["-o", "temperature=0.1", "--temperature", "0.2"], {"temperature": 0.2}),
        (["-m", "fake/m2"], {"model": "m2"}),
        (["-m", "fake"], {"model": "m1"}),
        (["--no-stream"], {"stream": False}),
        (["--stream"], {"stream": True}),
    ],
)
def test_an_option_reaches_the_request(fake: Fake, arguments: list[str], sent: dict[str, Any]) -> None:
    assert fake("ok")(*arguments, "Hello").status == 0
    body = fake.provider.body()
    assert {name: body[name] for name in sent} == sent


def test_an_option_that_a_dialect_does_not_have_is_left_out_and_told(fake: Fake) -> None:
    run = fake("ok", adapter="openai-completions")("-o", "top_k=4", "-o", "min_p=0.1", "Hello")
    assert run.status == 0 and "doesn't support the option 'top_k'" in run.err
    assert fake.provider.body()["min_p"] == 0.1 and "top_k" not in fake.provider.body()


def test_the_legacy_endpoint_gets_the_bare_prompt(fake: Fake) -> None:
    more = "options = { temperature = 0, max_tokens = 512 }"
    assert fake("ok", adapter="openai-completions", more=more)("Hello").status == 0
    request = fake.provider.log()[0]
    assert request["path"].endswith("/v1/completions")
    assert request["headers"]["authorization"] == f"Bearer {KEY}"
    assert request["body"] == {
        "model": "m1", "prompt": "Hello", "stream": True, "temperature": 0, "max_tokens": 512,
        "stream_options": {"include_usage": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "model"),
    [
        ({"env": {"LLMSTREAM_MODEL": "fake/from-env"}}, "from-env"),
        ({"env": {"LLMSTREAM_MODEL": "fake/from-env"}, "flag": "fake/from-flag"}, "from-flag"),
        ({}, "m1"),
        ({"flag": "quick"}, "m2"),
        ({"flag": "fake/a/b"}, "a/b"),
    ],
)
def test_flags_beat_the_environment_which_beats_the_file(
    fake: Fake, where: dict[str, Any], model: str
) -> None:
    command = fake("ok", more='[aliases]\nquick = "fake/m2"')
    flag = ["-m", where["flag"]] if "flag" in where else []
    assert command(*flag, "Hello", env=where.get("env")).status == 0
    assert fake.provider.body()["model"] == model


def test_a_schema_asks_for_structured_output(fake: Fake) -> None:
    schema = '{"type": "object", "properties": {"a": {"type": "string"}}}'
    assert fake("ok")("--schema", schema, "Hello").status == 0
    sent = fake.provider.body()["response_format"]
    assert sent["type"] == "json_schema" and sent["json_schema"]["schema"]["type"] == "object"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--temprature", "0"], "--temperature"),
        (["--event"], "--events"),
        (["--max-token", "3"], "--max-tokens"),
        (["-o", "temprature=0"], 'did you mean "temperature"?'),
        (["-o", "max_token=5"], 'did you mean "max_tokens"?'),
        (["-o", "temperature"], "KEY=VALUE"),
        (["-o", "temperature=hot"], "temperature"),
        (["-o", "=1"], "KEY=VALUE"),
        (["--temperature", "hot"], "hot"),
        (["--temperature", "-1"], "temperature"),
        (["--max-tokens", "1.5"], "1.5"),
        (["--max-tokens", "0"], "max_tokens"),
        (["--retries", "-1"], "retries"),
        (["--timeout-first", "-1"], "timeout"),
        (["--timeout-idle", "nan"], "timeout"),
        (["--events-version", "v3"], "v1, v2"),
        (["--color", "blue"], "auto, always, never"),
        (["--reasoning", "maybe"], "show, hide"),
        (["--model"], "--model"),
        (["--schema", "{"], "not JSON"),
        (["-Z"], "-Z"),
    ],
)
def test_a_wrong_option_is_one_clear_line(fake: Fake, arguments: list[str], said: str) -> None:
    run = fake("ok")("Hello", *arguments)
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert run.err.startswith("llmstream: ") and "Traceback" not in run.err
    assert len([line for line in run.err.splitlines() if not line.startswith(" ")]) == 1
    assert fake.provider.log() == []


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("fakes/m1", 'did you mean "fake"?'),
        ("gorq", 'did you mean "groq"?'),
        ("antropic/claude", 'did you mean "anthropic"?'),
        ("nothing-like-it/m", "nothing-like-it"),
        ("qick", 'did you mean "quick"?'),
        ("\x1b[31mred", "?[31mred"),
    ],
)
def test_an_unknown_provider_gets_the_nearest_right_one(fake: Fake, model: str, said: str) -> None:
    run = fake("ok", more='[aliases]\nquick = "fake/m2"')("-m", model, "Hello")
    assert (run.status, run.out) == (3, "")
    assert said in run.err and "\x1b" not in run.err


def test_a_part_of_a_models_name_is_enough_and_said(fake: Fake) -> None:
    table = fake.provider.table("ok").replace('"m1"', '"very-special-model"')
    fake.home.write(table)
    run = fake.command("-m", "very-spec", "Hello")
    assert run.status == 0
    assert "very-special-model" in run.err
    assert fake.provider.body()["model"] == "very-special-model"
