"""Reads the decoders' vectors and cuts bodies in pieces.

A line of ``vectors/*.jsonl`` is one JSON object: ``name``, ``rule``, the body as ``input_base64``
or as ``input_parts`` (``{"b64", "repeat"}``, joined), ``content_encoding``, ``chunkings`` (``whole``,
``per:N`` bytes, or a list of cut offsets), ``expected`` items, ``max_seconds`` for big bodies.  An
expected text may be given as ``data_parts`` or ``json_parts``: ``{"repeat", "count"}``, joined.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmstream.wire.message import Decoder, WireMessage

FOLDER = Path(__file__).parent / "vectors"

Vector = dict[str, Any]


def load(name: str) -> list[Vector]:
    """Return the vectors of one file."""
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def name_of(vector: Vector) -> str:
    """Return the test's id."""
    return str(vector["name"])


def body(vector: Vector) -> bytes:
    """Return the bytes as they arrive."""
    if "input_parts" in vector:
        parts = vector["input_parts"]
        return b"".join(base64.b64decode(part["b64"]) * part.get("repeat", 1) for part in parts)
    return base64.b64decode(vector["input_base64"])


def expected(vector: Vector) -> list[dict[str, Any]]:
    """Return the expected items with their ``*_parts`` spelt out."""
    items = []
    for raw in vector["expected"]:
        item = dict(raw)
        if "data_parts" in item:
            item["data"] = _spelt(item.pop("data_parts"))
        if "json_parts" in item:
            item["json"] = {"s": _spelt(item.pop("json_parts"))}
        items.append(item)
    return items


def _spelt(parts: list[dict[str, Any]]) -> str:
    return "".join(part["repeat"] * part["count"] for part in parts)


def cut(data: bytes, offsets: list[int]) -> list[bytes]:
    """Return `data` cut at `offsets`, without empty pieces."""
    edges = [0, *offsets, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if b > a]


def by(size: int, data: bytes) -> list[bytes]:
    """Return `data` in pieces of `size` bytes."""
    return [data[i : i + size] for i in range(0, len(data), size)]


def cuttings(vector: Vector) -> Iterator[list[bytes]]:
    """Yield the body cut in all ways it is to be read in.

    The vector's own ways; and for bodies that aren't big: whole, byte by byte, each way in two
    pieces, and for those up to 80 bytes each way in three.
    """
    data = body(vector)
    for chunking in vector["chunkings"]:
        if isinstance(chunking, list):
            yield cut(data, chunking)
        elif chunking.startswith("per:"):
            yield by(int(chunking[4:]), data)
        else:
            yield [data] if data else []
    if len(data) <= 4096:
        yield from all_cuts(data)


def all_cuts(data: bytes) -> Iterator[list[bytes]]:
    """Yield `data` whole, byte by byte, each way in two, and when it is short each way in three."""
    yield [data] if data else []
    yield by(1, data)
    for first in range(1, len(data)):
        yield cut(data, [first])
        if len(data) <= 80:
            for second in range(first + 1, len(data)):
                yield cut(data, [first, second])


def decode(decoder: Decoder, reads: list[bytes]) -> list[WireMessage]:
    """Return all messages that `reads` and their end give."""
    messages: list[WireMessage] = []
    for data in reads:
        messages += decoder.feed(data)
    return messages + decoder.close()


def decode_until_error(decoder: Decoder, reads: list[bytes]) -> tuple[list[WireMessage], str]:
    """Return the messages, and the class and message of the error that ended them, or ""."""
    messages: list[WireMessage] = []
    try:
        for data in reads:
            messages += decoder.feed(data)
        messages += decoder.close()
    except Exception as error:
        return messages, f"{type(error).__name__}: {error}"
    return messages, ""
