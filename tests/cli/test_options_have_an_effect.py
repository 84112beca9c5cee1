"""Each row of the option table is read somewhere: an option that goes nowhere can't be added unnoticed."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from llmstream.cli.parsing.option import Option
from llmstream.cli.parsing.table import OPTIONS

COMMAND_LINE = Path(__file__).parents[2] / "src" / "llmstream" / "cli"
GENERIC = {"options", "limits"}
"""What these rows set is taken from the table itself, by `overrides_of`."""


@cache
def words_read() -> frozenset[str]:
    """Return the texts by which the command's code asks for values, and its keyword parameters."""
    found: set[str] = set()
    for path in COMMAND_LINE.rglob("*.py"):
        if path.parent.name == "parsing" and path.name not in ("argv.py",):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.FunctionDef):
                found |= {argument.arg for argument in node.args.kwonlyargs}
    return frozenset(found)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: f"{option.name}-{'-'.join(option.commands)}")
def test_every_option_is_read(option: Option) -> None:
    if option.into in GENERIC:
        assert option.into == "options" or option.limit
        return
    assert option.key in words_read(), f"nothing reads --{option.name}"
