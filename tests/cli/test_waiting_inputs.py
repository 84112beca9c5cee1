"""Standard input that stays silent, can't be read or is larger than memory should hold."""

from __future__ import annotations

import os
import threading

import pytest

import llmstream.cli.running.stdin as stdin
from llmstream.cli.running.stdin import StandardInput, prompt_text
from llmstream.errors import UsageError


def test_a_silent_pipe_is_told_what_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    monkeypatch.setattr(stdin, "PATIENCE", 0.01)

    def say(text: str) -> None:
        said.append(text)
        os.write(theirs, b"text")
        os.close(theirs)

    said: list[str] = []
    try:
        assert prompt_text(["before {stdin}"], StandardInput(ours, say)) == "before text"
    finally:
        os.close(ours)
    assert "--no-stdin" in said[0]


def test_a_pipe_in_non_blocking_mode_is_read_to_its_end() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    os.write(theirs, b"one ")
    source = StandardInput(ours, print)

    def more() -> None:
        os.write(theirs, b"two")
        os.close(theirs)

    timer = threading.Timer(0.05, more)
    timer.start()
    try:
        assert source.read() == b"one two"
    finally:
        timer.join()
        os.close(ours)


def test_what_is_open_for_writing_alone_or_not_at_all_is_empty() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    source = StandardInput(theirs, print)
    assert source.read() == b""
    os.close(theirs)
    assert source.read() == b""


def test_a_folder_in_its_place_is_refused() -> None:
    folder = os.open("/", os.O_RDONLY)
    try:
        with pytest.raises(UsageError, match="directory"):
            StandardInput(folder, print).read()
    finally:
        os.close(folder)


def test_more_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdin, "LONGEST", 3)
    ours, theirs = os.pipe()
    os.write(theirs, b"four")
    os.close(theirs)
    try:
        with pytest.raises(UsageError, match="larger than"):
            StandardInput(ours, print).read()
    finally:
        os.close(ours)


def test_it_is_read_for_one_option_alone() -> None:
    ours, theirs = os.openpty()
    os.write(ours, b"typed\n\x04")
    said: list[str] = []
    source = StandardInput(theirs, said.append)
    try:
        assert source.take("-f") == b"typed\n"
        assert "Ctrl-D" in said[0]
        for again in (lambda: source.take("--attach"), lambda: prompt_text(["-"], source)):
            with pytest.raises(UsageError, match="once"):
                again()
        with pytest.raises(UsageError, match="piped"):
            prompt_text(["{stdin}"], source)
        source.close()
        with pytest.raises(UsageError, match="--no-stdin"):
            source.take("-f")
    finally:
        os.close(ours)
        os.close(theirs)
