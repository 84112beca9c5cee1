"""The options of many prompts as one job."""

from __future__ import annotations

from typing import Final

from llmstream.cli.parsing.option import BATCH, Kind, Option


def _row(name: str, kind: Kind, help: str, metavar: str = "", short: str = "", valued: str = "") -> Option:
    return Option(name, kind, help, "", "command", short, metavar=metavar, commands=(BATCH,), valued=valued)


ROWS: Final[tuple[Option, ...]] = (
    _row("jobs", "int", "Requests at once (16)", "N", "j"),
    _row("rpm", "float", "Requests a minute, spread evenly", "N"),
    _row("tpm", "float", "Tokens a minute, spread evenly", "N"),
    _row("max-failures", "int", "End after N failures", "N"),
    _row(
        "output",
        "path",
        "Write each answer to FILE when it ends (synced every 0.5 s); the same command goes on",
        "FILE",
    ),
    _row("fresh", "flag", "Begin FILE anew"),
    _row("ordered", "flag", "Answers in the order of the input"),
    _row("dry-run", "flag", "Count what would be asked, send nothing"),
    _row("deferred", "flag", "Use the provider's batch interface: half the price, within a day"),
    _row("wait", "flag", "With --deferred: wait for the end"),
    _row("ray", "flag", "Run on a Ray cluster: --ray=ADDRESS, or one on this machine", valued="ray-address"),
    _row("ray-address", "text", "The same as --ray=ADDRESS", "ADDRESS"),
)
