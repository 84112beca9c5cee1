"""Wrong values, generated from the recordings: each (dialect, path, kind) once, where the value stands.

python tests/fuzz/wrong_values.py [--all] [--seed N] [--seconds S]
"""

from __future__ import annotations

import argparse
import binascii
import json
import random
import struct
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from canned import Canned
from jsonschema import Draft202012Validator

from llmstream.adapters.registry import ADAPTERS, adapter
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Call, Prepare
from llmstream.engine.meter import Meter
from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError
from llmstream.prompt import Endpoint, Message, Options, Prompt
from llmstream.render.jsonl import schema
from llmstream.tracing.tracer import Tracer
from llmstream.transport.drivers import Run
from llmstream.wire import WireMessage, decoder

RECORDINGS: Final = Path(__file__).parent.parent / "adapters" / "recordings"
BIGGEST: Final = 60_000
"""Bytes of the recordings that are used: a larger one has nothing new but its length."""
MISSING: Final = "\N{NO ENTRY SIGN}"
"""Stands for a field that isn't there."""


def nested(text: str) -> str:
    """Return JSON nested just below the parser's limit."""
    return "[" * 900 + text + "]" * 900


KINDS: Final[dict[str, str]] = {
    "null": "null", "true": "true", "false": "false", "zero": "0", "one": "1", "minus": "-1",
    "fraction": "0.5", "huge": "9" * 400, "overflowing": "18446744073709551616", "float": "1e308",
    "infinite": "1e999", "not a number": "NaN", "infinity": "-Infinity", "no text": '""', "text": '"x"',
    "digits": '"12"', "surrogate": '"\\ud83d"', "control": '"\\u0000\\u001b[31m"', "long": '"' + "y" * 5000 + '"',
    "list": "[]", "list of one": '["x"]', "list of numbers": "[1, 2]", "list of null": "[null]",
    "list of lists": "[[]]", "list of objects": "[{}]", "object": "{}", "object of text": '{"text": "x"}',
    "object of type": '{"type": 7}', "object of lists": '{"a": [1, {}]}', "nested": nested("1"),
    "missing": MISSING,
}  # fmt: skip
"""Kinds of values, as JSON."""


class Recording(NamedTuple):
    """One recorded answer, taken apart."""

    dialect: str
    name: str
    framing: str
    messages: list[WireMessage]
    headers: list[bytes]


class Case(NamedTuple):
    """A wrong value and where it is put."""

    recording: Recording
    message: int
    path: tuple[str | int, ...]
    kind: str

    @property
    def told(self) -> str:
        """What it is called in a failure."""
        where = ".".join(map(str, self.path)) or "(whole)"
        return f"{self.recording.dialect}/{self.recording.name} message {self.message} {where} = {self.kind}"


@cache
def recordings() -> list[Recording]:
    """Return the project's recordings that can be taken apart into messages of JSON."""
    found = []
    for dialect in sorted(ADAPTERS):
        for path in sorted((RECORDINGS / dialect).glob("*.body")):
            about = json.loads(path.with_suffix(".json").read_text("utf-8"))
            body = path.read_bytes()
            if about["status"] != 200 or not body or len(body) > BIGGEST:
                continue
            framing = "aws" if body[:1] == b"\x00" else "ndjson" if dialect == "ollama" else "sse"
            made = decoder(framing, about["content_type"])
            try:
                messages = [*made.feed(body), *made.close()]
            except LLMStreamError:
                messages = []
            found.append(Recording(dialect, path.stem, framing, messages, frames(body, framing)))
    return found


def frames(body: bytes, framing: str) -> list[bytes]:
    """Return the headers of AWS's frames, none in other framings."""
    found, at = [], 0
    while framing == "aws" and at + 12 <= len(body):
        total, size = struct.unpack_from(">II", body, at)
        found.append(body[at + 12 : at + 12 + size])
        at += total
    return found


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of each value in a document, the document's own first."""
    yield path
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from paths(inner, (*path, key))


def cases() -> list[Case]:
    """Return each (dialect, path, wrong kind) once; the places of a list count as one."""
    seen: set[tuple[object, ...]] = set()
    found = []
    for recording in recordings():
        for number, message in enumerate(recording.messages):
            try:
                document = json.loads(message.data)
            except ValueError:
                continue
            kind = (message.event, document.get("type") if isinstance(document, dict) else None)
            for path in paths(document):
                place = tuple("*" if isinstance(step, int) else step for step in path)
                if (recording.dialect, kind, place) in seen:
                    continue
                seen.add((recording.dialect, kind, place))
                found += [Case(recording, number, path, name) for name in KINDS]
    return found


def spoilt(message: str, path: tuple[str | int, ...], value: str) -> str:
    """Return a message with one value replaced by JSON of any kind."""
    if not path:
        return "" if value == MISSING else value
    document = json.loads(message)
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    if value == MISSING:
        del inner[path[-1]]
        return json.dumps(document)
    inner[path[-1]] = MISSING
    return json.dumps(document).replace(json.dumps(MISSING), value, 1)


def body_of(case: Case) -> bytes:
    """Return the recording's body with the wrong value in it."""
    recording, body = case.recording, b""
    for number, message in enumerate(recording.messages):
        data = message.data
        if number == case.message:
            data = spoilt(data, case.path, KINDS[case.kind])
        if recording.framing == "aws":
            body += frame(data.encode(), recording.headers[number])
        elif recording.framing == "ndjson":
            body += data.encode() + b"\n"
        else:
            name = (
                f"event: {message.event}\n" if message.event not in ("", "message", "whole", "bare") else ""
            )
            body += f"{name}data: ".encode() + b"\ndata: ".join(data.encode().split(b"\n")) + b"\n\n"
    return body


def frame(payload: bytes, headers: bytes) -> bytes:
    """Return one of AWS's frames with right checksums."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    block = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return block + struct.pack(">I", binascii.crc32(block))


CONTENT_TYPES: Final = {
    "sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream",
}  # fmt: skip
PROMPT: Final = Prompt((Message("user", "hi"),))
VALIDATOR: Final = Draft202012Validator(json.loads(schema()))


def fault_of(case: Case) -> str | None:
    """Return what is wrong with what becomes of a case, None when it is read or is a message of ours."""
    call = Call(
        adapter(case.recording.dialect),
        Endpoint("p", "m", "http://127.0.0.1/v1"),
        PROMPT,
        Options(),
        Policy(max_retries=0),
    )
    tracer = Tracer(provider="p", model="m")
    meter = Meter(0.0)
    lines = [tracer.start(0.0)]
    steps = converse([Prepare(lambda: call)], lambda: 0.0, lambda: 0.0)
    try:
        for batch in Run(steps, Canned([body_of(case)], CONTENT_TYPES[case.recording.framing])):
            meter.write(batch, 0.0)
            lines += tracer.batch(batch, 0.0)
        lines.append(tracer.end(meter.completion(0.0), 0.0))
    except LLMStreamError as error:
        if not error.message.strip():
            return "an error without a message"
        lines.append(tracer.error(error, meter.completion(0.0), 0.0))
    except Exception as error:  # that there is none is what is tried
        return f"{type(error).__name__}: {error}"
    for line in lines:
        try:
            text = json.dumps(line, ensure_ascii=False, allow_nan=False)
            text.encode()
        except (ValueError, TypeError) as error:
            return f"a line of events is no JSON: {error}"
        flaw = next(VALIDATOR.iter_errors(json.loads(text)), None)
        if flaw is not None:
            return f"a line of events breaks its schema: {flaw.message[:200]}"
    return None


def main() -> int:
    """Try the cases; the exit status is 1 when one has failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="every case, however long it takes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    chosen = cases()
    random.Random(given.seed).shuffle(chosen)  # repeatable, no secret
    begun, tried, failed = time.monotonic(), 0, 0
    for case in chosen:
        if not given.all and time.monotonic() - begun > given.seconds:
            break
        tried += 1
        fault = fault_of(case)
        if fault is not None:
            failed += 1
            sys.stdout.write(f"{case.told}: {fault}\n")
    sys.stdout.write(f"{tried} of {len(chosen)} values in {len(recordings())} recordings, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
