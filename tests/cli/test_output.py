"""What comes out: exact bytes on pipes, a final newline, nothing harmful on a terminal."""

from __future__ import annotations

import json
import re

import pytest

from fakes.fixtures import Fake
from fakes.scenarios import ESCAPES, VERSE

ANSWER = "".join(VERSE)
ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])


@ENGINES
@pytest.mark.parametrize("adapter", ["openai-chat", "openai-completions"])
@pytest.mark.parametrize("streaming", ["--stream", "--no-stream"])
def test_the_answer_is_the_models_bytes_and_a_newline(
    fake: Fake, engine: str, adapter: str, streaming: str
) -> None:
    run = fake("ok", adapter=adapter)(engine, streaming, "Hello")
    assert (run.status, run.out, run.err) == (0, f"{ANSWER}\n", "")


@pytest.mark.parametrize(
    ("scenario", "arguments", "out"),
    [
        ("newline", [], "one\ntwo\n"),
        ("newline", ["-n"], "one\ntwo\n"),
        ("ok", ["-n"], ANSWER),
        ("empty", [], ""),
        ("whole", [], f"{ANSWER}\n"),
        ("escape", [], f"{ESCAPES}\n"),
    ],
)
def test_a_newline_is_added_only_where_there_is_none(
    fake: Fake, scenario: str, arguments: list[str], out: str
) -> None:
    run = fake(scenario)(*arguments, "Hello")
    assert (run.status, run.out, run.err) == (0, out, "")


@ENGINES
def test_a_separator_goes_after_every_chunk_as_print_puts_it(fake: Fake, engine: str) -> None:
    # the last chunk of a completions stream is empty, and LangChain prints a separator after it too
    run = fake("ok", adapter="openai-completions")(engine, "-S", "|", "-n", "Hello")
    assert run.out == "".join(f"{text}|" for text in (*VERSE, ""))
    run = fake("ok", adapter="openai-completions")(engine, "--separator", "\n", "Hello")
    assert run.out == "".join(f"{text}\n" for text in (*VERSE, ""))


@ENGINES
def test_a_chunk_is_shown_before_the_next_has_come(fake: Fake, engine: str) -> None:
    process = fake("gate").start(engine, "Hello")
    assert process.stdout
    assert process.stdout.read(5) == b"first"
    fake.provider.open()
    assert process.stdout.read() == b" second\n"
    assert process.wait(30) == 0


@pytest.mark.parametrize("scenario", ["length", "filter"])
def test_a_stop_by_length_or_filter_is_said_and_no_failure(fake: Fake, scenario: str) -> None:
    run = fake(scenario)("Hello")
    assert (run.status, run.out) == (0, "half of\n")
    assert {"length": "--max-tokens", "filter": "content filter"}[scenario] in run.err
    assert fake(scenario)("-q", "Hello").err == ""


def test_stats_are_one_line_on_standard_error(fake: Fake) -> None:
    run = fake("ok")("--stats", "Hello")
    assert run.out == f"{ANSWER}\n"
    assert re.fullmatch(
        r"fake/m1: TTFT \d+\.\d\d s, total \d+\.\d\d s, (\d+\.\d tokens/s, )?5 tokens in, 9 tokens out, finish stop\n",
        run.err,
    )


def test_json_is_one_object_at_the_end(fake: Fake) -> None:
    run = fake("ok")("--json", "Hello")
    found = json.loads(run.out)
    assert run.out.count("\n") == 1
    assert found["text"] == ANSWER
    assert (found["provider"], found["model"], found["finish_reason"]) == ("fake", "m1", "stop")
    assert found["usage"]["output_tokens"] == 9 and found["usage"]["cached_tokens"] is None
    assert found["run_id"] and found["timing"]["ttft"] <= found["timing"]["total"]


def test_thinking_is_hidden_on_a_pipe_unless_asked_for(fake: Fake) -> None:
    assert fake("thinking")("Hello")[1:] == ("done\n", "")
    assert fake("thinking")("--reasoning", "show", "Hello")[1:] == ("done\n", "let me think\n")
    assert json.loads(fake("thinking")("--json", "Hello").out)["reasoning"] == "let me think"


def test_thinking_is_dim_on_a_terminal_and_never_in_the_answer(fake: Fake) -> None:
    run = fake("thinking").on_terminal("Hello", pipe_out=True).finish()
    assert run.out == "done\n"
    assert "\x1b[2mlet me " in run.err
    run = fake("thinking").on_terminal("--no-history", "--reasoning", "hide", "Hello").finish()
    assert run.out == "done\r\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "colored"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colours_on_a_terminal_are_the_users_choice(
    fake: Fake, arguments: list[str], variables: dict[str, str], colored: bool
) -> None:
    run = fake("401").on_terminal(*arguments, "Hello", env=variables).finish()
    assert run.status == 4
    assert ("\x1b[31mllmstream:\x1b[0m" in run.err) is colored
    assert colored or "\x1b" not in run.err


def test_colour_on_a_pipe_only_when_forced(fake: Fake) -> None:
    assert "\x1b" not in fake("401")("Hello").err
    assert "\x1b[31m" in fake("401")("--color=always", "Hello").err


@ENGINES
def test_a_terminal_gets_no_control_characters_of_the_model(fake: Fake, engine: str) -> None:
    run = fake("escape").on_terminal(engine, "Hello").finish()
    assert run.status == 0
    assert "[31mred" in run.out
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", run.out)
    assert run.out.count("\r") == run.out.count("\r\n")


def test_raw_sends_them(fake: Fake) -> None:
    run = fake("escape").on_terminal("--raw", "Hello").finish()
    assert "\x1b[31mred\x1b]0;title\x07" in run.out


def test_a_servers_error_page_cannot_colour_a_terminal(fake: Fake) -> None:
    run = fake("html", more="max_retries = 0").on_terminal("--color=never", "Hello").finish()
    assert run.status == 6
    assert "\x1b" not in run.err and "gateway" in run.err
