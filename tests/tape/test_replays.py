"""Playing recordings: as others may write them, at their pace, damaged, and cassettes of VCR."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from llmstream.errors import LLMStreamError, UsageError
from llmstream.events import TextDelta
from tape.served import SSE, Outcome, Reply, Server, asked, chat, chat_pieces, outcome, replayed, target

ENGINES = ("sync", "async")
TEXTS = ("Sparkling ", "wörld", " 🥤", "!")


def rows(step: float = 0.0, **first: Any) -> list[dict[str, Any]]:
    """Return the lines of a recording as another program may write it: with what the form asks for only."""
    head = {
        "llmstream_recording": 1, "time": "2026-11-26T00:00:00Z", "provider": "p", "adapter": "openai-chat",
        "model": "m1", "request": {"method": "POST", "url": "http://h/v1/chat/completions", "headers": {}, "body": {}},
    }  # fmt: skip
    reads = [{"data": piece.decode()} for piece in chat_pieces(*TEXTS)]
    lines: list[dict[str, Any]] = [{"status": 200, "headers": {"Content-Type": SSE}}, *reads, {"end": None}]
    return [head | first, *({"t": step * number} | line for number, line in enumerate(lines))]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    return path


def text(found: Outcome) -> str:
    return "".join(event.text for event in found.events if isinstance(event, TextDelta))


def other_cuts(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for line in lines:
        data = line["data"].encode() if "data" in line else b""
        made += [
            {"t": line["t"], "base64": base64.b64encode(data[i : i + 3]).decode()}
            for i in range(0, len(data), 3)
        ]
        made += [] if data else [line]
    return made


def changed(lines: list[dict[str, Any]], number: int, **keys: Any) -> list[dict[str, Any]]:
    return [*lines[: number - 1], lines[number - 1] | keys, *lines[number:]]


@pytest.mark.parametrize(
    "lines",
    [
        rows(),
        other_cuts(rows()),
        changed(rows(), 2, headers=[["content-type", SSE], ["x", "y"]]),
        [dict(reversed({**line, "x_note": [1]}.items())) for line in rows()],
        [*rows()[:3], {"note": "of a later version"}, *rows()[3:]],
        changed(rows(), 3, t=0.0005),
        rows(step=3600),
        rows(request={"method": "POST", "url": "", "body": "text"}),
    ],
    ids=["plain", "cut", "pairs", "more-keys", "more-lines", "backwards", "hours", "text-body"],
)
def test_recordings_of_other_writers_are_played(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    found = outcome(asked(replayed(write(tmp_path / "r.jsonl", lines))))
    assert (text(found), found.error) == ("".join(TEXTS), None)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("step", "speed", "least", "most"),
    [(0.06, 1, 0.29, 10), (6, "100", 0.29, 10), (6, "max", 0, 10)],
)
def test_the_pace_is_the_recorded_one_divided_by_the_speed(
    tmp_path: Path, engine: str, step: float, speed: Any, least: float, most: float
) -> None:
    file = write(tmp_path / "r.jsonl", rows(step=step))
    outcome(asked(replayed(file)), engine)
    began = time.monotonic()
    assert text(outcome(asked(replayed(file, speed)), engine)) == "".join(TEXTS)
    assert least <= time.monotonic() - began < most


@pytest.mark.parametrize("speed", ["soon", 0, -2, "nan", "inf", True])
def test_a_speed_that_is_none_is_wrong_use(tmp_path: Path, speed: Any) -> None:
    found = outcome(asked(replayed(write(tmp_path / "r.jsonl", rows()), speed)))
    assert found.error and found.error["type"] == UsageError.__name__


DAMAGES: dict[str, Any] = {
    "no-json": b"{this is none",
    "no-object": b"[1, 2]",
    "base64": b'{"t": 0.1, "base64": "@@@"}',
    "not-utf8": b'{"t": 0.1, "data": "\xff\xfe"}',
    "time": b'{"t": "soon", "data": ""}',
    "nan": b'{"t": NaN, "data": ""}',
    "number": b'{"t": 0.1, "data": 5}',
    "surrogate": b'{"t": 0.1, "data": "\\ud800"}',
    "status": b'{"t": 0.1, "status": "ok"}',
    "headers": b'{"t": 0.1, "status": 200, "headers": [1]}',
    "deep": b"[" * 100_000,
    "request": b'{"request": 1}',
    "adapter": b'{"adapter": 5, "request": {}}',
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_line_is_named_and_what_stands_before_it_is_played(tmp_path: Path, how: str) -> None:
    file = write(tmp_path / "r.jsonl", rows())
    good = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([*good[:4], DAMAGES[how], *good[4:]]))
    found = outcome(asked(replayed(file)))
    assert text(found) == "".join(TEXTS[:2])
    assert found.error and found.error["type"] == "BadMessage"
    assert re.search(r"line 5\b", str(found.error["message"]))


@pytest.mark.parametrize("engine", ENGINES)
def test_damage_behind_a_complete_answer_is_told_too(tmp_path: Path, engine: str) -> None:
    file = write(tmp_path / "r.jsonl", rows())
    file.write_bytes(file.read_bytes()[:-4])
    found = outcome(asked(replayed(file)), engine)
    assert text(found) == "".join(TEXTS)
    assert found.error and found.error["type"] == "BadMessage"
    assert re.search(rf"line {len(rows())}\b", str(found.error["message"]))


def test_a_recording_that_breaks_off_is_a_broken_stream(tmp_path: Path) -> None:
    found = outcome(asked(replayed(write(tmp_path / "r.jsonl", rows()[:4]))))
    assert text(found) == "".join(TEXTS[:2])
    assert found.error and found.error["type"] == "StreamBroken"


def test_a_last_line_without_its_newline_counts(tmp_path: Path) -> None:
    file = write(tmp_path / "r.jsonl", rows())
    file.write_bytes(file.read_bytes()[:-1])
    assert outcome(asked(replayed(file))).error is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "BadMessage"),
        (b"\n\n", "BadMessage"),
        (bytes(range(256)), "BadMessage"),
        (b'{"id": "1", "prompt": "hi"}\n', "BadMessage"),
        (json.dumps(rows(llmstream_recording=99)[0]).encode(), "BadMessage"),
        (json.dumps({**rows()[0], "adapter": None}).encode(), "BadMessage"),
        (json.dumps(rows(adapter="local")[0]).encode(), "ConfigError"),
        (json.dumps(rows(adapter="replay")[0]).encode(), "ConfigError"),
        (None, "ConfigError"),
    ],
)
def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path, content: bytes | None, kind: str) -> None:
    file = tmp_path / "r.jsonl"
    if content is not None:
        file.write_bytes(content)
    found = outcome(asked(replayed(file)))
    assert found.events == [] or kind == "ConfigError"
    assert found.error and found.error["type"] == kind


def test_a_recorded_command_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    lines = rows(adapter="exec", command=["touch", str(ran)])
    lines[0]["request"] |= {"method": "EXEC", "url": f"exec://touch {ran}"}
    found = outcome(asked(replayed(write(tmp_path / "r.jsonl", lines))))
    assert "Sparkling" in text(found) and not ran.exists()


def test_a_model_takes_over_from_a_recorded_refusal(tmp_path: Path) -> None:
    file = write(tmp_path / "r.jsonl", changed(rows(), 2, status=401))
    with Server(Reply([b"busy"], 503), Reply([chat("second")])) as server:
        found = outcome(asked(replayed(file), target(server.url, retries=1)))
    assert (text(found), found.error) == ("second", None)
    assert len(server.requests) == 2


def test_two_runs_of_one_recording_do_not_meet(tmp_path: Path) -> None:
    file = write(tmp_path / "r.jsonl", rows())
    plan = asked(replayed(file))
    assert outcome(plan) == outcome(plan) == outcome(plan, "async")


YAML = """interactions:
- request: {{body: '{request}', method: POST, uri: "{uri}", headers: {{content-type: [application/json]}}}}
  response:
    body: {{string: {body}}}
    headers: {{content-type: [text/event-stream]{encoding}}}
    status: {{code: 200, message: OK}}
version: 1
"""


@pytest.mark.parametrize("form", ["text", "bytes", "gzip"])
def test_a_cassette_is_played(tmp_path: Path, form: str) -> None:
    pytest.importorskip("yaml")
    data = chat(*TEXTS)
    packed = gzip.compress(data) if form == "gzip" else data
    file = tmp_path / "cassette.yaml"
    file.write_text(
        YAML.format(
            request=json.dumps({"model": "gpt-4o", "stream": True}),
            uri="https://api.openai.com/v1/chat/completions",
            body=json.dumps(data.decode())
            if form == "text"
            else f"!!binary {base64.b64encode(packed).decode()}",
            encoding=", content-encoding: [gzip]" if form == "gzip" else "",
        )
    )
    found = outcome(asked(replayed(file)))
    assert (text(found), found.error) == ("".join(TEXTS), None)


def test_a_cassette_in_json_needs_no_yaml(tmp_path: Path) -> None:
    request = {"method": "POST", "uri": "http://localhost:11434/v1/chat/completions", "body": "{}"}
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": chat(*TEXTS).decode()}}
    file = tmp_path / "cassette.json"
    file.write_text(json.dumps({"version": 1, "interactions": [{"request": request, "response": response}]}))
    assert text(outcome(asked(replayed(file)))) == "".join(TEXTS)


@pytest.mark.parametrize("content", ["interactions: [", "interactions: 5", "a: b", "interactions: []", "- 1"])
def test_yaml_that_is_no_cassette_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    pytest.importorskip("yaml")
    file = tmp_path / "cassette.yaml"
    file.write_text(content)
    found = outcome(asked(replayed(file)))
    assert found.error and found.error["type"] == "BadMessage"


def test_any_bytes_are_played_or_refused_but_never_fail_otherwise(tmp_path: Path) -> None:
    import random

    chance, good = random.Random(7), write(tmp_path / "g.jsonl", rows()).read_bytes()
    for number in range(150):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file = tmp_path / f"{number}.jsonl"
        file.write_bytes(data)
        try:
            outcome(asked(replayed(file)))
        except LLMStreamError:
            raise AssertionError("an error is part of the outcome") from None
