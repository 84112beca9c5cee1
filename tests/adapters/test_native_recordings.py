"""Recorded answers of Ollama, Cohere and Bedrock, in every cutting, through decoder and reader."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmstream.adapters.base import Adapter, Reader
from llmstream.adapters.bedrock import Bedrock
from llmstream.adapters.cohere import Cohere
from llmstream.adapters.ollama import Ollama
from llmstream.errors import LLMStreamError, ProviderError
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Endpoint, Message, Options, Prompt
from llmstream.wire import decoder

FOLDER = Path(__file__).parent / "recordings"
ADAPTERS: dict[str, Adapter] = {"ollama": Ollama(), "cohere": Cohere(), "bedrock": Bedrock()}
RECORDINGS = sorted(path.with_suffix("") for name in ADAPTERS for path in (FOLDER / name).glob("*.body"))
ANSWERS = [path for path in RECORDINGS if not path.name.startswith("error-")]


def expected(path: Path) -> dict[str, Any]:
    """Return what is to be made of a recording."""
    found: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return found


def events(path: Path, reads: Iterable[bytes], reader: Reader) -> Iterator[Event]:
    """Yield what a reader makes of a body that comes in these reads."""
    if path.name == "invoke-tool":
        pytest.importorskip("llmstream.adapters.anthropic")  # whose dialect is inside of the frames
    adapter = ADAPTERS[path.parent.name]
    prompt = Prompt((Message("user", "hello"),))
    endpoint = Endpoint("p", "m", "http://localhost")
    framing = adapter.request(prompt, Options(), endpoint, stream=True).framing
    wire = decoder(framing, expected(path)["content_type"])
    for data in (*reads, b""):
        for message in wire.feed(data) if data else wire.close():
            yield from reader.read(message)
            if reader.done:
                return


def summary(found: list[Event]) -> dict[str, Any]:
    """Return text, reasoning, calls, finish reason and usage of all events."""
    calls: dict[int, dict[str, Any]] = {}
    for event in found:
        if isinstance(event, ToolCallDelta):
            call = calls.setdefault(event.index, {"id": None, "name": "", "arguments": ""})
            call["id"] = call["id"] or event.id
            call["name"] += event.name or ""
            call["arguments"] += event.arguments
    usage = next((e for e in reversed(found) if isinstance(e, Usage)), None)
    return {
        "text": "".join(e.text for e in found if isinstance(e, TextDelta)),
        "reasoning": "".join(e.text for e in found if isinstance(e, ReasoningDelta)),
        "tool_calls": [
            {**call, "arguments": json.loads(call["arguments"] or "{}")} for call in calls.values()
        ],
        "finish_reason": next((e.raw for e in found if isinstance(e, Finish)), None),
        "usage": [usage.input_tokens, usage.output_tokens] if usage else None,
    }


def pieces(body: bytes, cutting: str) -> list[bytes]:
    """Return a body whole, byte by byte, or in pieces of up to 50 bytes."""
    if cutting == "whole":
        return [body]
    chance = random.Random(body)
    reads: list[bytes] = []
    while body:
        size = 1 if cutting == "bytes" else chance.randint(1, 50)
        reads.append(body[:size])
        body = body[size:]
    return reads


@pytest.mark.parametrize("cutting", ["whole", "bytes", "pieces"])
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_answer_is_understood_however_it_is_cut(path: Path, cutting: str) -> None:
    wanted, found, failure = expected(path), [], ""
    reader = ADAPTERS[path.parent.name].reader()
    try:
        for event in events(path, pieces(path.with_suffix(".body").read_bytes(), cutting), reader):
            found.append(event)
    except ProviderError as error:
        failure = error.message
    assert (wanted["error"] or "") in failure
    assert bool(wanted["error"]) == bool(failure)
    assert (reader.done or reader.finished) == (not failure)
    assert summary(found) == {name: wanted[name] for name in summary([])}


@pytest.mark.parametrize(
    "path",
    [path for path in RECORDINGS if path.name.startswith("error-")],
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_a_refusal_says_what_the_provider_said(path: Path) -> None:
    wanted = expected(path)
    body = path.with_suffix(".body").read_bytes()
    error = ADAPTERS[path.parent.name].error(wanted["status"], wanted["headers"], body)
    assert wanted["error"] in error.message
    assert error.status == wanted["status"]
    assert not error.retryable


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_answer_without_its_end_is_not_complete(path: Path) -> None:
    wanted, reader = expected(path), ADAPTERS[path.parent.name].reader()
    body = path.with_suffix(".body").read_bytes()
    found: list[Event] = []
    # the cut may be inside of a frame or a line
    with contextlib.suppress(LLMStreamError):
        found.extend(events(path, [body[: len(body) // 3]], reader))
    assert not reader.done
    assert not reader.finished
    assert wanted["text"].startswith(summary(found)["text"])
