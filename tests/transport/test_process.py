"""Real processes under both transports: what they write, how they end, and how they are ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from llmstream.adapters.command import Command
from llmstream.engine.effects import NEVER, Close, Effect, Head, Open, Read, Reply
from llmstream.errors import ConfigError, LLMStreamError, LocalModelError, TimeLimitPassed
from llmstream.prompt import Endpoint, Message, Options, Prompt
from llmstream.transport.process.async_ import AsyncProcessTransport
from llmstream.transport.process.common import PIPE_SIZE, TAIL
from llmstream.transport.process.sync import ProcessTransport

Perform = Callable[[Effect], Reply]
Start = Callable[..., Perform]
LIMIT = 20.0
"""Seconds that no step takes on any machine."""


def request(text: str = "hello") -> Open:
    """Return the effect that starts a command with a prompt."""
    prompt = Prompt((Message("user", text),))
    made = Command("program").request(prompt, Options(), Endpoint("p", "m", ""), stream=True)
    return Open(made, 1.0, NEVER)


@pytest.fixture(params=["sync", "async"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Return a function that makes a transport for a command and returns its `perform`."""
    if request.param == "sync":
        transports: list[ProcessTransport] = []

        def make(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Perform:
            transports.append(ProcessTransport(command, environment))
            return transports[-1].perform

        yield make
        for transport in transports:
            transport.close()
        return
    others: list[AsyncProcessTransport] = []
    with asyncio.Runner() as runner:

        def make_async(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Perform:
            others.append(AsyncProcessTransport(command, environment))
            return lambda effect, other=others[-1]: runner.run(other.perform(effect))  # type: ignore[misc]

        yield make_async
        for other in others:
            runner.run(other.aclose())


def read(perform: Perform, seconds: float = LIMIT) -> bytes:
    """Return what one read brings."""
    data = perform(Read(time.monotonic() + seconds))
    assert isinstance(data, bytes)
    return data


def output(perform: Perform, prompt: str = "hello") -> tuple[bytes, LLMStreamError | None]:
    """Return all that a command writes for a prompt, and how it failed."""
    perform(request(prompt))
    parts = []
    try:
        while data := read(perform):
            parts.append(data)
    except LLMStreamError as error:
        return b"".join(parts), error
    return b"".join(parts), None


def python(code: str) -> list[str]:
    """Return the command that runs some Python."""
    return [sys.executable, "-S", "-c", code]


def gone(process: int) -> bool:
    """Return whether a process has ended, also when nobody has taken note of it."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_the_prompt_comes_on_standard_input_and_ends(start: Start) -> None:
    perform = start(["cat"])
    assert perform(request("grüß\n")) == Head(200, {"content-type": "text/plain"})
    assert read(perform) == "grüß\n".encode()
    assert read(perform) == b""


def test_the_prompt_takes_the_place_of_its_name_and_no_shell_reads_it(start: Start) -> None:
    perform = start(["printf", "%s|%s|", "<{prompt}>", "{prompt}"])
    assert output(perform, "$(id) {prompt}; 'x'") == (b"<$(id) {prompt}; 'x'>|$(id) {prompt}; 'x'|", None)


def test_with_the_prompt_as_argument_standard_input_is_empty(start: Start) -> None:
    assert output(start(["sh", "-c", "cat; echo end", "{prompt}"])) == (b"end\n", None)


def test_output_is_there_as_soon_as_it_was_written(start: Start) -> None:
    perform = start(["sh", "-c", "read line; echo $line; read more < /dev/null; sleep 60"])
    perform(request("first\n"))
    assert read(perform) == b"first\n"


def test_much_goes_both_ways_at_once(start: Start) -> None:
    text = "0123456789" * 200_000
    assert output(start(["cat"]), text) == (text.encode(), None)


def test_a_command_need_not_read_its_prompt(start: Start) -> None:
    assert output(start(["echo", "hi"]), "x" * 1_000_000) == (b"hi\n", None)


def test_what_is_not_read_holds_the_command_up_instead_of_filling_memory(start: Start) -> None:
    perform = start(["head", "-c", "3000000", "/dev/zero"])
    perform(request())
    sizes = [len(read(perform))]
    while sizes[-1]:
        sizes.append(len(read(perform)))
    assert sum(sizes) == 3_000_000
    assert max(sizes) <= 8 * PIPE_SIZE


def test_the_exit_status_decides_and_standard_error_is_shown(start: Start) -> None:
    perform = start(["sh", "-c", "echo part; echo 'no such model' >&2; exit 3"])
    text, error = output(perform)
    assert text == b"part\n"
    assert isinstance(error, LocalModelError)
    assert error.message == "'sh' ended with status 3: no such model"
    assert not error.retryable


def test_a_signal_is_named(start: Start) -> None:
    _, error = output(start(["sh", "-c", "kill -KILL $$"]))
    assert error is not None
    assert "SIGKILL" in error.message


def test_complaints_of_a_command_that_succeeds_are_not_the_answer(start: Start) -> None:
    assert output(start(["sh", "-c", "echo loading >&2; echo hi"])) == (b"hi\n", None)


def test_only_the_end_of_long_complaints_is_kept(start: Start) -> None:
    code = "import sys; sys.stderr.write('x' * 500000 + 'last words'); sys.exit(1)"
    _, error = output(start(python(code)))
    assert error is not None
    assert error.message.endswith("last words")
    assert len(error.message) < TAIL + 100


def test_a_command_may_end_its_output_before_itself(start: Start) -> None:
    code = "import os, sys, time; os.close(1); time.sleep(0.2); sys.stderr.write('x' * 200000); sys.exit(4)"
    _, error = output(start(python(code)))
    assert error is not None
    assert "ended with status 4" in error.message


def test_a_program_that_is_not_there_is_named(start: Start) -> None:
    with pytest.raises(LocalModelError, match="no-such-program"):
        start(["no-such-program"])(request())


def test_a_file_that_is_no_program_is_said(start: Start, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    with pytest.raises(LocalModelError, match="ermission denied"):
        start([str(plain)])(request())


def test_an_empty_command_is_a_mistake_in_the_configuration(start: Start) -> None:
    with pytest.raises(ConfigError):
        start([])(request())


@pytest.mark.parametrize("prompt", ["a\0b", "x" * 5_000_000])
def test_a_prompt_that_can_not_be_an_argument_has_a_remedy(start: Start, prompt: str) -> None:
    with pytest.raises(LocalModelError) as raised:
        start(["echo", "{prompt}"])(request(prompt))
    assert "standard input" in raised.value.hint


def test_the_environment_is_what_it_was_given(start: Start) -> None:
    perform = start(["sh", "-c", "echo $WORD"], {"WORD": "x", "PATH": os.environ["PATH"]})
    assert output(perform) == (b"x\n", None)


def test_a_limit_passes_and_the_command_can_still_be_read(start: Start) -> None:
    perform = start(["cat", "/dev/stdin", "-"])
    perform(request("hi"))
    assert read(perform) == b"hi"
    assert read(perform) == b""
    perform = start(["sleep", "60"])
    perform(request())
    for _ in range(2):
        with pytest.raises(TimeLimitPassed):
            read(perform, 0.05)


def test_giving_up_ends_the_whole_group_before_its_parent_is_told(start: Start) -> None:
    perform = start(["sh", "-c", "sleep 61 & echo $!; wait"])
    perform(request())
    grandchild = int(read(perform))
    assert not gone(grandchild)
    perform(Close())
    assert gone(grandchild)


def test_a_command_may_tidy_up_when_it_is_ended(start: Start, tmp_path: Path) -> None:
    mark = tmp_path / "tidied"
    perform = start(["sh", "-c", f"trap 'echo bye > {mark}; exit' TERM; echo ready; sleep 61 & wait"])
    perform(request())
    assert read(perform) == b"ready\n"
    perform(Close())
    assert mark.read_text() == "bye\n"


def test_a_command_that_ignores_being_ended_is_killed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmstream.transport.process.common.GRACE", 0.2)
    perform = start(["sh", "-c", "trap '' TERM; echo $$; while :; do sleep 61; done"])
    perform(request())
    process = int(read(perform))
    perform(Close())
    assert gone(process)


def test_the_command_is_out_of_reach_of_the_terminals_interrupt(start: Start) -> None:
    perform = start(python("import os; print(os.getpgid(0), os.getsid(0), os.getpid())"))
    text, _ = output(perform)
    group, session, process = map(int, text.split())
    assert group == session == process != os.getpgid(0)


def test_the_next_command_takes_the_place_of_the_last(start: Start) -> None:
    perform = start(["sh", "-c", "echo $$; cat > /dev/null; sleep 61"])
    perform(request())
    first = int(read(perform))
    perform(request())
    assert gone(first)
    assert int(read(perform)) != first


def test_a_cancelled_task_ends_its_command() -> None:
    async def cancelled() -> int:
        transport = AsyncProcessTransport(["sh", "-c", "echo $$; sleep 61"])
        process = 0

        async def run() -> None:
            nonlocal process
            try:
                await transport.perform(request())
                data = await transport.perform(Read(NEVER))
                assert isinstance(data, bytes)
                process = int(data)
                await transport.perform(Read(NEVER))
            finally:
                await transport.aclose()

        task = asyncio.create_task(run())
        while not process:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return process

    assert gone(asyncio.run(cancelled()))


def test_ctrl_c_in_a_read_leaves_the_command_to_be_ended() -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    transport = ProcessTransport(["sh", "-c", "echo $$; sleep 61"])
    try:
        transport.perform(request())
        process = int(read(transport.perform))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            read(transport.perform)
    finally:
        signal.signal(signal.SIGALRM, before)
        transport.close()
    assert gone(process)
