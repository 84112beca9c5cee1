"""Commands as models: from the configuration, with fallbacks from and to HTTP, by command and library."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from e2e.recorder import TEXT, Recorder
from e2e.ways import Way
from fakes.command import Command, Home
from llmstream import LLM

ECHO = "import sys; sys.stdout.write('heard: ' + sys.stdin.read())"
FAIL = "import sys; sys.stderr.write('out of ink\\n'); sys.exit(3)"
HALF = "import sys; sys.stdout.write('half'); sys.stdout.flush(); sys.exit('then broke')"
BYTES = (
    "import os\n"
    "for byte in 'Grüße – 🥤\\u2028e'.encode():\n"
    "    os.write(1, bytes([byte]))\n"
)  # fmt: skip
LASTS = (
    "import os, sys, subprocess, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\n"
    "os.write(1, b'begun\\n')\n"
    "time.sleep(600)\n"
)


def command(name: str, code: str, *arguments: str, more: str = "") -> str:
    """Return a provider that is a command in Python."""
    words = json.dumps([sys.executable, "-c", code, *arguments], ensure_ascii=False)
    return f'[providers.{name}]\nadapter = "exec"\ncommand = {words}\n{more}\n'


def http(recorder: Recorder, name: str = "web") -> str:
    """Return a provider that is asked by HTTP."""
    return (
        f'[providers.{name}]\nadapter = "openai-chat"\nbase_url = "{recorder.address}/v1"\n'
        'model = "m"\napi_key = "k-0123"\nmax_retries = 0\n'
    )


@pytest.fixture
def here(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home, which the library of this process sees too."""
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    return home


def gone(pid: int) -> bool:
    """Return whether a process has ended; one that nobody has waited for yet has, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_prompt_goes_in_and_the_output_comes_out(here: Home, run_llmstream: Command, way: Way) -> None:
    here.write('default = "echo"\n' + command("echo", ECHO))
    run = run_llmstream(f"--{way.name}", "-s", "Be brief.", "Hello")
    assert (run.status, run.out, run.err) == (0, "heard: Be brief.\n\nHello\n", "")
    found = way.answer(LLM("echo"), "Hello").completion
    assert (found.text, found.finish_reason, found.usage.total_tokens) == ("heard: Hello", "stop", None)


def test_the_prompt_takes_its_place_among_the_arguments(home: Home, run_llmstream: Command) -> None:
    code = "import sys; print(sys.argv[1:], repr(sys.stdin.read()))"
    home.write(command("argv", code, "--ask={prompt}", "$HOME"))
    run = run_llmstream("-m", "argv", "a 'b' $(id) {prompt}")
    assert (run.status, run.out) == (0, "[\"--ask=a 'b' $(id) {prompt}\", '$HOME'] ''\n")


def test_characters_that_come_in_pieces_are_whole(here: Home, run_llmstream: Command, way: Way) -> None:
    here.write(command("bytes", BYTES))
    assert run_llmstream(f"--{way.name}", "-n", "-m", "bytes", "x").out == "Grüße – 🥤\u2028e"
    chunks = way.answer(LLM("bytes"), "x").chunks
    assert "".join(chunks) == "Grüße – 🥤\u2028e" and "\ufffd" not in "".join(chunks)


def test_events_name_the_provider_and_the_command(home: Home, run_llmstream: Command) -> None:
    home.write(command("echo", ECHO))
    run = run_llmstream("-m", "echo", "--events", "Hello")
    lines = [json.loads(line) for line in run.out.splitlines()]
    assert [line["event"] for line in lines] == ["on_llm_start", "on_llm_stream", "on_llm_end"]
    assert lines[-1]["data"]["provider"] == "echo"
    assert lines[-1]["data"]["text"] == "heard: Hello"


def test_a_failure_is_status_10_with_the_commands_own_words(
    home: Home, run_llmstream: Command, way: Way
) -> None:
    home.write(command("fail", FAIL) + command("half", HALF))
    run = run_llmstream(f"--{way.name}", "-m", "fail", "Hello")
    assert (run.status, run.out) == (10, "") and "out of ink" in run.err and "3" in run.err
    run = run_llmstream(f"--{way.name}", "-m", "half", "Hello")
    assert (run.status, run.out) == (10, "half\n") and "then broke" in run.err


def test_it_falls_back_from_http_to_a_command_and_back(
    home: Home, recorder: Recorder, run_llmstream: Command, way: Way
) -> None:
    home.write(http(recorder) + http(recorder, "other") + command("fail", FAIL) + command("echo", ECHO))
    recorder.refusals = [500]
    run = run_llmstream(f"--{way.name}", "-m", "web", "--fallback", "echo", "Hello")
    assert (run.status, run.out) == (0, "heard: Hello\n")
    assert "falling back to echo/" in run.err and "500" in run.err
    run = run_llmstream(f"--{way.name}", "-m", "fail", "--fallback", "web", "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n")
    assert "falling back to web/m" in run.err and "out of ink" in run.err
    recorder.refusals = [500]
    chain = ["--fallback", "fail", "--fallback", "other"]
    run = run_llmstream(f"--{way.name}", "-m", "web", *chain, "--events", "Hello")
    lines = [json.loads(line) for line in run.out.splitlines()]
    names = [line["name"] for line in lines if line["event"] == "on_custom_event"]
    assert (run.status, names) == (0, ["llmstream.fallback"] * 2)
    assert (lines[-1]["data"]["provider"], lines[-1]["data"]["text"]) == ("other", TEXT)


def test_a_command_that_has_said_something_is_not_replaced(
    home: Home, recorder: Recorder, run_llmstream: Command, way: Way
) -> None:
    home.write(http(recorder) + command("half", HALF))
    run = run_llmstream(f"--{way.name}", "-m", "half", "--fallback", "web", "Hello")
    assert (run.status, run.out, recorder.requests) == (10, "half\n", [])


def test_the_library_falls_back_too(here: Home, recorder: Recorder, way: Way) -> None:
    here.write(http(recorder) + command("fail", FAIL) + command("echo", ECHO))
    recorder.refusals = [500]
    first = LLM("web").with_fallbacks([LLM("fail"), LLM("echo")])
    assert isinstance(first, LLM)
    assert way.answer(first, "Hello").completion.text == "heard: Hello"
    assert way.answer(first, "Hello").completion.text == TEXT
    second = LLM("fail").with_fallbacks([LLM("web")])
    assert isinstance(second, LLM)
    assert way.answer(second, "Hello").completion.text == TEXT


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("end", ["interrupt", "terminate", "total", "idle"])
def test_whatever_ends_the_run_ends_the_commands_whole_group(
    home: Home, run_llmstream: Command, way: Way, end: str
) -> None:
    limits = {"total": "timeout = { total = 2 }", "idle": "timeout = { idle = 1 }"}
    home.write('default = "lasts"\n' + command("lasts", LASTS, more=limits.get(end, "")))
    process = run_llmstream.start(f"--{way.name}", "Hello")
    assert process.stdout and process.stdout.readline() == b"begun\n"
    pids = [*map(int, (home.folder / "pids").read_text().split())]
    if end in ("interrupt", "terminate"):
        process.send_signal(signal.SIGINT if end == "interrupt" else signal.SIGTERM)
    assert process.wait(30) == {"interrupt": 130, "terminate": 143}.get(end, 8)
    assert process.stdout.read() == b""
    assert all(map(gone, pids)), pids


def test_closing_an_answer_ends_the_command(here: Home, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write(command("lasts", LASTS))
    monkeypatch.chdir(here.folder)
    assert way.beginning(LLM("lasts"), 1, "Hello") == ["begun\n"]
    if Path("/proc/self/stat").exists():
        assert all(map(gone, map(int, Path("pids").read_text().split())))


def test_a_command_that_is_not_there_is_named(home: Home, run_llmstream: Command) -> None:
    home.write('[providers.none]\nadapter = "exec"\ncommand = ["no-such-program-here", "{prompt}"]\n')
    run = run_llmstream("-m", "none", "Hello")
    assert run.status in (3, 10) and "no-such-program-here" in run.err and "Traceback" not in run.err
