"""The options of commands that ask several models, play recordings again, or measure."""

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
"""Options of a prompt that commands take, too, which ask a model many times."""
SHOWING: Final = frozenset({"events", "events-version", "reasoning", "raw", "md"})
"""Options of a prompt about how answers are shown."""
SHARED: Final = {
    BATCH: ASKING,
    COMPARE: (ASKING | SHOWING | {"file", "no-stdin"}) - {"model", "fallback"},
    REPLAY: SHOWING | {"json", "separator", "no-newline", "stats", "extract", "extract-last", "copy", "sync"},
    BENCH: (ASKING | {"file", "no-stdin"}) - {"model", "seed", "fallback", "retries"},
}
"""Commands that take options of a prompt: which."""


def _of(command: str, name: str, kind: Kind, help: str, metavar: str = "", short: str = "") -> Option:
    return Option(name, kind, help, "", "command", short, metavar=metavar, commands=(command,))


SEVERAL: Final[tuple[Option, ...]] = (
    Option(
        "model",
        "text",
        "PROVIDER/MODEL, PROVIDER or an alias; once for each model",
        "",
        "command",
        "m",
        many=True,
        commands=(COMPARE, BENCH),
    ),
    _of(COMPARE, "race", "flag", "The first to give a token wins, the others are cancelled"),
    _of(COMPARE, "json", "flag", "One JSON object a model"),
    _of(REPLAY, "speed", "text", "How many times as fast, or max to wait for nothing (1)", "N"),
    _of(BENCH, "requests", "int", "Requests that are measured, each model (20)", "N", "n"),
    _of(BENCH, "jobs", "int", "Requests under way at once (1)", "N", "j"),
    _of(BENCH, "rate", "float", "Requests a second instead, sent when due (Poisson arrivals)", "R"),
    _of(BENCH, "duration", "float", "Send no more after so many seconds", "S"),
    _of(BENCH, "warmup", "int", "Requests before those that are measured (1)", "N"),
    _of(BENCH, "prompt-tokens", "int", "Add about N tokens of made-up words to each prompt", "N"),
    _of(BENCH, "seed", "int", "Of arrivals and made-up words; the model's is -o seed=N", "N"),
    _of(BENCH, "slo", "text", "Limits for the goodput: ttft=1,itl=0.05 (also e2e, tpot)", "LIMITS"),
    _of(BENCH, "interleave", "flag", "Ask the models in turn, not one after the other"),
    _of(BENCH, "json", "flag", "One JSON object a model, instead of the table"),
    _of(BENCH, "csv", "flag", "A CSV row a model, instead of the table"),
    _of(BENCH, "svg", "path", "Also write the table and histograms as a picture", "FILE"),
    Option(
        "record",
        "path",
        "Write down what comes, for `llmstream replay`",
        OUTPUT,
        "plan",
        metavar="FILE",
    ),
)
"""Rows of the table."""
