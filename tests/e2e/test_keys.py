"""Where keys come from and where they never show, by the real command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from e2e.recorder import TEXT, Recorder
from fakes.command import Command, Home

KEY = "ky-0123456789-secret"
CALLS = "calls"
TELLER = f"""\
import pathlib
pathlib.Path({CALLS!r}).open("a").write("called\\n")
print({KEY!r})
print("second line")
"""


def table(recorder: Recorder, name: str, key: str, more: str = "") -> str:
    """Return a provider for a configuration file."""
    return (
        f'[providers.{name}]\nadapter = "openai-chat"\nbase_url = "{recorder.address}/v1"\nmodel = "m"\n'
        f"{key}\nmax_retries = 0\n{more}\n"
    )


def teller(home: Home) -> str:
    """Return the setting of a command that writes down each call and tells the key in its first line."""
    script = home.folder / "teller.py"
    script.write_text(TELLER)
    return f"api_key_command = {json.dumps([sys.executable, str(script)])}"


def calls(home: Home) -> int:
    """Return how often the teller was called; it runs in the folder of the command."""
    path = home.folder / CALLS
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def keyring(home: Home) -> Path:
    """The file of a keyring that the command in the home uses."""
    pytest.importorskip("keyring")
    file = home.folder / "keyring.json"
    home.environment |= {
        "PYTHON_KEYRING_BACKEND": "file_keyring.FileKeyring",
        "PYTHONPATH": str(Path(__file__).parent),
        "TEST_KEYRING": str(file),
    }
    return file


@pytest.fixture(params=["variable", "command", "file", "literal", "keyring"])
def way(request: pytest.FixtureRequest, home: Home, recorder: Recorder) -> str:
    """Each way to a key in turn, configured for the provider ``acme``, which is the default."""
    key = ""
    if request.param == "variable":
        key = 'api_key_env = "ACME_KEY"'
        home.environment["ACME_KEY"] = KEY
    elif request.param == "command":
        key = teller(home)
    elif request.param == "file":
        key = 'api_key_file = "key.txt"'
        home.config.parent.mkdir(parents=True)
        home.config.with_name("key.txt").write_text(KEY + "\n")
    elif request.param == "literal":
        key = f'api_key = "{KEY}"'
    else:
        file: Path = request.getfixturevalue("keyring")
        file.write_text(json.dumps({"llmstream acme": KEY}))
    home.write('default = "acme"\n' + table(recorder, "acme", key))
    return str(request.param)


@pytest.mark.parametrize("engine", ["--sync", "--async"])
def test_the_key_arrives_and_shows_nowhere(
    way: str, engine: str, recorder: Recorder, run_llmstream: Command
) -> None:
    run = run_llmstream(engine, "--debug", "--events", "Hello")
    assert run.status == 0, run.err
    assert recorder.last.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in run.out + run.err


def test_a_request_that_is_shown_has_the_variable_in_the_place_of_the_key(
    way: str, recorder: Recorder, run_llmstream: Command, home: Home
) -> None:
    run = run_llmstream("--show-request", "--debug", "Hello")
    shown = "$ACME_KEY" if way == "variable" else "$API_KEY"
    assert run.status == 0 and f'-H "authorization: Bearer {shown}"' in run.out
    assert KEY not in run.out + run.err
    assert (recorder.requests, calls(home)) == ([], 0)


def test_an_error_that_repeats_the_key_is_shown_without_it(
    way: str, recorder: Recorder, run_llmstream: Command
) -> None:
    recorder.refusals = [401]
    run = run_llmstream("--debug", "--events", "Hello")
    assert run.status == 4 and recorder.last.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in run.out + run.err
    shown = {"variable": "[$ACME_KEY]", "file": "[api_key_file ", "command": "[api_key_command "}.get(
        way, "["
    )
    assert f"Bearer {shown}" in run.err


def test_a_command_is_run_once_however_often_its_key_is_sent(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write('default = "acme"\n' + table(recorder, "acme", teller(home)).replace("= 0", "= 3"))
    recorder.refusals = [503]
    run = run_llmstream("-q", "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n")
    assert [r.headers["authorization"] for r in recorder.requests] == [f"Bearer {KEY}"] * 2
    assert calls(home) == 1


def test_a_command_is_run_only_when_its_key_is_needed(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    free = table(recorder, "free", 'api_key_env = ""')
    home.write('default = "free"\n' + free + table(recorder, "acme", teller(home)))
    for arguments in (
        ["--fallback", "acme", "Hello"],
        ["-m", "acme", "--show-request", "Hello"],
        ["providers"],
        ["config", "show", "-m", "acme"],
        ["config", "check"],
        ["models", "free"],
    ):
        assert run_llmstream(*arguments).status == 0
        assert calls(home) == 0, arguments
    recorder.refusals = [500]
    run = run_llmstream("--fallback", "acme", "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n")
    assert calls(home) == 1
    assert "authorization" not in recorder.requests[-2].headers
    assert recorder.last.headers["authorization"] == f"Bearer {KEY}"


def test_no_shell_sees_a_command(home: Home, recorder: Recorder, run_llmstream: Command) -> None:
    odd = "$HOME;`id`|$(id)>x*&&"
    code = "import sys; print(sys.argv[1])"
    home.write(table(recorder, "acme", f"api_key_command = {json.dumps([sys.executable, '-c', code, odd])}"))
    assert run_llmstream("-m", "acme", "Hello").status == 0
    assert recorder.last.headers["authorization"] == f"Bearer {odd}"
    assert not (home.folder / "x").exists()


def test_a_command_does_not_get_the_prompt(home: Home, recorder: Recorder, run_llmstream: Command) -> None:
    code = "import sys; print('k' + str(len(sys.stdin.read())))"
    home.write(table(recorder, "acme", f"api_key_command = {json.dumps([sys.executable, '-c', code])}"))
    assert run_llmstream("-m", "acme", stdin="the prompt").status == 0
    assert recorder.last.headers["authorization"] == "Bearer k0"
    assert recorder.last.body["messages"][-1]["content"] == "the prompt"


def test_a_key_that_others_can_read_is_used_with_a_warning(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme", f'api_key = "{KEY}"'), 0o644)
    run = run_llmstream("-m", "acme", "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n")
    assert "warning: " in run.err and str(home.config) in run.err and KEY not in run.err
    home.config.chmod(0o600)
    assert run_llmstream("-m", "acme", "Hello").err == ""


def test_a_keyring_keeps_lists_and_forgets(
    keyring: Path, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, "acme", ""))
    assert run_llmstream("-m", "acme", "Hello").status == 3
    run = run_llmstream("keys", "list")
    assert (run.status, run.out) == (0, "") and "no stored keys" in run.err
    # the key comes on standard input: arguments are seen by everybody on the machine
    run = run_llmstream("keys", "set", "acme", stdin=f"{KEY}\n")
    assert (run.status, run.out, run.err) == (
        0,
        "",
        "llmstream: stored the key for acme in the system keyring\n",
    )
    assert json.loads(keyring.read_text()) == {"llmstream acme": KEY}
    assert run_llmstream("keys", "list") == (0, "acme\n", "")
    assert run_llmstream("-m", "acme", "Hello").status == 0
    assert recorder.last.headers["authorization"] == f"Bearer {KEY}"
    rows = [json.loads(line) for line in run_llmstream("providers", "--json").out.splitlines()]
    assert next(row["key"] for row in rows if row["provider"] == "acme") == "keyring"
    assert run_llmstream("keys", "delete", "acme") == (0, "", "llmstream: deleted the stored key for acme\n")
    assert json.loads(keyring.read_text()) == {}
    run = run_llmstream("keys", "delete", "acme")
    assert run.status == 3 and "no key for acme" in run.err


def test_a_key_is_typed_unseen(keyring: Path, run_llmstream: Command) -> None:
    terminal = run_llmstream.on_terminal("keys", "set", "groq")
    terminal.wait_for("API key for groq (input is hidden): ")
    terminal.type(KEY + "\n")
    run = terminal.finish()
    assert run.status == 0 and KEY not in run.out
    assert json.loads(keyring.read_text()) == {"llmstream groq": KEY}


def test_the_variable_goes_before_the_keyring(
    keyring: Path, recorder: Recorder, home: Home, run_llmstream: Command
) -> None:
    keyring.write_text(json.dumps({"llmstream acme": "from-keyring"}))
    home.write(table(recorder, "acme", 'api_key_env = "ACME_KEY"'))
    assert run_llmstream("-m", "acme", "Hello", env={"ACME_KEY": KEY}).status == 0
    assert recorder.last.headers["authorization"] == f"Bearer {KEY}"
    assert run_llmstream("-m", "acme", "Hello").status == 0
    assert recorder.last.headers["authorization"] == "Bearer from-keyring"


def test_a_provider_that_wants_no_key_leaves_the_keyring_alone(
    keyring: Path, recorder: Recorder, home: Home, run_llmstream: Command
) -> None:
    keyring.write_text(json.dumps({"llmstream acme": KEY}))
    home.write(table(recorder, "acme", 'api_key_env = ""'))
    assert run_llmstream("-m", "acme", "Hello").status == 0
    assert "authorization" not in recorder.last.headers


@pytest.mark.parametrize(
    ("provider", "key", "status", "said"),
    [
        ("gorq", KEY, 3, 'did you mean "groq"?'),
        ("groq", "", 2, "is empty"),
        ("groq", "one\ntwo", 2, "control character"),
        ("groq", "schlüssel", 2, "ASCII"),
    ],
)
def test_what_can_be_no_key_is_not_kept(
    keyring: Path, run_llmstream: Command, provider: str, key: str, status: int, said: str
) -> None:
    run = run_llmstream("keys", "set", provider, stdin=key)
    assert run.status == status and said in run.err and not keyring.exists()
    assert not key or key not in run.err


def test_a_locked_keyring_has_no_key_and_says_so_when_asked_to_keep_one(
    keyring: Path, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    del home.environment["TEST_KEYRING"]
    home.write(table(recorder, "acme", ""))
    assert run_llmstream("-m", "acme", "Hello").status == 3
    run = run_llmstream("keys", "set", "acme", stdin=KEY)
    assert run.status == 3 and "the keyring refused to store the key" in run.err and KEY not in run.err


def test_without_a_keyring_the_file_is_named_before_a_key_is_asked_for(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    pytest.importorskip("keyring")
    home.write(table(recorder, "acme", ""))
    backend = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    run = run_llmstream.apart("keys", "set", "acme", stdin="", env=backend)
    assert run.status == 3
    assert "this system has no keyring" in run.err and "llmstream keys set acme --file" in run.err


def test_without_the_extra_the_remedy_is_named(home: Home, run_llmstream: Command) -> None:
    (home.folder / "keyring.py").write_text("raise ImportError('not here')")
    terminal = run_llmstream.on_terminal("keys", "set", "groq", env={"PYTHONPATH": str(home.folder)})
    run = terminal.finish()
    assert run.status == 3 and "pip install 'llmstream-cli[keyring]'" in run.out
    assert "keys set groq --file" in run.out and "not shown" not in run.out


def test_a_key_in_a_file_is_used_listed_and_forgotten(
    home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    (home.folder / "keyring.py").write_text("raise ImportError('not here')")
    home.environment["PYTHONPATH"] = str(home.folder)
    home.write(table(recorder, "acme", ""))
    run = run_llmstream("keys", "set", "acme", "--file", stdin=f"{KEY}\n")
    file = home.config.parent / "keys" / "acme.key"
    assert (run.status, run.out) == (0, "") and f"stored the key for acme in {file}" in run.err
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{KEY}\n", 0o600)
    assert run_llmstream("-m", "acme", "Hello").status == 0
    assert recorder.last.headers["authorization"] == f"Bearer {KEY}"
    assert run_llmstream("keys", "list") == (0, "acme\n", "")
    assert run_llmstream("keys", "delete", "acme") == (0, "", "llmstream: deleted the stored key for acme\n")
    assert not file.exists()
    assert run_llmstream("keys", "delete", "acme").status == 3
    assert run_llmstream("-m", "acme", "Hello").status == 3


@pytest.mark.parametrize(
    ("provider", "status", "said"),
    [
        ("open", 2, 'needs no API key (api_key_env = "")'),
        ("local", 2, "needs no API key"),
        ("zzz", 3, "unknown"),
    ],
)
def test_a_key_that_nobody_would_send_is_not_stored(
    home: Home, recorder: Recorder, run_llmstream: Command, provider: str, status: int, said: str
) -> None:
    home.write(table(recorder, "open", 'api_key_env = ""'))
    run = run_llmstream("keys", "set", provider, "--file", stdin=KEY)
    assert run.status == status and said in run.err
    assert not (home.config.parent / "keys").exists()


@pytest.mark.parametrize(
    ("setting", "origin"),
    [('api_key_env = "ACME_KEY"', "$ACME_KEY"), ('api_key = "other"', "api_key in [providers.acme]")],
)
def test_what_goes_before_a_stored_key_is_told(
    home: Home, recorder: Recorder, run_llmstream: Command, setting: str, origin: str
) -> None:
    home.write(table(recorder, "acme", setting))
    run = run_llmstream("keys", "set", "acme", "--file", stdin=KEY, env={"ACME_KEY": "other"})
    assert run.status == 0 and f"note: {origin} takes precedence over it" in run.err
