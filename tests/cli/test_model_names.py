"""`-m` reaches the model that was meant, or nobody."""

from __future__ import annotations

import pytest

from fakes.fixtures import KEY, Fake


def configured(fake: Fake, more: str = "") -> None:
    table = fake.provider.table()
    other = fake.provider.table(name="other").replace('model = "m1"', 'model = "team/wide-model-2"')
    fake.home.write(f'default = "fake"\n[aliases]\nfast = "fake/m2"\n{table}{other}{more}')


@pytest.mark.parametrize("name", ["f", "oc", "", "/", "groq/", "fast/", "fake/", " ", "ide", "odel", "zzz"])
def test_a_name_that_means_nobody_reaches_nobody(fake: Fake, name: str) -> None:
    configured(fake)
    run = fake.command("-m", name, "hello")
    assert run.status == 3 and len(run.err.splitlines()) <= 4
    assert fake.provider.log() == []


@pytest.mark.parametrize(("name", "model"), [("wide", "team/wide-model-2"), ("model-2", "team/wide-model-2")])
def test_a_part_that_begins_a_word_of_one_model_is_taken_and_told(fake: Fake, name: str, model: str) -> None:
    configured(fake)
    run = fake.command("-m", name, "hello")
    assert run.status == 0 and f'using other/{model} for "{name}"' in run.err
    assert fake.provider.body()["model"] == model


@pytest.mark.parametrize(
    ("name", "meant"), [("FAST", "fast"), ("fats", "fast"), ("othr", "other"), ("gorq", "groq")]
)
def test_a_near_miss_is_named_and_not_guessed(fake: Fake, name: str, meant: str) -> None:
    configured(fake)
    run = fake.command("-m", name, "hello")
    assert run.status == 3 and f'did you mean "{meant}"?' in run.err
    assert fake.provider.log() == []


def test_a_provider_that_wants_no_key_is_not_preferred(fake: Fake) -> None:
    table = fake.provider.table(name="free").replace(f'api_key = "{KEY}"', 'api_key_env = ""')
    configured(fake, table.replace('model = "m1"', 'model = "wide-open"'))
    run = fake.command("-m", "wide-open", "hello")
    assert run.status == 0
    fake.home.write(fake.home.config.read_text().replace(f'api_key = "{KEY}"\n', 'api_key_env = "NOT_SET"\n'))
    run = fake.command("-m", "wide", "hello")
    assert run.status == 3 and '"wide" matches 2 models; choose one' in run.err


def test_without_a_key_the_fallback_is_asked_and_told(fake: Fake) -> None:
    configured(fake)
    run = fake.command("-m", "openai", "--fallback", "fake", "hello")
    assert run.status == 0 and "falling back to fake/m1: no API key for openai" in run.err


def test_a_fallback_without_a_key_is_a_warning_until_it_is_needed(fake: Fake) -> None:
    configured(fake)
    run = fake.command("--fallback", "groq", "hello")
    assert run.status == 0 and run.err == "llmstream: warning: the fallback groq has no API key\n"
    run = fake.command("-m", "openai", "--fallback", "groq", "hello")
    assert run.status == 3 and "no API key for groq" in run.err
    # and then what the first one said is told too
    run = fake("500", more="max_retries = 0")("--fallback", "groq", "hello")
    assert run.status == 3 and "no API key for groq" in run.err
    assert "500 Internal Server Error: it broke" in run.err
