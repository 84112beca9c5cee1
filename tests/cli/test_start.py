"""What a prompt's way to the wire must not load, and the quick parser's agreement with the full one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.fixtures import Fake
from llmstream.cli.app import parse_in_full
from llmstream.cli.environment import Environment
from llmstream.cli.parsing.argv import parse, split
from llmstream.cli.parsing.commands import COMMANDS, DEFAULTS, GROUPS, Command
from llmstream.cli.parsing.table import PROMPT, Option, options_of

SLOW = ("asyncio", "rich", "pydantic", "importlib.metadata", "sqlite3", "typer", "platformdirs", "difflib",
        "uuid", "llmstream.runnable.llm")  # fmt: skip
"""Modules that a plain prompt does without; each costs between 2 and 40 ms."""
PROBE = """
import sys, ssl
contexts = []
load = ssl.SSLContext.load_verify_locations
ssl.SSLContext.load_verify_locations = lambda *a, **k: (contexts.append(1), load(*a, **k))[1]
ssl.SSLContext.load_default_certs = lambda *a, **k: contexts.append(2)
ssl.SSLContext.set_default_verify_paths = lambda *a, **k: contexts.append(3)
import os
loaded, write = [], os.write
def look(fd, data):
    if fd == 1:
        loaded[:] = [name for name in sys.argv[1].split(",") if name in sys.modules]
    return write(fd, data)
os.write = look
from llmstream.cli import run
status = run(sys.argv[2:])
sys.stderr.write(f"status {status} loaded {loaded} certificates {contexts}")
"""


def probe(fake: Fake, *arguments: str, slow: Sequence[str] = SLOW) -> str:
    """Run the command in a process and return what it had loaded when it last wrote to standard output."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, ",".join(slow), *arguments],
        # a measured run would have loaded what measuring needs
        env={**fake.home.environment, "COVERAGE_PROCESS_CONFIG": ""},
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    return done.stderr


@pytest.mark.parametrize("adapter", ["openai-chat", "openai-completions"])
@pytest.mark.parametrize("arguments", [[], ["-S", "|", "-n"], ["--events"], ["-o", "temperature=0"]])
def test_a_plain_prompt_loads_nothing_slow(fake: Fake, adapter: str, arguments: list[str]) -> None:
    fake("ok", adapter=adapter)
    assert probe(fake, *arguments, "Hello") == "status 0 loaded [] certificates []"


def test_only_async_starts_asyncio(fake: Fake) -> None:
    fake("ok")
    assert probe(fake, "--async", "Hello") == "status 0 loaded ['asyncio'] certificates []"


SENDING = """
import sys
from llmstream.transport.http.channels import Channel
loaded, send = [], Channel.send
def look(channel, data):
    loaded.append("asyncio" in sys.modules)
    return send(channel, data)
Channel.send = look
from llmstream.cli import run
status = run(sys.argv[1:])
sys.stderr.write(f"status {status} loaded {loaded}")
"""


def test_async_loads_asyncio_once_the_request_is_sent(fake: Fake) -> None:
    fake("ok")
    done = subprocess.run(
        [sys.executable, "-c", SENDING, "--async", "Hello"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, env=fake.home.environment, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stderr == "status 0 loaded [False]"


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_load_nothing_of_the_engine(fake: Fake, argument: str) -> None:
    assert probe(fake, argument, slow=[*SLOW, "httpx", "tomllib"]) == "status 0 loaded [] certificates []"


def test_importing_the_package_loads_nothing(fake: Fake) -> None:
    code = "import sys; import llmstream; print(sorted(n for n in sys.modules if n.startswith('llmstream')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['llmstream', 'llmstream.version']"


def _text(option: Option) -> st.SearchStrategy[str]:
    if option.choices:
        return st.sampled_from([*option.choices, "other"])
    if option.kind == "int":
        return st.sampled_from(["0", "7", "-3", "x", "1.5", " 4", "1_0", "٣", ""])
    if option.kind == "float":
        return st.sampled_from(["0", "0.5", "1e3", "-1", "hot", "nan", ".5", ""])
    return st.sampled_from(["a", "b=c", "-x", "--", "-", "", "été", "a b", "--events"])


def _spelled(option: Option) -> st.SearchStrategy[list[str]]:
    long = f"--{option.name}"
    if option.kind == "flag":
        spellings = [[long], [f"{long}=1"], *([[f"-{option.short}"]] if option.short else [])]
        return st.sampled_from(spellings + ([[f"--{option.off}"]] if option.off else []))
    short = _text(option).map(lambda text: [f"-{option.short or 'Z'}", text])
    return st.one_of(
        _text(option).map(lambda text: [long, text]),
        _text(option).map(lambda text: [f"{long}={text}"]),
        short,
    )


words = st.sampled_from(
    ["Hello", "a b", "-", "--", "", "{stdin}", "-n5", "-qn", "--even", "--nonsense", "=x"]
)


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[Command, list[str]]:
    """Return a command, the default one half of the time, and some line for it."""
    command = draw(st.one_of(st.just(COMMANDS[0]), st.sampled_from(COMMANDS)))
    pieces = st.one_of(
        words.map(lambda word: [word]),
        st.sampled_from(options_of(command.name)).flatmap(_spelled),
        st.just(["-m"]),
    )
    return command, [word for piece in draw(st.lists(pieces, max_size=6)) for word in piece]


@settings(max_examples=200, deadline=None)
@given(line=command_lines())
def test_the_quick_parser_agrees_with_the_full_one(line: tuple[Command, list[str]]) -> None:
    """Where the quick one is sure of a command line, the full one reads it in the same way."""
    command, argv = line
    quick = parse(argv, command.name)
    if quick is None:
        return
    environment = Environment.of_process()
    full = parse_in_full(command.name, argv, environment)
    assert isinstance(full, tuple), argv
    # as text, because nan is not equal to itself
    assert ({key: repr(value) for key, value in full[0].items()}, full[1]) == (
        {key: repr(value) for key, value in quick[0].items()},
        quick[1],
    )


ONE_WORD = [*(command.name for command in COMMANDS if " " not in command.name), *GROUPS]


@given(word=st.sampled_from(ONE_WORD), before=st.sampled_from([[], ["-q"], ["--config", "x"]]))
def test_a_commands_name_is_one_only_as_the_first_word(word: str, before: list[str]) -> None:
    assert split([*before, word])[0] == DEFAULTS.get(word, word)
    assert split([*before, "say", word])[0] == PROMPT
    assert split([*before, "--", word])[0] == PROMPT


@pytest.mark.parametrize("command", [one.name for one in COMMANDS if " " in one.name])
def test_options_of_all_commands_may_stand_before_and_within_a_commands_names(command: str) -> None:
    first, second = command.split()
    assert split(["-q", first, "--config", "x", second, "y"]) == (command, ["--quiet", "--config", "x", "y"])
