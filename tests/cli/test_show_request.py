"""`--show-request`: a curl command that works, without the key."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from fakes.fixtures import KEY, Fake

NASTY = """it's "quoted" $HOME `id` \\ été 🥤
second line"""


def by_variable(fake: Fake, adapter: str = "openai-chat") -> None:
    """Configure the key as a variable's."""
    table = fake.provider.table(adapter=adapter).replace(f'api_key = "{KEY}"', 'api_key_env = "FAKE_KEY"')
    fake.home.write(f'default = "fake"\n{table}')


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("adapter", ["openai-chat", "openai-completions"])
def test_the_printed_command_sends_what_we_would_send(fake: Fake, adapter: str) -> None:
    by_variable(fake, adapter)
    run = fake.command("--show-request", "-o", "temperature=0", NASTY, env={"FAKE_KEY": KEY})
    assert (run.status, run.err) == (0, "")
    assert KEY not in run.out and "$FAKE_KEY" in run.out
    assert fake.provider.log() == []
    environment = {**fake.home.environment, "FAKE_KEY": KEY}
    shown = subprocess.run(
        ["sh", "-c", run.out], capture_output=True, check=True, env=environment, timeout=30
    )
    assert shown.stdout.startswith(b"data: ")
    assert fake.command("-o", "temperature=0", NASTY, env={"FAKE_KEY": KEY}).status == 0
    theirs, ours = fake.provider.log()
    assert theirs["body"] == ours["body"]
    for name in ("authorization", "content-type", "accept"):
        assert theirs["headers"][name] == ours["headers"][name]


def test_it_needs_no_key(fake: Fake) -> None:
    by_variable(fake)
    run = fake.command("--show-request", "Hello")
    assert run.status == 0 and fake.provider.base_url() in run.out


def test_a_literal_key_is_not_shown(fake: Fake) -> None:
    run = fake("ok")("--show-request", "Hello")
    assert run.status == 0 and KEY not in run.out


def test_a_secret_header_is_not_shown(fake: Fake) -> None:
    more = 'headers = { Authorization = "Bearer sk-other", X-Api-Key = "abcdefgh", X-Team = "search" }'
    run = fake("ok", more=more)("--show-request", "Hello")
    assert "sk-other" not in run.out and "abcdefgh" not in run.out
    assert '"Authorization: $AUTHORIZATION"' in run.out and '"X-Api-Key: $X_API_KEY"' in run.out
    assert "'X-Team: search'" in run.out


@pytest.mark.parametrize("provider", ["anthropic", "gemini", "openai-responses", "cohere", "ollama"])
def test_every_dialect_shows_its_request(fake: Fake, provider: str) -> None:
    run = fake.command("-m", f"{provider}/m", "--show-request", "Hello", env={"ANTHROPIC_API_KEY": KEY})
    assert run.status == 0 and KEY not in run.out
    body = run.out.split("--data-binary ")[1].strip().strip("'")
    assert "Hello" in json.dumps(json.loads(body))
