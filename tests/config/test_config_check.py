"""What is wrong with a file is told at once, with line, column and the nearest right name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from config_files import WORK, write
from hypothesis import given
from hypothesis import strategies as st

from llmstream.config.file.load import load, problems
from llmstream.errors import ConfigError


def told(folder: Path, text: str | bytes, mode: int = 0o600) -> list[str]:
    """Return the problems without the file's path: ``LINE:COLUMN: TEXT``."""
    path = write(folder, text, mode)
    return [str(problem).removeprefix(f"{path}:") for problem in problems(path)]


def test_all_problems_are_told_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = (
        'defualt = "openai"\n[providers.p]\nadapter = "openai-chta"\n'
        'base_url = "http://h/v1"\nmax_retry = 1\n'
    )
    assert told(tmp_path, text) == [
        '1:1: unknown key "defualt"; did you mean "default"?',
        '3:1: adapter names an unknown adapter "openai-chta"; did you mean "openai-chat"?',
        '5:1: unknown key "max_retry" in [providers.p]; did you mean "max_retries"?',
    ]


def test_the_error_names_file_line_and_column_of_each(tmp_path: Path) -> None:
    path = write(tmp_path, WORK + 'max_retries = "two"\ntimeout = { connect = -1, idel = 3 }\n')
    with pytest.raises(ConfigError) as caught:
        load(path, required=True)
    assert caught.value.message.split("\n") == [
        f"3 problems in {path}",
        f"{path}:5:1: max_retries must be a whole number, not text",
        '5 | max_retries = "two"',
        "  | ^",
        f"{path}:6:13: timeout.connect must not be negative; 0 means no limit",
        "6 | timeout = { connect = -1, idel = 3 }",
        "  |             ^",
        f'{path}:6:27: unknown key "idel" in timeout; did you mean "idle"?',
        "6 | timeout = { connect = -1, idel = 3 }",
        "  |                           ^",
    ]


def test_a_long_list_of_problems_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "".join(f"x{i} = 1\n" for i in range(40)))
    with pytest.raises(ConfigError, match=r"and 25 more$"):
        load(path, required=True)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('adapter = ["x"]', "5:1: adapter must be text, not a list"),
        ('preset = "grok"', '5:1: preset names an unknown provider: "grok"; did you mean "groq"?'),
        ('base_url = "not a url"', "5:1: base_url is not a URL"),
        ('base_url = "file:///etc"', "5:1: base_url must be a URL that starts with http:// or https://"),
        ('base_url = "https://"', "5:1: base_url is a URL without a host"),
        ('base_url = "https://u:p@h/v1"', "5:1: base_url must not contain a user name or password"),
        ('base_url = "https://h/v1?x=1"', "5:1: base_url must be a plain API URL"),
        ('base_url = "https://h:99999/v1"', "5:1: base_url is not a URL"),
        ('base_url = "https://[::1/v1"', "5:1: base_url is not a URL"),
        ('base_url = "http://h/\\n"', "5:1: base_url is not a URL"),
        ('api_key = ""', "5:1: api_key is empty"),
        ('api_key = "sk-\\n X"', "5:1: api_key contains a control character"),
        ('api_key = "sk-…"', "5:1: api_key contains a non-ASCII character"),
        ("api_key = 12", "5:1: api_key must be text, not a number"),
        ('api_key_env = "sk-abc"', "5:1: api_key_env must name environment variables"),
        ("api_key_env = []", "5:1: api_key_env must be the name of an environment variable"),
        ('api_key_command = "pass show x"', "5:1: api_key_command must be a list of arguments"),
        ("api_key_command = [1]", "5:1: api_key_command must contain only text"),
        ("max_retries = -1", "5:1: max_retries must not be negative"),
        ("max_retries = true", "5:1: max_retries must be a whole number, not true or false"),
        ("timeout = 3", "5:1: timeout must be a table, not a number; write timeout = { total = 3 }"),
        ("max_retries = 1.5", "5:1: max_retries must be a whole number, not 1.5"),
        ("timeout.idle = inf", "5:9: timeout.idle must be below 1000000000"),
        ("timeout.idle = nan", "5:9: timeout.idle must be below 1000000000"),
        ("timeout.idle = 2026-01-01", "5:9: timeout.idle must be a number of seconds, not a date or time"),
        (
            "quirks = ['no-streem-options']",
            '5:1: quirks names an unknown quirk "no-streem-options"; did you mean',
        ),
        ("headers = { 'a b' = 'x' }", '5:13: "a b" is not a valid HTTP header name'),
        ('headers = { a = "x\\ny" }', '5:13: header "a" must be ASCII without control characters'),
        ("options = { temprature = 0 }", '5:13: unknown option "temprature"; did you mean "temperature"?'),
        ("options = { top_p = 3 }", "5:13: option top_p must be from 0 to 1"),
        (
            "options = { since = 2026-01-01 }",
            "5:13: option since is a date or time, which JSON can't represent",
        ),
        ("extra_body = { a = [inf] }", "5:16: extra_body.a is a number that JSON can't represent"),
        ('factory = "nonsense"', "5:1: factory must be text such as"),
        ('dialect = "x"', "5:1: dialect must be one of openai-chat"),
        ('proxy = "ftp://h"', "5:1: proxy must be a URL that starts with http:// or https:// or socks5://"),
    ],
)
def test_a_wrong_value_is_told_where_it_stands(tmp_path: Path, line: str, complaint: str) -> None:
    key = line.split(" ")[0].partition(".")[0]
    base = "".join(text for text in WORK.splitlines(True) if not text.startswith(f"{key} "))
    base += "\n" * (4 - base.count("\n"))
    found = told(tmp_path, f"{base}{line}\n")
    assert any(text.startswith(complaint) for text in found), found


@pytest.mark.parametrize("secret", ["sk-very-secret\\u0007", "sk-very-secret…"])
def test_no_complaint_repeats_a_key(tmp_path: Path, secret: str) -> None:
    text = WORK + f'api_key = "{secret}"\napi_key_env = "{secret.removesuffix("…")}-x"\n'
    assert "very-secret" not in "\n".join(told(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[providers.p]\n", "1:12: [providers.p] needs adapter or preset"),
        (
            "[providers.opnai]\n",
            '1:12: [providers.opnai] needs adapter or preset; did you mean "openai"?',
        ),
        ('[providers.p]\nadapter = "openai-chat"\n', "1:12: [providers.p] needs base_url"),
        (
            '[providers.p]\nadapter = "exec"\n',
            "1:12: [providers.p] needs command (adapter exec)",
        ),
        (
            '[providers.p]\nadapter = "exec"\ncommand = ["x"]\napi_key = "sk-1"\n',
            "4:1: the adapter exec doesn't take api_key: put it into the command or its environment",
        ),
        (
            '[providers.p]\nadapter = "runnable"\nfactory = "a:B"\nbase_url = "http://127.0.0.1/v1"\n',
            "4:1: the adapter runnable doesn't take base_url: put it into options, under the factory's own name for it",
        ),
        (
            '[providers.p]\nadapter = "runnable"\n',
            "1:12: [providers.p] needs factory (adapter runnable)",
        ),
        ('providers = "x"\n', "1:1: providers must be a table, not text"),
        ("[providers]\np = 1\n", "2:1: p must be a table [providers.p], not a number"),
        (
            '[providers."a/b"]\npreset = "openai"\n',
            "1:12: a provider name must not be empty or contain a slash",
        ),
        ('base_url = "http://h"\n', '1:1: unknown key "base_url": it belongs under [providers.NAME]'),
        ('default = "opena/x"\n', '1:1: default names an unknown provider "opena"; did you mean "openai"?'),
        ('[aliases]\nf = "nosuchthing/x"\n', '2:1: f names an unknown provider "nosuchthing"'),
        ('[aliases]\nf = "f"\n', '2:1: the alias "f" refers to itself'),
        ("default = 1\n", "1:1: default must be text, not a number"),
    ],
)
def test_a_provider_that_cannot_work_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    assert [t for t in told(tmp_path, text) if t.startswith(complaint)], told(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (WORK + "timeout = {connect = }\n", "5:22: invalid TOML: "),
        ('[providers.p]\nadapter = "openai-chat\n', "2:"),
        ("a = [", "1:6: invalid TOML: "),
        ('[providers.p]\nadapter = "openai-chat" # \0\n', "2:27: invalid TOML: "),
        ("a = 1\na = 2\n", "2:6: invalid TOML: "),
        ("a = " + "[" * 5000, "1:1: lists or tables are nested too deeply"),
        ("a = " + "1" * 5000, ""),
    ],
)
def test_broken_toml_is_told_with_line_and_column(tmp_path: Path, text: str, place: str) -> None:
    (problem,) = told(tmp_path, text)
    assert problem.startswith(place)


def test_bytes_that_are_not_utf8_are_told_with_their_place(tmp_path: Path) -> None:
    assert told(tmp_path, b'x = 1\ny = "\xc3\xa9\xff"\n') == ["2:7: not UTF-8 text: byte 0xff"]


def test_a_byte_order_mark_and_crlf_are_fine(tmp_path: Path) -> None:
    assert told(tmp_path, b"\xef\xbb\xbf" + WORK.replace("\n", "\r\n").encode()) == []


def test_a_file_that_is_longer_than_any_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than the 1 MiB limit"):
        problems(write(tmp_path, b"#" * (1 << 20) + b"##"))


def test_only_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "config.toml.nope"
    assert load(missing, required=False).document == {}
    assert load(None, required=False).document == {}
    with pytest.raises(ConfigError, match=r"config\.toml\.nope: No such file"):
        load(missing, required=True)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        load(tmp_path, required=True)


def test_a_named_pipe_can_be_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, WORK.encode())
    os.close(writing)
    try:
        assert "work" in load(Path(f"/dev/fd/{reading}"), required=True).providers
    finally:
        os.close(reading)


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
RUNS_CODE = {
    "api_key_command": WORK + 'api_key_command = ["true"]\n',
    "command": '[providers.p]\nadapter = "exec"\ncommand = ["true"]\n',
    "factory": '[providers.p]\nadapter = "runnable"\nfactory = "a:B"\n',
}


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
@pytest.mark.parametrize("key", RUNS_CODE)
def test_a_file_that_others_can_write_runs_nothing(tmp_path: Path, key: str, mode: int) -> None:
    (problem,) = told(tmp_path, RUNS_CODE[key], mode)
    assert f"{key} runs a program, but other users can write to this file" in problem


@posix
@pytest.mark.parametrize("key", RUNS_CODE)
def test_a_file_that_others_can_only_read_may_run_programs(tmp_path: Path, key: str) -> None:
    assert told(tmp_path, RUNS_CODE[key], 0o644) == []


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_runs_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, RUNS_CODE["command"])
    os.chown(path, 12345, 12345)
    assert "runs a program" in str(problems(path)[0])


@posix
def test_a_key_that_others_can_read_brings_a_warning(tmp_path: Path) -> None:
    text = WORK + 'api_key = "sk-x"\n'
    (warning,) = load(write(tmp_path, text, 0o644), required=True).warnings
    assert "chmod 600" in warning
    assert "sk-x" not in warning
    assert load(write(tmp_path, text, 0o600), required=True).warnings == ()
    assert load(write(tmp_path, WORK, 0o644), required=True).warnings == ()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_problems(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    for problem in problems(write(tmp_path_factory.getbasetemp(), data)):
        assert problem.line >= 1
        assert problem.column >= 1


NAMES = "default aliases providers p local adapter base_url api_key options timeout x"

trees = st.recursive(
    st.one_of(st.none().map(lambda _: "x"), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(NAMES.split()),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@given(trees.filter(lambda tree: isinstance(tree, dict)))
def test_no_document_breaks_the_check(tree: dict[str, object]) -> None:
    from llmstream.config.file.check import flaws

    for flaw in flaws(tree):
        assert flaw.path
        assert flaw.text
