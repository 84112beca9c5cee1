"""`llmstream doctor`: how things stand, and what to do about those that are not well."""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.command import Command, Home
from fakes.fixtures import KEY, Fake
from fakes.screen import on_screen
from llmstream.cli.running import checks
from transport.raw_server import RawServer, serving

LIST = {"data": [{"id": "m1"}, {"id": "m2"}]}


def says(document: object, status: int = 200, kind: str = "application/json") -> bytes:
    """Return an HTTP answer with a document."""
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Clinic:
    """A provider named `acme` that answers every request alike, and the checks that are made of it."""

    def __init__(self, home: Home, command: Command, server: RawServer) -> None:
        self.home = home
        self.command = command
        self.server = server
        self.address = f"http://127.0.0.1:{server.port}/v1"

    def checks(self, *words: str, env: dict[str, str] | None = None) -> dict[str, Any]:
        """Run the checks; gives each by its name."""
        run = self.command("doctor", "--json", *words, env=env)
        found = {check["name"]: check for check in json.loads(run.out)["checks"]}
        failed = any(check["state"] == "fail" for check in found.values())
        assert run.status == (3 if failed else 0) and run.err == ""
        return found

    def of(self, answer: bytes, more: str = "", model: str = 'model = "m1"') -> tuple[str, str]:
        """Return state and words of a provider's check where the server gives this answer."""

        def handler(connection: socket.socket, number: int) -> None:
            connection.sendall(answer)

        self.server.handler = handler
        self.home.write(
            f'default = "acme"\n[providers.acme]\nadapter = "openai-chat"\nbase_url = "{self.address}"\n'
            f'api_key = "{KEY}"\n{model}\n{more}\n'
        )
        check = self.checks()["provider acme"]
        return check["state"], f"{check['detail']} | {check['hint']}"


@pytest.fixture
def clinic(home: Home, run_llmstream: Command) -> Iterator[Clinic]:
    """A provider, and the doctor."""
    with serving() as server:
        yield Clinic(home, run_llmstream, server)


@pytest.mark.parametrize(
    ("answer", "model", "state", "said"),
    [
        (says(LIST), 'model = "m1"', "ok", "m1"),
        (says(LIST), "", "fail", "no default model"),
        (says({"data": [{"id": "org/m1"}]}), 'model = "m1"', "ok", "m1"),
        (says({"data": [{"id": "m1:latest"}]}), 'model = "m1"', "ok", "m1"),
        (says({"data": []}), 'model = "m1"', "ok", "m1"),
        (says({"data": [{"id": "other"}]}), 'model = "m1"', "warn", "llmstream models acme"),
        (says({}, 404), 'model = "m1"', "warn", "no list of models"),
        (says({"error": {"message": "wrong key"}}, 401), 'model = "m1"', "fail", "key"),
        (says({"error": {"message": "it broke"}}, 500), 'model = "m1"', "fail", "it broke"),
        (says("<html><title>Log in</title>", kind="text/html"), 'model = "m1"', "fail", "page"),
    ],
)
def test_a_provider_is_checked_by_its_list_of_models(
    clinic: Clinic, answer: bytes, model: str, state: str, said: str
) -> None:
    found, words = clinic.of(answer, model=model)
    assert found == state and said in words and KEY not in words


def test_a_provider_whose_models_are_always_named_needs_no_default_one(clinic: Clinic) -> None:
    clinic.of(says(LIST))
    clinic.home.write(
        '[providers.acme]\nadapter = "openai-chat"\napi_key_env = ""\n' + f'base_url = "{clinic.address}"\n'
    )
    assert clinic.checks("acme")["provider acme"]["state"] == "ok"


def test_a_provider_that_says_nothing_is_waited_for_only_so_long(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 0.05)
    state, words = clinic.of(b"")
    assert state == "fail" and "network" in words


def test_offline_nobody_is_asked(clinic: Clinic) -> None:
    clinic.of(says(LIST))
    asked = len(clinic.server.heads)
    check = clinic.checks("--offline")["provider acme"]
    assert check["state"] == "ok" and check["skipped"] is True
    assert clinic.checks("--offline")["proxies"]["skipped"] is False
    assert len(clinic.server.heads) == asked


@pytest.mark.parametrize(
    ("table", "state", "said"),
    [
        ('adapter = "exec"\ncommand = ["no-such-program"]', "fail", "no-such-program"),
        ('adapter = "exec"\ncommand = ["cat"]', "ok", "no server"),
        ('adapter = "local"', "ok", "in this process"),
        ('adapter = "openai-chat"\nbase_url = "http://h/v1"\napi_key_env = "ACME_KEY"', "fail", "no API key"),
        ('adapter = "openai-chat"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = ""', "fail", "refused"),
    ],
)
def test_what_has_no_list_is_checked_by_what_it_needs(
    clinic: Clinic, table: str, state: str, said: str
) -> None:
    clinic.home.write(f"[providers.acme]\n{table}\n")
    check = clinic.checks("acme")["provider acme"]
    assert check["state"] == state and said in f"{check['detail']} {check['hint']}"


@pytest.mark.parametrize(
    ("line", "env", "state", "said"),
    [
        (f'api_key = "{KEY}"', {}, "ok", "[providers.acme]"),
        ('api_key_env = "ACME_KEY"', {"ACME_KEY": KEY}, "ok", "ACME_KEY"),
        ('api_key_env = "ACME_KEY"', {}, "fail", "ACME_KEY"),
        ('api_key_command = ["no-such-program"]', {}, "ok", "api_key_command"),
        ('api_key_file = "no-such-file"', {}, "fail", "no-such-file"),
        ('api_key_env = ""', {}, None, ""),
    ],
)
def test_a_key_is_said_to_be_there_but_never_shown(
    clinic: Clinic, line: str, env: dict[str, str], state: str | None, said: str
) -> None:
    clinic.home.write(f'[providers.acme]\nadapter = "openai-chat"\nbase_url = "http://h/v1"\n{line}\n')
    check = clinic.checks("--offline", "acme", env=env).get("key acme")
    assert (check and check["state"]) == state
    assert check is None or (said in f"{check['detail']} {check['hint']}" and KEY not in str(check))


def test_providers_with_a_key_in_the_environment_are_checked_too(clinic: Clinic) -> None:
    found = clinic.checks("--offline", env={"OPENAI_API_KEY": KEY})
    assert found["provider openai"]["state"] == found["key openai"]["state"] == "ok"
    assert clinic.command("doctor", "no-such-provider").status == 3


@pytest.mark.parametrize(
    ("text", "mode", "state", "said"),
    [
        ("temperature = [", 0o600, "fail", "config edit"),
        ('[providers.x]\nadapter = "openai-chat"\nbase_url = "http://h/v1"\napi_key = "k-12345"', 0o644, "warn", "chmod"),
        ('default = "openai"', 0o600, "ok", "config.toml"),
    ],
)  # fmt: skip
def test_the_configuration_file_is_checked(
    clinic: Clinic, text: str, mode: int, state: str, said: str
) -> None:
    assert clinic.checks("--offline")["configuration"]["state"] == "ok"
    clinic.home.write(text, mode)
    found = clinic.checks("--offline")
    check = found["configuration"]
    assert check["state"] == state and said in f"{check['detail']} {check['hint']}"
    assert "|" not in check["detail"]
    # of a file that can't be read nobody knows which providers it has
    assert ("local model" in found) == (state != "fail")


@pytest.mark.parametrize(
    ("env", "state", "said"),
    [
        ({}, "ok", "none"),
        ({"https_proxy": "http://me:secret@p:3128", "NO_PROXY": "x"}, "ok", "HTTPS_PROXY=p:3128"),
        ({"HTTP_PROXY": "p:3128", "ALL_PROXY": "socks://p"}, "ok", "HTTP_PROXY=p:3128"),
        ({"HTTP_PROXY": "ftp://p"}, "warn", "HTTP_PROXY"),
    ],
)
def test_the_proxies_of_the_environment_are_told_without_their_passwords(
    clinic: Clinic, env: dict[str, str], state: str, said: str
) -> None:
    check = clinic.checks("--offline", env=env)["proxies"]
    assert check["state"] == state and said in check["detail"] and "secret" not in str(check)


def test_a_certificate_file_that_is_not_there_is_named(clinic: Clinic, tmp_path: Path) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        check = clinic.checks("--offline", env={name: str(tmp_path / "nowhere")})["certificates"]
        assert check["state"] == "fail" and name in check["hint"]
    several = os.pathsep.join([str(tmp_path / "nowhere"), str(tmp_path)])
    assert clinic.checks("--offline", env={"SSL_CERT_DIR": several})["certificates"]["state"] == "ok"
    assert clinic.checks("--offline")["certificates"]["state"] == "ok"


@pytest.mark.parametrize(
    ("failure", "state", "said"), [(None, "warn", "none"), (ssl.SSLError(1, "broken"), "fail", "broken")]
)
def test_a_system_without_authorities_is_told_of(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, failure: Exception | None, state: str, said: str
) -> None:
    def load(*_: object) -> None:
        if failure is not None:
            raise failure

    paths = ssl.get_default_verify_paths()
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths._replace(capath=None))  # type: ignore[arg-type]
    check = clinic.checks("--offline")["certificates"]
    assert check["state"] == state and said in check["detail"] and check["hint"]


def test_the_local_model_matters_where_it_is_the_default(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    check = clinic.checks("--offline")["local model"]
    assert check["state"] == "fail" and "pip install" in check["hint"]
    clinic.home.write('default = "openai"\n')
    assert clinic.checks("--offline")["local model"]["state"] == "ok"


def test_the_history_is_counted_and_never_changed(fake: Fake, home: Home) -> None:
    def found(env: dict[str, str] | None = None) -> dict[str, str]:
        run = fake("ok")("doctor", "--offline", "--json", env=env)
        check: dict[str, str] = json.loads(run.out)["checks"][-1]
        return check

    assert "empty" in found()["detail"]
    fake("ok")("Hello")
    assert "1 run," in found()["detail"]
    assert "off" in found({"LLMSTREAM_NO_HISTORY": "1"})["detail"]
    [file] = (home.folder / "data" / "llmstream").glob("history*.db")
    file.write_bytes(b"no database" * 100)
    assert found()["state"] == "warn"
    assert file.read_bytes() == b"no database" * 100


def test_on_a_terminal_states_are_coloured_and_its_kind_is_told(fake: Fake) -> None:
    command = fake("ok")
    shown = on_screen(command, "doctor", "--offline", columns=91).out
    assert "\x1b[32mok" in shown and "xterm-256color, 91 columns" in shown
    shown = on_screen(command, "doctor", "--offline", env={"TERM": "dumb"}).out
    assert "\x1b" not in shown and "TERM=" in shown


def test_on_a_terminal_a_long_check_is_broken_between_words_below_its_beginning(fake: Fake) -> None:
    command = fake("ok")
    env = {"SSL_CERT_FILE": "/no/such/file/of/any/authority.pem", "NO_COLOR": "1"}
    shown = on_screen(command, "doctor", "--offline", columns=80, env=env).out
    lines = shown.replace("\r\n", "\n").split("\n")
    at = next(number for number, line in enumerate(lines) if "certificates" in line)
    start = lines[at].index("SSL_CERT_FILE")
    assert lines[at + 1][:start].strip() == "" and "unset SSL_CERT_FILE" in " ".join(lines[at : at + 4])


def test_each_check_is_a_line_and_its_remedy_stands_behind_it(fake: Fake) -> None:
    run = fake("ok")("doctor", "--offline", env={"HTTP_PROXY": "ftp://p"})
    assert run.status == 0
    lines = run.out.splitlines()
    assert all(line.startswith(("ok    ", "warn  ", "skip  ")) for line in lines)
    (provider,) = [line for line in lines if line.startswith("skip")]
    assert "provider fake" in provider and "--offline" in provider
    assert [line for line in lines if "->" in line] == [line for line in lines if line.startswith("warn")]
