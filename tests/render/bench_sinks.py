"""What an event costs in each sink, beside the obvious way to do the same.

Run it: python tests/render/bench_sinks.py
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

from llmstream.engine.meter import Meter
from llmstream.events import Event, TextDelta
from llmstream.render.base import Sink, Writer
from llmstream.render.jsonl import JsonlSink
from llmstream.render.plain import PlainSink
from llmstream.tracing.tracer import Tracer

ROUNDS = 20_000


def cost(write: Callable[[list[Event], float], None], batch: list[Event]) -> float:
    """Return microseconds of CPU an event, the best of five runs."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for number in range(ROUNDS):
            write(batch, 1.0 + number)
        best = min(best, time.process_time() - began)
    return best / ROUNDS / len(batch) * 1e6


def main() -> None:
    """Print the table."""
    null = os.open(os.devnull, os.O_WRONLY)
    stream = open(null, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # open until the end
    tracer = Tracer(provider="openai", model="gpt-3.5-turbo-instruct", prompt_text="hi")
    lines = JsonlSink(Writer(null), tracer, Meter(0.0))
    lines.open(None, 0.0)
    sinks: dict[str, Sink] = {
        "plain": PlainSink(Writer(null), guard=False),
        "plain, guarded": PlainSink(Writer(null), guard=True),
        "jsonl": lines,
    }

    def print_each(batch: list[Event], at: float) -> None:
        for event in batch:
            if isinstance(event, TextDelta):
                print(event.text, end="", flush=True, file=stream)

    def dump_each(batch: list[Event], at: float) -> None:
        for made in tracer.batch(batch, at):
            print(json.dumps(made, ensure_ascii=False), flush=True, file=stream)

    ways = {name: sink.write for name, sink in sinks.items()}
    ways |= {"print of each": print_each, "json.dumps of each": dump_each}
    print(f"{'us an event':22}{'1 a read':>10}{'16 a read':>11}")
    for name, write in ways.items():
        one, many = (cost(write, [TextDelta(" token")] * size) for size in (1, 16))
        print(f"{name:22}{one:10.2f}{many:11.2f}")


if __name__ == "__main__":
    main()
