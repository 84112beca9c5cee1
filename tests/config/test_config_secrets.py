"""Where keys come from, and that they stay where they belong."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from pathlib import Path

import pytest
from config_files import WORK, settings, write

from llmstream.config.keys import find as secrets
from llmstream.config.keys.find import find_key, key_state
from llmstream.config.settings import Settings
from llmstream.errors import ConfigError, MissingKey
from llmstream.prompt import Secret


@pytest.fixture(autouse=True)
def _commands_not_remembered() -> None:
    secrets._first_line.cache_clear()


def python(code: str) -> list[str]:
    """Return the command that runs this Python code."""
    return [sys.executable, "-c", code]


def revealed(key: Secret | None) -> tuple[str, str]:
    """Return a key's text and its origin."""
    assert key is not None
    return key.reveal(), key.origin


def test_the_first_way_that_has_a_key_is_taken() -> None:
    ways = {"api_key_env": ["A", "B"], "api_key": "literal"}
    assert revealed(find_key("p", ways, {"A": "a", "B": "b"})) == ("a", "$A")
    assert revealed(find_key("p", ways, {"A": " ", "B": "b"})) == ("b", "$B")
    assert revealed(find_key("p", ways, {})) == ("literal", "api_key in [providers.p]")
    assert revealed(find_key("p", {"api_key_env": "A"}, {"A": "a"})) == ("a", "$A")


def test_no_key_is_wanted_when_the_variable_is_empty() -> None:
    assert find_key("p", {"api_key_env": ""}, {}) is None


def test_blanks_and_the_newline_at_the_ends_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"  sk-1\r\n\n")
    assert revealed(find_key("p", {"api_key_env": "A"}, {"A": "sk-1\n"})) == ("sk-1", "$A")
    path = tmp_path / "key"
    assert revealed(find_key("p", {"api_key_file": str(path)}, {})) == ("sk-1", f"api_key_file {path}")


def test_a_relative_key_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1")
    target = settings(tmp_path, WORK + 'api_key_file = "key"\n').target("work")
    assert revealed(target.endpoint.api_key)[0] == "sk-1"


def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text("sk-1")
    assert revealed(find_key("p", {"api_key_file": "~/key"}, {}))[0] == "sk-1"


@pytest.mark.parametrize("key", ["sk-1\n X", "sk-\x1b[0m", "sk-…", "sk-\x7f", "sk-\udcff"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigError, match=r"p \(\$A\) contains a ") as caught:
        find_key("p", {"api_key_env": "A"}, {"A": key})
    assert "sk-" not in str(caught.value)


def test_a_key_file_of_many_lines_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("one\ntwo\n")
    with pytest.raises(ConfigError, match="control character"):
        find_key("p", {"api_key_file": str(path)}, {})
    path.write_text("\n")
    with pytest.raises(MissingKey, match="is empty"):
        find_key("p", {"api_key_file": str(path)}, {})
    path.write_bytes(b"x" * 70_000)
    with pytest.raises(ConfigError, match="larger than the limit"):
        find_key("p", {"api_key_file": str(path)}, {})
    with pytest.raises(ConfigError, match="No such file"):
        find_key("p", {"api_key_file": str(tmp_path / "nope")}, {})


def test_a_missing_key_names_the_variable_and_the_other_ways() -> None:
    with pytest.raises(MissingKey) as caught:
        find_key("work", {"api_key_env": ["WORK_KEY", "OTHER"]}, {})
    assert "$WORK_KEY is not set" in caught.value.message
    for way in ("WORK_KEY or OTHER", "api_key_command", "api_key_file", "api_key", "[providers.work]"):
        assert way in caught.value.hint
    with pytest.raises(MissingKey) as caught:
        find_key("work", {}, {})
    assert 'api_key_env = ""' in caught.value.hint


def test_a_command_gives_the_first_line_of_its_output() -> None:
    command = python("print('sk-1'); print('user: x')")
    key = find_key("p", {"api_key_command": command}, {})
    assert revealed(key) == ("sk-1", f"api_key_command {sys.executable}")


def test_a_command_runs_once(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = python(f"open({str(runs)!r}, 'a').write('x'); print('sk-1')")
    for _ in range(3):
        assert revealed(find_key("p", {"api_key_command": command}, {}))[0] == "sk-1"
    assert runs.read_text() == "x"


def test_a_command_runs_only_when_its_key_is_needed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    command = python(f"open({str(trap)!r}, 'w')")
    text = WORK + f"api_key_command = {command!r}\n"
    loaded = settings(tmp_path, text, OPENAI_API_KEY="k")
    loaded.target("openai")
    shown = loaded.target("work", fetch_key=False)
    assert revealed(shown.endpoint.api_key)[1] == f"api_key_command {sys.executable}"
    assert loaded.key_state("work").found
    assert not trap.exists()


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME;`id`|x"]
    assert revealed(find_key("p", {"api_key_command": command}, {}))[0] == "$HOME;`id`|x"


def test_a_command_does_not_take_the_prompt_from_standard_input() -> None:
    command = python("import sys; print(repr(sys.stdin.read()))")
    assert revealed(find_key("p", {"api_key_command": command}, {}))[0] == "''"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (python("raise SystemExit(3)"), "exited with status 3"),
        (python("print('sk-1'); raise SystemExit(1)"), "exited with status 1"),
        (["/nonexistent/tool"], "No such file"),
        (["\0"], "it can't be started"),
        (python("import os\nwhile True: os.write(1, b'x' * 65536)"), "wrote more than"),
    ],
)
def test_a_command_that_fails_says_so_without_its_output(command: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        find_key("work", {"api_key_command": command}, {})
    assert caught.value.message.startswith("api_key_command for work (")
    assert "sk-1" not in str(caught.value)


def test_a_command_without_output_leaves_the_key_missing() -> None:
    with pytest.raises(MissingKey, match="is empty"):
        find_key("p", {"api_key_command": python("print()")}, {})


def test_a_command_that_never_ends_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_LIMIT", 0.3)
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"took longer than 0\.3 s"):
        find_key("p", {"api_key_command": python("import time; time.sleep(60)")}, {})
    assert time.monotonic() - began < 20


def test_a_grandchild_that_holds_the_pipe_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(secrets, "COMMAND_LIMIT", 1.0)
    note = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(ConfigError, match="took longer"):
        find_key("p", {"api_key_command": ["sh", "-c", f"sleep 30 & echo $! >{note}; echo k"]}, {})
    assert time.monotonic() - began < 20
    os.kill(int(note.read_text()), signal.SIGKILL)


def test_a_key_belongs_to_its_provider(tmp_path: Path) -> None:
    own = settings(tmp_path, WORK, OPENAI_API_KEY="sk-openai", WORK_API_KEY="x")
    with pytest.raises(MissingKey, match="no API key for work"):
        own.target("work")


@pytest.mark.parametrize(
    "address", ["https://evil.example/v1", "http://api.groq.com/openai/v1", "http://127.0.0.1:1/v1"]
)
def test_a_preset_sends_its_key_to_no_other_address(tmp_path: Path, address: str) -> None:
    text = f'[providers.p]\npreset = "groq"\nbase_url = "{address}"\n'
    with pytest.raises(MissingKey, match="no API key for p"):
        settings(tmp_path, text, GROQ_API_KEY="sk-groq").target("p")
    text += 'api_key_env = "P_KEY"\n'
    target = settings(tmp_path, text, GROQ_API_KEY="sk-groq", P_KEY="sk-p").target("p")
    assert revealed(target.endpoint.api_key) == ("sk-p", "$P_KEY")


def test_a_preset_keeps_its_key_at_home(tmp_path: Path) -> None:
    text = '[providers.p]\npreset = "groq"\nbase_url = "https://api.groq.com/openai/v2"\n'
    target = settings(tmp_path, text, GROQ_API_KEY="sk-groq").target("p")
    assert revealed(target.endpoint.api_key) == ("sk-groq", "$GROQ_API_KEY")


def test_the_file_s_way_to_a_key_replaces_the_catalogue_s(tmp_path: Path) -> None:
    text = '[providers.openai]\napi_key = "sk-file"\n'
    target = settings(tmp_path, text, OPENAI_API_KEY="sk-env").target("openai")
    assert revealed(target.endpoint.api_key) == ("sk-file", "api_key in [providers.openai]")


def test_a_server_of_ones_own_wants_no_key_and_takes_one(tmp_path: Path) -> None:
    assert settings(tmp_path).target("vllm/m").endpoint.api_key is None
    assert settings(tmp_path).target("ollama/m").endpoint.api_key is None
    with_key = settings(tmp_path, VLLM_API_KEY="k").target("vllm/m")
    assert revealed(with_key.endpoint.api_key) == ("k", "$VLLM_API_KEY")
    demanded = settings(tmp_path, '[providers.vllm]\napi_key_env = "MINE"\n')
    with pytest.raises(MissingKey, match="MINE"):
        demanded.target("vllm/m")


def test_a_key_that_is_only_to_be_shown_need_not_exist(tmp_path: Path) -> None:
    key = settings(tmp_path).target("openai", fetch_key=False).endpoint.api_key
    assert revealed(key) == (secrets.NOT_FETCHED, "$OPENAI_API_KEY")
    literal = settings(tmp_path, WORK + 'api_key = "sk-x"\n').target("work", fetch_key=False).endpoint.api_key
    assert revealed(literal)[0] == secrets.NOT_FETCHED


def test_a_key_is_in_no_representation(tmp_path: Path) -> None:
    target = Settings.load(write(tmp_path, WORK + 'api_key = "sk-secret-1"\n'), {}).target("work")
    assert "sk-secret-1" not in f"{target!r} {target}"
    with pytest.raises(TypeError):
        pickle.dumps(target.endpoint.api_key)


def test_the_state_of_a_key_is_told_without_looking(tmp_path: Path) -> None:
    assert key_state("p", {"api_key_env": ["A", "B"]}, {"B": "x"}) == secrets.KeyState(True, True, "$B")
    assert key_state("p", {"api_key_env": "A"}, {}) == secrets.KeyState(True, False, "$A")
    assert key_state("p", {"api_key_env": ""}, {}) == secrets.KeyState(False, False, "")
    assert key_state("p", {}, {}) == secrets.KeyState(True, False, "")
    assert key_state("p", {"api_key_env": "A"}, {}, optional=True) == secrets.KeyState(False, False, "")
    path = tmp_path / "key"
    assert key_state("p", {"api_key_file": str(path)}, {}).found is False
    path.touch()
    assert key_state("p", {"api_key_file": str(path)}, {}).found is True
