"""Models by name: lists of every dialect, aliases, and parts of names, by the real command."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from e2e.recorder import MODELS, TEXT, Recorder
from fakes.command import Command, Home
from fakes.lent import end_lent, with_model

KEY = "md-0123456789-secret"
LISTS = {
    "openai-completions": ("/v1", "/v1/models", "authorization"),
    "openai-chat": ("/v1", "/v1/models", "authorization"),
    "openai-responses": ("/v1", "/v1/models", "authorization"),
    "anthropic": ("", "/v1/models?limit=1000", "x-api-key"),
    "gemini": ("/v1beta", "/v1beta/models?pageSize=1000", "x-goog-api-key"),
    "ollama": ("", "/api/tags", "authorization"),
    "cohere": ("/cohere", "/cohere/v1/models?endpoint=chat&page_size=1000", "authorization"),
    "bedrock": ("", "/foundation-models?byOutputModality=TEXT", "authorization"),
}
DAY = 24 * 3600


def table(recorder: Recorder, name: str, adapter: str = "openai-chat", more: str = "") -> str:
    """Return a provider of the recorder for a configuration file."""
    return (
        f'[providers.{name}]\nadapter = "{adapter}"\nbase_url = "{recorder.address}{LISTS[adapter][0]}"\n'
        f'api_key = "{KEY}"\nmax_retries = 0\n{more}\n'
    )


def sent(recorder: Recorder) -> str:
    """Return the model that the last request asks."""
    return str(recorder.last.body["model"])


@pytest.mark.parametrize("adapter", LISTS)
def test_every_dialect_has_a_list_which_is_asked_for_with_the_key(
    adapter: str, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme", adapter))
    run = run_llmstream("models", "acme")
    assert (run.status, run.out) == (0, "".join(f"acme/{name}\n" for name in MODELS)), run.err
    [request] = recorder.requests
    assert (request.method, request.path, request.content) == ("GET", LISTS[adapter][1], b"")
    assert request.headers[LISTS[adapter][2]].endswith(KEY)
    assert "content-type" not in request.headers


def test_a_list_is_kept_for_a_day_and_asked_for_anew_when_told(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme"))
    for _ in range(2):
        assert run_llmstream("models", "acme").status == 0
    assert len(recorder.requests) == 1
    kept = home.folder / "cache" / "llmstream" / "models" / "acme.json"
    assert kept.stat().st_mode & 0o777 == 0o600 and KEY not in kept.read_text()
    document = json.loads(kept.read_text())
    kept.write_text(json.dumps({**document, "at": document["at"] - DAY}))
    run_llmstream("models", "acme")
    assert len(recorder.requests) == 2
    run_llmstream("models", "acme", "--refresh")
    assert len(recorder.requests) == 3
    # the list of another address is another one
    home.write(table(recorder, "acme").replace("/v1", "/other/v1"))
    run_llmstream("models", "acme")
    assert len(recorder.requests) == 4
    kept.write_text("{")
    assert run_llmstream("models", "acme").status == 0
    assert len(recorder.requests) == 5


def test_a_list_is_filtered_and_told_as_json(home: Home, recorder: Recorder, run_llmstream: Command) -> None:
    home.write('default = "acme"\n' + table(recorder, "acme"))
    assert run_llmstream("models", "-q", "BETA").out == "acme/beta-2\n"
    run = run_llmstream("models", "--json", "-q", "a")
    assert [json.loads(line) for line in run.out.splitlines()] == [
        {"provider": "acme", "model": name} for name in MODELS
    ]
    run = run_llmstream("models", "-q", "nothing")
    assert (run.status, run.out) == (0, "") and "no model" in run.err


def test_a_list_that_can_not_be_had_says_why_and_shows_no_key(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme").replace("/v1", "/nowhere/v2"))
    run = run_llmstream("models", "acme", "--debug")
    assert run.status == 5 and KEY not in run.err
    assert "acme (127.0.0.1" in run.err and "404" in run.err and "nothing here for" in run.err
    # no model was asked
    assert "  check base_url (" in run.err and "model name" not in run.err
    home.write('[providers.echo]\nadapter = "exec"\ncommand = ["echo"]\n')
    run = run_llmstream("models", "echo")
    assert run.status == 3 and "echo (exec) has no list of models" in run.err


@pytest.mark.parametrize(
    "listed",
    [
        b'["alpha-1", "beta-2"]',
        b'{"data": ["alpha-1", "beta-2"]}',
        b'{"models": [{"id": "alpha-1"}, {"name": "beta-2"}]}',
        b'{"data": null, "models": [{"model": "alpha-1"}, {"id": 7}, {"name": "beta-2"}]}',
        b'\xef\xbb\xbf{"data": [{"id": "beta-2"}, {"id": "alpha-1"}]}',
    ],
)
def test_a_list_of_an_odd_form_is_read(
    listed: bytes, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme"))
    recorder.listed = listed
    run = run_llmstream("models", "acme")
    assert (run.status, run.out) == (0, "".join(f"acme/{name}\n" for name in MODELS)), run.err


def test_an_error_in_place_of_a_list_is_one_whatever_its_status(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme"))
    for listed in (b'{"error": {"message": "no such team"}}', b'{"detail": "no such team"}'):
        recorder.listed = listed
        run = run_llmstream("models", "acme")
        assert run.status == 5 and "list of models: no such team" in run.err and run.out == ""


def test_an_empty_list_says_whose_it_is_and_is_asked_for_anew(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme"))
    recorder.listed = b'{"object": "list", "data": []}'
    run = run_llmstream("models", "acme")
    assert (
        (run.status, run.out) == (0, "") and "acme lists no models" in run.err and "-m acme/MODEL" in run.err
    )
    recorder.listed = b""
    assert run_llmstream("models", "acme").out == "acme/alpha-1\nacme/beta-2\n"


def test_a_login_page_and_a_port_where_nothing_listens_are_named(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme").replace("/v1", "/login/v1"))
    run = run_llmstream("models", "acme")
    assert (
        run.status == 9 and "the answer is a web page (text/html), not an API's answer: 'Sign in'" in run.err
    )
    assert "check for a proxy or login page in the way" in run.err
    with socket.socket() as taken:
        # bound, so that nobody else listens there, and not listening
        taken.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        home.write(f'[providers.acme]\nadapter = "openai-chat"\nbase_url = "{base_url}"\napi_key = "k"\n')
        for words in (["models", "acme"], ["-m", "acme/m", "--retries", "0", "Hello"]):
            run = run_llmstream(*words)
            assert run.status == 7 and "no connection: Connection refused" in run.err
            assert f"start the server or check base_url ({base_url})" in run.err


def test_models_of_this_machine_are_those_in_the_folder(home: Home, run_llmstream: Command) -> None:
    run = run_llmstream("models", "local")
    assert (run.status, run.out) == (0, "") and "llmstream pull smollm2" in run.err
    folder = home.folder / "data" / "llmstream" / "models"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "tiny.gguf").write_bytes(b"GGUF")
    assert run_llmstream("models", "local").out == "local/tiny\n"


def test_an_alias_is_written_once_changed_in_place_and_followed(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    before = "# mine\n" + table(recorder, "acme") + table(recorder, "other")
    home.write(before)
    assert run_llmstream("config", "alias", "fast", "acme/a/b").status == 0
    assert run_llmstream("config", "alias", "slow", "other/z").status == 0
    assert run_llmstream("config", "alias", "fast", "other/quick").status == 0
    text = home.config.read_text()
    assert text.startswith(before) and text.count("fast") == 1 and text.count("[aliases]") == 1
    assert oct(home.config.stat().st_mode & 0o777) == "0o600"
    for name, model in (("fast", "quick"), ("slow", "z")):
        run = run_llmstream("-m", name, "Hello")
        assert (run.status, run.out, run.err) == (0, TEXT + "\n", "")
        assert sent(recorder) == model
    assert run_llmstream("models", "fast").out.startswith("other/")


def test_an_alias_makes_the_file_where_there_is_none(home: Home, run_llmstream: Command) -> None:
    assert run_llmstream("config", "alias", "fast", "groq/llama-3.1-8b-instant").status == 0
    assert 'fast" = "groq/llama-3.1-8b-instant"' in home.config.read_text()
    run = run_llmstream("-m", "fast", "--show-request", "Hello")
    assert "api.groq.com" in run.out and "llama-3.1-8b-instant" in run.out


@pytest.mark.parametrize("form", ['aliases = { slow = "groq/a" }\n', '[ aliases ]\nslow = "groq/a"\n'])
def test_aliases_in_an_unusual_form_are_left_as_they_are(
    home: Home, run_llmstream: Command, form: str
) -> None:
    home.write(form)
    run = run_llmstream("config", "alias", "fast", "groq/b")
    assert run.status == 3 and "config edit" in run.err
    assert home.config.read_text() == form


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("fast", "gorq/m", 'did you mean "groq"?'),
        ("fa st", "groq/m", "can't be an alias"),
        ("", "groq/m", "can't be an alias"),
    ],
)
def test_an_alias_that_can_not_be_one_is_refused(
    run_llmstream: Command, home: Home, name: str, model: str, said: str
) -> None:
    run = run_llmstream("config", "alias", name, model)
    assert run.status == 3 and said in run.err and not home.config.exists()


@pytest.mark.parametrize("spec", ["beta", "BETA-2", "bet"])
def test_a_part_of_a_listed_models_name_is_enough_and_said(
    home: Home, recorder: Recorder, run_llmstream: Command, spec: str
) -> None:
    home.write(table(recorder, "acme"))
    run_llmstream("models", "acme")
    run = run_llmstream("-m", spec, "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n")
    assert run.err == f'llmstream: using acme/beta-2 for "{spec}"\n'
    assert sent(recorder) == "beta-2"


def test_a_part_of_several_names_is_an_error_that_lists_them(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(
        table(recorder, "one", more='model = "zeta-1"') + table(recorder, "two", more='model = "zeta-2"')
    )
    run = run_llmstream("-m", "zeta", "Hello")
    assert (run.status, run.out) == (3, "") and recorder.requests == []
    assert '"zeta" matches 2 models; choose one\n  one/zeta-1, two/zeta-2' in run.err


def test_a_whole_name_goes_before_longer_ones(home: Home, recorder: Recorder, run_llmstream: Command) -> None:
    home.write(
        table(recorder, "one", more='model = "zeta"') + table(recorder, "two", more='model = "zeta-2"')
    )
    run = run_llmstream("-m", "zeta", "Hello")
    assert run.status == 0 and "one/zeta for" in run.err and sent(recorder) == "zeta"


def test_a_model_that_can_be_asked_goes_before_one_without_a_key(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    keyless = table(recorder, "one", more='model = "zeta-1"').replace(
        f'api_key = "{KEY}"', 'api_key_env = "NO"'
    )
    home.write(keyless + table(recorder, "two", more='model = "zeta-2"'))
    run = run_llmstream("-m", "zeta", "Hello")
    assert run.status == 0 and "two/zeta-2" in run.err and sent(recorder) == "zeta-2"


def test_two_dialects_of_one_service_are_no_riddle(run_llmstream: Command, model: Path) -> None:
    with_model(run_llmstream.home.folder, model)
    run = run_llmstream("-m", "smollm2", "--show-request", "Hello")
    end_lent(run_llmstream.home.folder)
    assert run.status == 0 and "local/smollm2" in run.err and "/chat/completions" in run.out
    run = run_llmstream("-m", "gpt-5.4-mini", "--show-request", "Hello", env={"OPENAI_API_KEY": KEY})
    assert run.status == 0 and "openai/gpt-5.4-mini" in run.err and KEY not in run.out


def test_a_provider_that_has_gone_from_the_file_is_forgotten(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "old"))
    run_llmstream("models", "old")
    home.write(table(recorder, "acme", more='model = "beta-9"'))
    run = run_llmstream("-m", "beta", "Hello")
    assert run.status == 0 and "acme/beta-9" in run.err


def test_a_name_that_nothing_has_is_an_unknown_provider(run_llmstream: Command) -> None:
    run = run_llmstream("-m", "no-such-model-anywhere", "Hello")
    assert (run.status, run.out) == (3, "") and "unknown provider" in run.err
