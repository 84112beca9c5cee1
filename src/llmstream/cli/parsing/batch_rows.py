"""The options of `llmstream batch`."""

from __future__ import annotations

from typing import Final

from llmstream.cli.parsing.option import BATCH, Kind, Option


def _row(name: str, kind: Kind, help: str, metavar: str = "", short: str = "", valued: str = "") -> Option:
    return Option(name, kind, help, "", "command", short, metavar=metavar, commands=(BATCH,), valued=valued)


ROWS: Final[tuple[Option, ...]] = (
    _row("jobs", "int", "Concurrent requests (default 16)", "N", "j"),
    _row("rpm", "float", "Maximum requests per minute, spread evenly", "N"),
    _row("tpm", "float", "Maximum tokens per minute, spread evenly", "N"),
    _row("max-failures", "int", "Stop after N failures", "N"),
    _row(
        "output",
        "path",
        "Write each answer to FILE when it ends; the same command again resumes",
        "FILE",
    ),
    _row("fresh", "flag", "Start FILE over"),
    _row("ordered", "flag", "Keep the answers in the order of the input"),
    _row("dry-run", "flag", "Count prompts and estimate tokens; send nothing"),
    _row("deferred", "flag", "Use the provider's batch interface: half the price, within a day"),
    _row("wait", "flag", "With --deferred: wait for the answers"),
    _row(
        "ray",
        "flag",
        "Run on a Ray cluster: --ray=ADDRESS, or a new one on this machine",
        valued="ray-address",
    ),
    _row("ray-address", "text", "Same as --ray=ADDRESS", "ADDRESS"),
)
