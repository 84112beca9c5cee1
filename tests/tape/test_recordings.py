"""What is recorded of a run, and that playing it again gives the same."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import stat
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llmstream.adapters.registry import ADAPTERS
from llmstream.errors import UsageError
from llmstream.events import Fallback, Retry
from llmstream.record import replace
from llmstream.runnable.calls import batches
from llmstream.runnable.plan import Plan
from llmstream.transport.recording import recorded
from llmstream.transport.tape.writer import Recording
from tape.served import KEY, SSE, Reply, Server, asked, chat, chat_pieces, outcome, replayed, target

FOLDER = Path(__file__).parent.parent / "adapters" / "recordings"
BODIES = sorted(body for name in ADAPTERS for body in (FOLDER / name).glob("*.body"))
ENGINES = ("sync", "async")


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a recording, whose lines must all be whole."""
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(row) for row in data.split(b"\n")[:-1]]


def body(path: Path) -> bytes:
    """Return all bytes that were read."""
    return b"".join(
        line["data"].encode() if "data" in line else base64.b64decode(line.get("base64", ""))
        for line in lines(path)
    )


def cut(data: bytes, seed: str) -> list[bytes]:
    """Return bytes in odd pieces."""
    chance, pieces = random.Random(seed), []
    while data:
        size = chance.choice((1, 7, 40, 400, 4000))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@pytest.mark.parametrize("path", BODIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_answer_of_any_dialect_replays_to_the_same_events(path: Path, tmp_path: Path) -> None:
    said = json.loads(path.with_suffix(".json").read_text("utf-8"))
    file = tmp_path / "run.jsonl"
    reply = Reply(cut(path.read_bytes(), path.name), said["status"], said["content_type"])
    engine = ENGINES[len(path.name) % 2]
    with Server(reply) as server:
        live = outcome(asked(target(server.url, path.parent.name)), engine, file)
    assert outcome(asked(replayed(file)), engine) == live
    assert KEY not in file.read_text("utf-8")


@pytest.mark.parametrize("engine", ENGINES)
def test_every_read_is_written_with_its_time(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "run.jsonl"
    pieces = list(chat_pieces("a", "wörld", "🥤"))
    with Server(Reply([pieces[0][:9], *cut(b"".join(pieces)[9:], "x")])) as server:
        outcome(asked(target(server.url), text="what is tea"), engine, file)
    first, head, *rest = lines(file)
    assert (first["llmstream_recording"], first["provider"], first["adapter"], first["model"]) == (
        1, "little", "openai-chat", "m1",
    )  # fmt: skip
    assert first["request"]["headers"]["authorization"] == "Bearer [$LITTLE_KEY]"
    assert first["request"]["body"]["messages"] == [{"role": "user", "content": "what is tea"}]
    assert (head["status"], head["headers"]["content-type"]) == (200, SSE)
    assert body(file) == b"".join(pieces)
    times = [line["t"] for line in (head, *rest)]
    assert times == sorted(times) and times[0] >= 0
    assert rest[-1]["end"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_the_file_is_its_owners_alone_and_grows_with_the_answer(tmp_path: Path) -> None:
    file, go = tmp_path / "run.jsonl", threading.Event()
    before = os.umask(0)
    try:
        with Server(Reply([chat("first", finish=False), go, chat("second")])) as server:
            running = batches(recorded_plan(server.url, file))
            taken = [event for _ in range(2) for event in next(running)]
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert b"first" in body(file) and taken
            go.set()
            running.close()
    finally:
        os.umask(before)


def recorded_plan(url: str, file: Path, say: Callable[[str], None] = print) -> Plan:
    """Return a plan whose run is recorded."""
    return replace(asked(target(url)), around=partial(recorded, recording=Recording(file, say)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_a_refusal_replays_to_the_same_error(tmp_path: Path, engine: str, status: int) -> None:
    file = tmp_path / "run.jsonl"
    reply = Reply([b'{"error": {"message": "bad key %s"}}' % KEY.encode()], status, "application/json")
    with Server(reply) as server:
        live = outcome(asked(target(server.url)), engine, file)
    assert live.error and live.error["status"] == status
    assert outcome(asked(replayed(file)), engine) == live
    assert KEY not in file.read_text()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_broken_stream_replays_to_what_had_come_and_the_same_error(tmp_path: Path, engine: str) -> None:
    file, go = tmp_path / "run.jsonl", threading.Event()
    with Server(Reply([chat("half", finish=False), go, None])) as server:
        threading.Timer(0.05, go.set).start()
        live = outcome(asked(target(server.url)), engine, file)
    assert live.error and live.error["type"] == "StreamBroken"
    assert lines(file)[-1]["end"]["type"] == "StreamBroken"
    assert outcome(asked(replayed(file)), engine) == live


@pytest.mark.parametrize("engine", ENGINES)
def test_a_limit_that_passed_replays_as_such_and_at_once(tmp_path: Path, engine: str) -> None:
    file, never = tmp_path / "run.jsonl", threading.Event()
    with Server(Reply([chat("half", finish=False), never])) as server:
        one = target(server.url)
        live = outcome(asked(replace(one, policy=replace(one.policy, idle=0.2))), engine, file)
        never.set()
    assert live.error and live.error["type"] == "TimeLimitPassed"
    assert outcome(asked(replayed(file)), engine) == live


@pytest.mark.parametrize("engine", ENGINES)
def test_retries_and_fallbacks_replay_without_their_waits(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "run.jsonl"
    busy = Reply([b"busy"], 503, "text/plain", {"retry-after": "0.1"})
    with Server(busy, Reply([None]), busy) as first, Server(Reply([chat("from", " b")])) as second:
        plan = asked(target(first.url, retries=2), replace(target(second.url), adapter="openai-chat"))
        live = outcome(plan, engine, file)
    assert live.error is None
    assert [type(event) for event in live.events].count(Retry) == 2
    assert any(isinstance(event, Fallback) for event in live.events)
    assert outcome(asked(replayed(file)), engine) == live
    assert [bool(line.get("provider")) for line in lines(file) if "request" in line] == [
        True,
        False,
        False,
        True,
    ]


def test_nothing_is_tried_again_that_was_not_recorded(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with Server(Reply([b"busy"], 503, "text/plain")) as server:
        live = outcome(asked(target(server.url)), "sync", file)
    assert outcome(asked(replace(replayed(file), policy=target("").policy))).error == live.error


def test_a_key_that_a_server_repeats_is_in_no_line_however_it_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    repeated = chat(f"your key is {KEY} indeed") + b": \xff " + KEY.encode() + b" \xff\n\n"
    pieces = [repeated[at : at + 5] for at in range(0, len(repeated), 5)]
    reply = Reply(pieces, headers={"x-debug": f"Bearer {KEY}", "set-cookie": "session=abc"})
    with Server(reply) as server:
        outcome(asked(target(server.url, relay_key=KEY)), "sync", file)
    assert KEY.encode() in server.requests[0].partition(b"\r\n\r\n")[2]
    text = file.read_text()
    assert KEY not in text and "session=abc" not in text
    assert KEY.encode() not in body(file)
    assert b"your key is [$LITTLE_KEY] indeed" in body(file)


def test_a_compressed_answer_is_written_as_text(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with Server(Reply([gzip.compress(chat("zip", "zap"))], headers={"content-encoding": "gzip"})) as server:
        live = outcome(asked(target(server.url)), "sync", file)
    assert body(file) == chat("zip", "zap")
    assert "content-encoding" not in lines(file)[1]["headers"]
    assert outcome(asked(replayed(file))) == live


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_exists_is_never_written_to(tmp_path: Path, kind: str) -> None:
    file, other = tmp_path / "run.jsonl", tmp_path / "precious"
    other.write_text("precious")
    if kind == "file":
        file.write_text("precious")
    elif kind == "link":
        file.symlink_to(other)
    else:
        file.mkdir()
    with pytest.raises(UsageError, match="already exists"):
        Recording(file, print)
    assert other.read_text() == "precious"


def test_a_recording_of_nothing_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    Recording(file, print).close()
    assert not file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are POSIX's")
def test_a_full_disk_costs_the_recording_and_not_the_answer(tmp_path: Path) -> None:
    import resource
    import signal

    file = tmp_path / "run.jsonl"
    told: list[str] = []
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with Server(Reply(list(chat_pieces(*["word " * 50] * 40)))) as server:
            plan = recorded_plan(server.url, file, told.append)
            resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
            taken = [event for batch in batches(plan) for event in batch]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert sum("word" in getattr(event, "text", "") for event in taken) == 40
    assert len(told) == 1 and "run.jsonl" in told[0]
    assert lines(file)


@pytest.mark.parametrize("engine", ENGINES)
def test_leaving_early_is_written_down(tmp_path: Path, engine: str) -> None:
    file, never = tmp_path / "run.jsonl", threading.Event()
    with Server(Reply([chat("first", finish=False), never])) as server:
        running = batches(recorded_plan(server.url, file))
        next(running), next(running)
        running.close()
        never.set()
    assert lines(file)[-1]["end"]["type"] == "Cancelled"
    played = outcome(asked(replayed(file)), engine)
    assert played.error and played.error["type"] == "Cancelled"
