"""A mistake in the file is told with its line, a caret, and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from config_files import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmstream.config.file.load import load, problems
from llmstream.config.file.problems import line_at
from llmstream.errors import ConfigError

PROVIDER = '[providers.a]\nadapter = "openai-chat"\n'
ADDRESS = 'base_url = "http://127.0.0.1:1/v1"\n'


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), required=True)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("default = groq\n", "1:11", 'text needs quotes: default = "groq"'),
        ("default = gpt-5 mini # the small one\n", "1:11", 'default = "gpt-5 mini"'),
        ('default = "groq\n', "1:11", 'the quote is not closed: default = "groq"'),
        ("default = 'groq\n[aliases]\na = 'b'\n", "1:11", "the quote is not closed"),
        ("default = “groq”\n", "1:11", "is not a TOML quote"),
        ("history = True\n", "1:11", "write true"),
        ("history = off\n", "1:11", "write false"),
        ("default = null\n", "1:11", "leave default out"),
        ("default =\n", "1:9", "default has no value"),
        ("default: groq\n", "1:8", "with = instead of :"),
        ('default "groq"\n', "1:9", "missing = between the key"),
        ("[providers.a\n", "1:13", "the bracket is not closed"),
        ("[providers.my work]\n", "1:2", '[providers."my work"]'),
        ('default = "a"\ndefault = "b"\n', "2:14", "is already in the file"),
        (PROVIDER + "timeout = { connect = 10,\n idle = 5 }\n", "3:11", "must end on the line"),
        (PROVIDER + "headers = { X-Team = search }\n", "3:22", 'X-Team = "search"'),
        (PROVIDER + 'ca_file = "C:\\my\\ca.pem"\n', "3:11", "double each backslash"),
        ('{\n  "default": "groq"\n}\n', "1:1", "this is JSON"),
        ('default = "openai"\n[openai]\nmodel = "x"\n', "2:2", "write [providers.openai]"),
        ('[mine]\nbase_url = "http://x/v1"\n', "1:2", "write [providers.mine]"),
        (PROVIDER + 'Base_URL = "http://x/v1"\n', "3:1", 'did you mean "base_url"?'),
        (PROVIDER + 'base_url = "http://x/v1/chat/completions"\n', "3:1", 'write "http://x/v1"'),
        (PROVIDER + ADDRESS + "limits = { rpn = 3 }\n", "4:12", 'unknown key "rpn" in limits; did you mean "rpm"?'),
        ("markdown = 1\n", "1:1", "markdown must be true or false, not a number"),
        ('model = "x"\n', "1:1", "it belongs under [providers.NAME]"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_with_its_remedy(tmp_path: Path, text: str, place: str, said: str) -> None:
    told = refusal(tmp_path, text)
    line = int(place.partition(":")[0])
    assert f"config.toml:{place}: " in told
    assert said in told
    assert text.split("\n")[line - 1] in told and "^" in told
    assert len(re.findall(rf"toml:{line}:", told)) == 1
    assert "\n2 problems" not in told and not told.startswith("2 problems")


def test_the_caret_stands_under_the_column(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "default = groq\n"))
    line, caret = problem.excerpt
    assert line.index("groq") == caret.index("^")


def test_a_long_line_is_shown_around_its_mistake(tmp_path: Path) -> None:
    text = PROVIDER + ADDRESS + f'headers = {{ X-A = "{"a" * 300}", X-B = 5 }}\n'
    (problem,) = problems(write(tmp_path, text))
    line, caret = problem.excerpt
    assert len(line) <= 110 and line[caret.index("^") :].startswith("X-B")


@pytest.mark.parametrize(
    "line",
    [
        "api_key = sk-secret-123",
        'api_key = "sk-secret-123',
        'api_key_env = "sk-secret-123"',
        'headers = { Authorization = "Bearer sk-secret-123", X = 5 }',
        'headers = { Authorization = Bearer sk-secret-123 }',
        'extra_body = { token: "sk-secret-123" }',
        "api_key: sk-secret-123",
    ],
)  # fmt: skip
def test_no_line_that_may_hold_a_key_is_shown(tmp_path: Path, line: str) -> None:
    assert "secret" not in refusal(tmp_path, PROVIDER + ADDRESS + line + "\nx = 1\n")


@pytest.mark.parametrize(
    "line", ["timeout = { first_token = 'x' }", "api_key_env = WORK_KEY", "options = { max_tokens = 'x' }"]
)
def test_a_line_that_only_sounds_secret_is_shown(tmp_path: Path, line: str) -> None:
    assert line in refusal(tmp_path, PROVIDER + ADDRESS + line + "\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("ab=\"'[]{}#:., \n\\1T", max_size=40))
def test_any_broken_text_is_told_with_a_place_in_it(tmp_path: Path, text: str) -> None:
    for problem in problems(write(tmp_path, text)):
        assert 1 <= problem.line <= text.count("\n") + 1
        assert problem.column >= 1 and problem.text
        assert problem.source == line_at(text, problem.line)
