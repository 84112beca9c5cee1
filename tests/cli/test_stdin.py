"""Standard input as parents hand it down: slow, non-blocking, write-only, without end, not quite text."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fakes.fixtures import Fake
from llmstream.cli.running import stdin as module
from llmstream.cli.running.outputs import unescaped
from llmstream.cli.running.stdin import StandardInput, prompt_text
from llmstream.errors import UsageError

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@contextmanager
def piped(data: bytes = b"", *, blocking: bool = True) -> Iterator[StandardInput]:
    reading, writing = os.pipe()
    os.set_blocking(reading, blocking)
    said: list[str] = []
    source = StandardInput(reading, said.append)
    source.said = said  # type: ignore[attr-defined]  # for the test alone

    def write() -> None:
        for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
            os.write(writing, piece)
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield source
    finally:
        writer.join()
        os.close(reading)


@pytest.mark.parametrize("blocking", [True, False])
def test_all_of_it_is_read_however_it_comes(blocking: bool) -> None:
    with piped(b"part one part two", blocking=blocking) as source:
        assert prompt_text(["Sum up:"], source) == "Sum up:\n\npart one part two"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no nohup")
def test_what_is_open_for_writing_only_is_empty() -> None:
    descriptor = os.open(os.devnull, os.O_WRONLY)
    try:
        assert prompt_text(["hi"], StandardInput(descriptor, print)) == "hi"
    finally:
        os.close(descriptor)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/zero")
def test_a_stream_without_end_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 1 << 20)
    descriptor = os.open("/dev/zero", os.O_RDONLY)
    try:
        with pytest.raises(UsageError, match="larger than the 1 MiB limit"):
            prompt_text([], StandardInput(descriptor, print))
    finally:
        os.close(descriptor)


def test_a_few_wrong_bytes_are_replaced_and_counted() -> None:
    with piped("naïve ".encode() + b"caf\xe9 and \xff\n") as source:
        assert prompt_text([], source) == "naïve caf\ufffd and \ufffd\n"
        assert "2 bytes are not UTF-8" in source.said[0]  # type: ignore[attr-defined]


def test_utf_16_with_its_mark_is_text() -> None:
    with piped("Grüße".encode("utf-16")) as source:
        assert prompt_text([], source) == "Grüße"


@pytest.mark.parametrize("data", [PNG, b"a\0b", bytes(range(256)) * 4], ids=["png", "nul", "all"])
def test_binary_data_is_refused_with_a_remedy(data: bytes) -> None:
    with piped(data) as source, pytest.raises(UsageError) as caught:
        prompt_text(["what is this?"], source)
    assert "not UTF-8 text" in caught.value.message and "-a -" in caught.value.hint


def test_it_can_be_given_away_once() -> None:
    with piped(b"text") as source:
        assert source.take("-f") == b"text"
        with pytest.raises(UsageError, match="-f - already reads it"):
            source.take("-a")
        with pytest.raises(UsageError, match="-f - already reads it"):
            prompt_text(["-"], source)
        with pytest.raises(UsageError, match="nothing is piped in"):
            prompt_text(["Say {stdin}"], source)
        assert prompt_text(["Sum up"], source) == "Sum up"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (r"\n", "\n"), (r"a\tb", "a\tb"), (r"\\n", r"\n"), (r"\0", "\0"), (r"\x", r"\x"), ("|", "|"),
        ("\\", "\\"), (r"\\\t", "\\\t"),
    ],
)  # fmt: skip
def test_four_escapes_of_a_separator_are_read(given: str, meant: str) -> None:
    assert unescaped(given) == meant


def test_a_dash_is_standard_input_for_a_file_and_an_attachment(fake: Fake) -> None:
    assert fake("ok")("-f", "-", "summarise", stdin=b"the text\n").status == 0
    assert fake.provider.body()["messages"][-1]["content"] == "stdin:\n```\nthe text\n```\n\nsummarise"
    assert fake("ok")("-a", "-", "what is it?", stdin=PNG).status == 0
    assert "data:image/png;base64," in str(fake.provider.body()["messages"][-1]["content"])
    run = fake("ok")("-f", "-", "-a", "-", "x", stdin=b"y")
    assert run.status == 2 and "-f - already reads it" in run.err


def test_a_place_for_standard_input_on_a_terminal_is_an_error(fake: Fake) -> None:
    run = fake("ok").on_terminal("Say {stdin}").finish()
    assert run.status == 2 and "nothing is piped in" in run.out + run.err
    assert fake.provider.log() == []


def test_the_concise_form_of_a_schema_is_sent_as_json_schema(fake: Fake) -> None:
    assert fake("ok")("--schema", "name, age int", "a dog").status == 0
    sent = fake.provider.body()["response_format"]["json_schema"]["schema"]
    assert sent["properties"] == {"name": {"type": "string"}, "age": {"type": "integer"}}


@pytest.mark.parametrize("more", [["--events"], ["--events-version", "v1"]])
def test_one_object_and_events_exclude_each_other(fake: Fake, more: list[str]) -> None:
    run = fake("ok")("--json", *more, "hi")
    assert (run.status, run.out) == (2, "")
    assert fake.provider.log() == []


@pytest.mark.parametrize(
    ("words", "shown"), [([], "Ctrl-D"), (["history", "prune", "--all"], "[y/N]")], ids=["prompt", "question"]
)
def test_ctrl_c_while_something_is_typed_leaves_the_shell_a_row_of_its_own(
    fake: Fake, words: list[str], shown: str
) -> None:
    command = fake("ok")
    command("hello")
    terminal = command.on_terminal(*words)
    terminal.wait_for(shown)
    terminal.type("\x03")
    run = terminal.finish()
    assert run.status == 130 and run.out.endswith("^C\r\n")
