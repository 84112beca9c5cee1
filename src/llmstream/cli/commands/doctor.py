"""`llmstream doctor`: check the setup and say how to correct problems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from llmstream.cli.exits import Exit
from llmstream.cli.running.checks import all_checks
from llmstream.cli.running.network_checks import Check
from llmstream.render.base import encode
from llmstream.render.guard import one_line
from llmstream.render.notes import in_words

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values

SKIPPED: Final = "skip"
COLORS: Final = {"ok": "\x1b[32m", "warn": "\x1b[33m", "fail": "\x1b[31m", SKIPPED: "\x1b[36m"}
WIDEST: Final = 24


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Run all checks and return 0, or 3 if one failed."""
    checks = list(all_checks(environment, tuple(words), offline=bool(values.get("offline"))))
    if values.get("json"):
        from llmstream.render.jsonl import harmless

        text = json.dumps({"checks": [check._asdict() for check in checks]}, ensure_ascii=False) + "\n"
        environment.out.write(harmless(text, environment.out.isatty))
    else:
        width = min(WIDEST, max(len(check.name) for check in checks))
        environment.out.write(encode("".join(_line(check, width, environment) for check in checks)))
    return Exit.CONFIG if any(check.state == "fail" for check in checks) else Exit.OK


def _line(check: Check, width: int, environment: Environment) -> str:
    """Return a check as one line, broken between words on a terminal, where its state may be coloured."""
    shown = SKIPPED if check.skipped else check.state
    state = f"{shown:<4}"
    if environment.out.isatty and environment.colored:
        state = f"{COLORS[shown]}{state}\x1b[39m"
    what = f" -> {one_line(check.hint)}" if check.hint and check.state != "ok" else ""
    name = f"{one_line(check.name, 60):<{width}}"
    columns = environment.width_of(environment.out)
    before = len(f"{shown:<4}  {name}  ")
    lines = in_words(f"{one_line(check.detail)}{what}", columns and columns - before)
    return f"{state}  {name}  " + f"\n{'':{before}}".join(lines) + "\n"
