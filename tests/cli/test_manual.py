"""The man page is the one that the tables make, and troff takes it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.cli.parsing import manual
from llmstream.cli.parsing.commands import COMMANDS
from llmstream.cli.parsing.table import OPTIONS

PAGE = Path(__file__).parents[2] / "man" / "llmstream.1"


def test_the_installed_page_is_up_to_date() -> None:
    said = "run: python -m llmstream.cli.parsing.manual >man/llmstream.1"
    assert PAGE.read_text("utf-8") == manual.manual(), said


def test_each_option_and_each_command_is_in_it() -> None:
    page = manual.manual().replace("\\-", "-")
    assert [option.name for option in OPTIONS if f"--{option.name}" not in page] == []
    assert [c.name for c in COMMANDS if c.name != "prompt" and f".SS llmstream {c.name}" not in page] == []


def rendered(source: str) -> str:
    """Return a page as troff shows it, without its overstrikes."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        [groff, "-man", "-Tascii", "-ww", "-P-cbou"], input=source.encode(), capture_output=True, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode()


def test_troff_takes_it_without_a_warning_and_shows_all_sections() -> None:
    shown = rendered(manual.manual())
    heads = re.findall(r"^([A-Z][A-Z ]+)$", shown, re.MULTILINE)
    assert heads == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"
    ]  # fmt: skip
    assert "-m, --model TEXT" in shown and "`while read`" in shown


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_no_text_is_a_request_or_an_escape(text: str) -> None:
    made = manual._text(text)
    assert made[0] not in ".'"
    plain = re.sub(r"\\(e|-|\(aq|\(ga|&)", "", made)
    assert "\\" not in plain
