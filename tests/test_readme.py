"""The README says what is true: the options, statuses and commands that it names."""

from __future__ import annotations

import re
from pathlib import Path

from llmstream.cli.exits import Exit
from llmstream.cli.parsing.commands import first_words
from llmstream.cli.parsing.table import OPTIONS

README = Path(__file__).parent.parent / "README.md"


def test_every_option_that_it_names_is_there() -> None:
    known = {f"--{name}" for option in OPTIONS for name in (option.name, option.off) if name}
    known |= {"--help", "--origin", "--group"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README.read_text("utf-8")))
    assert named <= known


def test_every_exit_status_is_explained() -> None:
    text = README.read_text("utf-8")
    for status in Exit:
        assert re.search(rf"^\|[^|]*\b{int(status)}\b[^|]*\|", text, re.MULTILINE), status


def test_every_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"`llmstream ([a-z]+)", README.read_text("utf-8")))
    assert named <= set(first_words())
