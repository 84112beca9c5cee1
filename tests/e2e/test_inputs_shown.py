"""Attachments by address, tool calls that are shown, and definitions that are none."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from e2e.recorder import Recorder
from e2e.test_inputs import CONTENTS, DIALECTS, TAKEN, table, texts
from fakes.command import Command, Home
from fakes.fixtures import Fake


class Shelf(BaseHTTPRequestHandler):
    """Gives ``/KIND`` its content."""

    def do_GET(self) -> None:
        """Answer."""
        content = CONTENTS.get(self.path[1:].partition("?")[0], b"just text")
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error clean."""


@pytest.fixture
def shelf() -> Iterator[str]:
    """The address of a server that has a file of each kind."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shelf) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_attachment_at_an_address_goes_as_a_file_does(
    dialect: str, shelf: str, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, dialect))
    for kind in ("png", "pdf", "wav"):
        run = run_llmstream("-a", f"{shelf}/{kind}?key=secret", "Look")
        assert run.status == 0, run.err
        sent = any(b64encode(CONTENTS[kind]).decode() in text for text in texts(recorder.last.body))
        assert sent == (kind in TAKEN[dialect].split()), kind
        assert ("left out" in run.err) == (not sent)


@pytest.mark.parametrize("place", ["text", "http://127.0.0.1:1/x"])
def test_an_address_without_an_attachment_is_refused_before_anything_is_sent(
    shelf: str, home: Home, recorder: Recorder, run_llmstream: Command, place: str
) -> None:
    home.write(table(recorder, "openai-chat"))
    run = run_llmstream("-a", place if "//" in place else f"{shelf}/{place}", "Look")
    assert run.status == (7 if "//" in place else 2)
    assert (run.out, recorder.requests) == ("", []) and "http://127.0.0.1" in run.err


@pytest.mark.parametrize(
    "option", ["tools=abc", "tools=[1]", 'tools={"a": 1}', "tool_choice=3", "schema=abc"]
)
@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic", "ollama"])
def test_a_definition_that_is_none_is_wrong_use(
    dialect: str, option: str, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, dialect))
    run = run_llmstream("-o", option, "Hello")
    assert (run.status, run.out, recorder.requests) == (2, "", [])
    assert f"option {option.partition('=')[0]} must be" in run.err


def test_tool_calls_are_shown_beside_the_answer_and_not_run(fake: Fake) -> None:
    run = fake("tools")("Hello")
    assert run.status == 0
    shown = [line for line in run.err.splitlines() if line.startswith("llmstream: the model calls ")]
    events = [json.loads(line) for line in fake("tools")("--events", "Hello").out.splitlines()]
    calls = events[-1]["data"]["tool_calls"]
    assert calls and len(shown) == len(calls)
    for line, call in zip(shown, calls, strict=True):
        assert line.startswith(f"llmstream: the model calls {call['name']}(")
    assert "the model calls" not in fake("tools")("--events", "Hello").err


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ('["llm", "--ask={prompt}", "$x"]', "llm '--ask=it'\"'\"'s' '$x'\n"),
        ('["llm", "run"]', "printf %s 'it'\"'\"'s' | llm run\n"),
    ],
)
def test_a_command_is_shown_as_a_shell_would_start_it(
    home: Home, run_llmstream: Command, words: str, shown: str
) -> None:
    home.write(f'[providers.cmd]\nadapter = "exec"\ncommand = {words}\n')
    assert run_llmstream("-m", "cmd", "--show-request", "it's") == (0, shown, "")


def test_an_object_has_no_request_to_show(home: Home, run_llmstream: Command) -> None:
    home.write('[providers.obj]\nadapter = "runnable"\nfactory = "nowhere:Model"\n')
    run = run_llmstream("-m", "obj", "--show-request", "Hello")
    assert (run.status, run.out) == (2, "") and "sends no HTTP request" in run.err
