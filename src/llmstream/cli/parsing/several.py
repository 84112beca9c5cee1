"""The options of the commands that ask several models, replay recordings, or measure."""

from __future__ import annotations

from typing import Final

from llmstream.cli.parsing.option import BATCH, OUTPUT, Kind, Option

COMPARE, REPLAY, BENCH = "compare", "replay", "bench"
ASKING: Final = frozenset(
    {
        "model", "system", "attach", "option", "temperature", "max-tokens", "top-p", "stop", "seed", "schema",
        "stream", "fallback", "retries", "timeout-connect", "timeout-first", "timeout-idle", "timeout-total",
    }
)  # fmt: skip
"""Options of a prompt that are shared by commands that send many requests."""
SHOWING: Final = frozenset({"events", "events-version", "reasoning", "raw", "md"})
"""Options of a prompt that control how answers are shown."""
SHARED: Final = {
    BATCH: ASKING,
    COMPARE: (ASKING | SHOWING | {"file", "no-stdin"}) - {"model", "fallback"},
    REPLAY: SHOWING | {"json", "separator", "no-newline", "stats", "extract", "extract-last", "copy", "sync"},
    BENCH: (ASKING | {"file", "no-stdin"}) - {"model", "seed", "fallback", "retries"},
}
"""The options of a prompt that other commands take, by command."""


def _of(command: str, name: str, kind: Kind, help: str, metavar: str = "", short: str = "") -> Option:
    return Option(name, kind, help, "", "command", short, metavar=metavar, commands=(command,))


SEVERAL: Final[tuple[Option, ...]] = (
    Option(
        "model",
        "text",
        "PROVIDER/MODEL, PROVIDER or alias; repeat for each model",
        "",
        "command",
        "m",
        many=True,
        commands=(COMPARE, BENCH),
    ),
    _of(COMPARE, "race", "flag", "The first model to produce a token wins; the others are cancelled"),
    _of(COMPARE, "json", "flag", "Print one JSON object per model"),
    _of(REPLAY, "speed", "text", "Times as fast as recorded, or max for no waiting (default 1)", "N"),
    _of(BENCH, "requests", "int", "Measured requests per model (default 20)", "N", "n"),
    _of(BENCH, "jobs", "int", "Concurrent requests (default 1)", "N", "j"),
    _of(BENCH, "rate", "float", "Send R requests per second instead (Poisson arrivals)", "R"),
    _of(BENCH, "duration", "float", "Send no new requests after S seconds", "S"),
    _of(BENCH, "warmup", "int", "Requests sent first and not measured (default 1)", "N"),
    _of(BENCH, "prompt-tokens", "int", "Add about N tokens of random words to each prompt", "N"),
    _of(BENCH, "seed", "int", "Seed for arrivals and random words; the model's is -o seed=N", "N"),
    _of(BENCH, "slo", "text", "Limits for goodput, in seconds: ttft=1,itl=0.05 (also e2e, tpot)", "LIMITS"),
    _of(BENCH, "interleave", "flag", "Alternate between the models instead of finishing one first"),
    _of(BENCH, "json", "flag", "Print one JSON object per model instead of the table"),
    _of(BENCH, "csv", "flag", "Print one CSV row per model instead of the table"),
    _of(BENCH, "svg", "path", "Also save the table and histograms as an SVG image", "FILE"),
    Option(
        "record",
        "path",
        "Record the run for `llmstream replay`",
        OUTPUT,
        "plan",
        metavar="FILE",
    ),
)
"""Rows of the table of options."""
