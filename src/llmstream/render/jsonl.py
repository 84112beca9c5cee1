"""Events as JSON Lines, and a run as one JSON object, for scripts.

A line is exactly ``json.dumps(event, ensure_ascii=False)`` of the tracer's dictionary, with more
characters written as ``\\uXXXX``: always DEL, and on a terminal all that guard.py replaces beyond
C0, so that JSON on a terminal is as safe as text but keeps the model's exact text.  Lone
surrogates become U+FFFD.

Nearly all lines are text deltas that differ in only three places, so they are made from a template:
a dictionary and json.dumps for each would take five times as long.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.engine.meter import Meter
from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.prompt import Json
from llmstream.render.base import Sink, Writer, encode
from llmstream.render.guard import FORMAT_CLASS
from llmstream.tracing.tracer import EventDict, Tracer

if TYPE_CHECKING:
    from llmstream.runnable.plan import Plan

RISKY: Final = re.compile(f"[{FORMAT_CLASS}]")
DUMPS: Final = json.JSONEncoder(ensure_ascii=False).encode


def schema() -> str:
    """Return the JSON Schema (draft 2020-12) of one line: the text of events.schema.json."""
    return (Path(__file__).parent / "events.schema.json").read_text("utf-8")


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def harmless(lines: str, isatty: bool) -> bytes:
    """Return JSON text as UTF-8, with DEL and, for a terminal, all unsafe characters escaped."""
    if isatty and not lines.isascii():
        lines = RISKY.sub(_escaped, lines)
    return encode(lines.replace("\x7f", "\\u007f") if "\x7f" in lines else lines)


class JsonlSink(Sink):
    """Writes one line per event: exactly one start first, and exactly one end or error last.

    Args:
        writer: where to write.
        tracer: the run's tracer; nothing else may use it.
        meter: the run's meter; the caller must give it each batch before this sink.
    """

    def __init__(self, writer: Writer, tracer: Tracer, meter: Meter) -> None:
        self._writer = writer
        self._tracer = tracer
        self._meter = meter
        self._opened = self._closed = False
        self._head = self._middle = ""

    def open(self, plan: Plan | None, at: float) -> None:
        """Write the start event; the first write or close does it if this was not called."""
        self._open(at)

    def _open(self, at: float) -> None:
        if self._opened:
            return
        self._opened = True
        start = self._tracer.start(at)
        before = {key: start[key] for key in ("event", "run_id", "name", "tags", "metadata")}
        before["event"] = "on_llm_stream"
        self._head = DUMPS(before)[:-1] + ', "data": {"chunk": '
        self._middle = f'}}, "parent_ids": {DUMPS(start["parent_ids"])}, "seq": '
        self._put([DUMPS(start) + "\n"])

    def write(self, batch: list[Event], at: float) -> None:
        """Write the lines of one batch in one write."""
        self._open(at)
        tracer, head, middle, quoted = self._tracer, self._head, self._middle, encode_basestring
        if tracer.whole:
            self._put([DUMPS(event) + "\n" for event in tracer.batch(batch, at)])
            return
        tail = f', "t": {tracer.stamp(at)!r}}}\n'
        seq = tracer.seq
        lines = []
        for event in batch:
            if type(event) is TextDelta:
                lines.append(f"{head}{quoted(event.text)}{middle}{seq}{tail}")
                seq += 1
                continue
            tracer.seq = seq
            lines += [DUMPS(made) + "\n" for made in tracer.batch([event], at)]
            seq = tracer.seq
        tracer.seq = seq
        self._put(lines)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write the last event, and the start event if it is missing; a second call does nothing."""
        if self._closed:
            return
        self._open(now)
        self._closed = True
        completion = self._meter.completion(now)
        tracer = self._tracer
        last = tracer.error(error, completion, now) if error else tracer.end(completion, now)
        self._put([DUMPS(last) + "\n"])

    def _put(self, lines: list[str]) -> None:
        if lines:
            self._writer.write(harmless("".join(lines), self._writer.isatty))


class JsonSink(Sink):
    """Writes one object at the end of the run: the last event's data with run_id, provider and model.

    Args:
        writer: where to write.
        tracer: the run's tracer.
        meter: the run's meter; the caller must give it each batch before this sink.
    """

    def __init__(self, writer: Writer, tracer: Tracer, meter: Meter) -> None:
        self._writer = writer
        self._tracer = tracer
        self._meter = meter
        self._closed = False

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write the object; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        completion = self._meter.completion(now)
        tracer = self._tracer
        data = tracer.error_data(error, completion) if error else tracer.end_data(completion)
        identity: dict[str, Json] = {
            "run_id": tracer.run_id,
            "provider": completion.provider or tracer.provider,
            "model": completion.model or tracer.model,
        }
        document: EventDict = identity | data
        self._writer.write(harmless(DUMPS(document) + "\n", self._writer.isatty))
