"""What `config show`, `config init` and `schema config` have to say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest
from config_files import WORK, settings, write
from hypothesis import given
from hypothesis import strategies as st

from llmstream.config.file.load import problems
from llmstream.config.file.schema import config_schema
from llmstream.config.file.starter import STARTER, init
from llmstream.config.settings import Overrides
from llmstream.config.show import MASK, show
from llmstream.config.toml_text import toml_value
from llmstream.errors import ConfigError
from llmstream.prompt import Options

SECRET = """\
default = "work"
[aliases]
"a b" = "work/x"
[providers.work]
adapter = "openai-chat"
base_url = "https://llm.example.com/v1"
model = "m1"
api_key = "sk-secret"
proxy = "http://user:sk-secret@proxy.example:1"
headers = { Authorization = "Bearer sk-secret", X-Team = "search" }
extra_body = { auth = { token = "sk-secret" }, max_tokens = 3 }
timeout = { connect = 3 }
"""


def test_every_value_has_its_origin(tmp_path: Path) -> None:
    loaded = settings(tmp_path, SECRET, OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    shown = {
        s.key: (s.value, s.origin) for s in show(loaded, None, Overrides(Options(seed=1), {"idle": 5.0}))
    }
    file = str(tmp_path / "config.toml")
    assert shown["default"] == ('"work"', f"{file}:1")
    assert shown['aliases."a b"'] == ('"work/x"', f"{file}:3")
    assert shown["providers.work.model"] == ('"m1"', f"{file}:7")
    assert shown["providers.work.timeout.connect"] == ("3", f"{file}:12")
    assert shown["providers.work.timeout.idle"] == ("5", "flag")
    assert shown["providers.work.timeout.total"] == ("0", "default")
    assert shown["providers.work.options.seed"] == ("1", "flag")
    assert shown["providers.work.max_retries"] == ("2", "default")
    moved = {s.key: s for s in show(loaded, "openai")}
    assert moved["default"].origin == "--model"
    assert moved["providers.openai.base_url"].origin == "$OPENAI_BASE_URL"
    assert moved["providers.openai.model"].origin == "catalogue"


def test_no_key_is_shown(tmp_path: Path) -> None:
    shown = show(settings(tmp_path, SECRET))
    assert "sk-secret" not in "".join(s.value for s in shown)
    values = {s.key: s.value for s in shown}
    assert values["providers.work.api_key"] == f'"{MASK}"'
    assert values["providers.work.proxy"] == f'"http://{MASK}@proxy.example:1"'
    assert values["providers.work.headers.X-Team"] == '"search"'
    assert values["providers.work.extra_body.max_tokens"] == "3"


def test_what_is_shown_could_stand_in_a_file(tmp_path: Path) -> None:
    text = "".join(f"{s.key} = {s.value}\n" for s in show(settings(tmp_path, SECRET)))
    assert tomllib.loads(text)["providers"]["work"]["headers"]["X-Team"] == "search"


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.recursive(
        st.one_of(st.booleans(), st.integers(-(2**60), 2**60), texts),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
    )
)  # fmt: skip
def test_a_value_comes_back_from_its_toml(value: object) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value


def test_a_shown_value_holds_no_control_character() -> None:
    assert toml_value("a\x1b[0m\x7f\x9b\n") == '"a\\u001b[0m\\u007f\\u009b\\n"'


def test_the_starter_file_is_good_with_its_comments_and_without(tmp_path: Path) -> None:
    assert problems(write(tmp_path, STARTER)) == []
    lines = STARTER.split("\n")
    bare = "\n".join(line.removeprefix("# ") for line in lines if " = " in line or line.startswith("# ["))
    assert problems(write(tmp_path, bare)) == []
    providers = tomllib.loads(bare)["providers"]
    assert set(providers) == {"openai", "work", "local"}
    assert providers["work"]["timeout"]["first_token"] == 600


def test_the_starter_file_is_private_and_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    init(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.write_text("mine")
    with pytest.raises(ConfigError, match="already exists"):
        init(path)
    assert path.read_text() == "mine"
    assert list(path.parent.iterdir()) == [path]


BAD = (
    "x = 1",
    WORK + "max_retries = -1",
    WORK + "timeout = { idel = 1 }",
    WORK + 'quirks = ["x"]',
    WORK + 'base_url2 = "x"',
    WORK.replace("https", "file"),
    WORK + "options = { top_p = 2 }",
)


def test_the_schema_is_one_and_takes_what_the_check_takes(tmp_path: Path) -> None:
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert not list(validator.iter_errors(tomllib.loads(SECRET)))
    for bad in BAD:
        assert problems(write(tmp_path, bad)), bad
        assert list(validator.iter_errors(tomllib.loads(bad))), bad
