"""Reads the answers of OpenAI's responses API, streamed or whole.

A piece of text may be sent in deltas, in a ``*.done`` event, at the end of its item, or in the final
response, and often in several of these.  `Parts` makes sure that everything is yielded once.

Sources: OpenAI API reference, "Responses: streaming events"; the Open Responses specification; LM Studio's
reference, read 2026-11; recorded answers of OpenRouter, xAI, Perplexity and GitHub Copilot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from llmstream.adapters.content import text_of
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import (
    arguments_text,
    extras_at,
    name_at,
    object_at,
    objects_at,
    reason_at,
    text_at,
)
from llmstream.adapters.openai_common import usage_of
from llmstream.adapters.opening import check, ends, opened, reported
from llmstream.adapters.parts import MOST_PARTS, Parts
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.events import Event, FinishReason, TextDelta
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

OWN: Final[Mapping[str, FinishReason]] = {"completed": "stop", "incomplete": "length"}
CALLS: Final[Mapping[str, str]] = {"function_call": "arguments", "custom_tool_call": "input"}
"""Type of a tool call item -> field with its arguments; other tools are run by the server."""

Place: TypeAlias = int | str


class ResponsesReader:
    """Reads one answer; several messages in it are joined to one text.

    Items are identified by their ``output_index``, because GitHub Copilot changes the id in each event.
    """

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._parts = Parts()
        self._calls = ToolCalls()
        self._began: dict[Place, int] = {}
        self._ids: set[str] = set()
        self._argued: set[Place] = set()
        self._places: dict[object, Place] = {}

    def read(self, message: WireMessage) -> Iterable[Event]:
        """Return the events of one message, by the type in its data; OpenRouter does not name events."""
        if ends(message.data):
            self.done = True
            return ()
        document = opened(message)
        kind = document.get("type")
        if kind is None and message.event.startswith("response."):
            kind = message.event
        if kind == "response.output_text.delta":
            text = text_of(document.get("delta"))
            self._parts.said(("text", _place(document), document.get("content_index")), text)
            return (TextDelta(text),)
        if isinstance(kind, str) and kind.startswith("response."):
            if document.get("error"):
                check(message, document)
            return self._event(kind.removeprefix("response."), document)
        whole = document.get("object") == "response" or isinstance(document.get("output"), list)
        if kind is None and whole:
            return self._end(document, text_at(document, "status"))
        if kind == "error":
            raise reported(
                document.get("error") or {k: v for k, v in document.items() if k != "type"}, document
            )
        check(message, document)
        return ()

    def _event(self, kind: str, document: Document) -> Iterator[Event]:
        place, parts = _place(document), self._parts
        match kind:
            case "refusal.delta" | "content_part.delta" | "text.delta":
                text = text_of(document.get("delta"))
                parts.said(("text", place, document.get("content_index")), text)
                yield TextDelta(text)
            case "reasoning_summary_text.delta" | "reasoning_text.delta" | "reasoning.delta":
                yield from parts.thought(_thinking(kind, place, document), text_of(document.get("delta")))
            case "output_text.done" | "refusal.done" | "text.done":
                text = text_of(document.get("text")) or text_at(document, "refusal")
                yield from parts.missing(("text", place, document.get("content_index")), text)
            case "reasoning_summary_text.done" | "reasoning_text.done":
                yield from parts.missing(_thinking(kind, place, document), text_of(document.get("text")))
            case "content_part.done" | "reasoning_summary_part.done":
                part = object_at(document, "part")
                own = part.get("type") in ("output_text", "refusal", "text")
                at = document.get("content_index")
                key = ("text", place, at) if own else _thinking(kind, place, document)
                yield from parts.missing(key, text_of(part))
            case "output_item.added" | "output_item.done":
                item = object_at(document, "item")
                if len(self._places) < MOST_PARTS:
                    self._places[name_at(item, "id")] = place
                yield from self._item(place, item, complete=kind == "output_item.done")
            case "function_call_arguments.delta" | "custom_tool_call_input.delta":
                yield from self._arguments(place, arguments_text(document.get("delta")))
            case "function_call_arguments.done" | "custom_tool_call_input.done":
                given = arguments_text(document.get("arguments")) or arguments_text(document.get("input"))
                yield from self._missing(place, given)
            case "completed" | "incomplete" | "failed" | "cancelled" | "canceled" | "done":
                yield from self._end(object_at(document, "response"), kind)

    def _item(self, place: Place, item: Document, *, complete: bool) -> Iterator[Event]:
        """Yield the part of an item not yielded yet; before it is complete, only the start of a call."""
        kind = item.get("type")
        where = CALLS.get(kind) if isinstance(kind, str) else None
        if where is not None:
            yield from self._call(place, item)
            if complete:
                yield from self._missing(place, arguments_text(item.get(where)))
        elif complete and kind in ("message", None):
            content = item.get("content")
            if isinstance(content, str):
                yield from self._parts.missing(("text", place, 0), content)
                return
            for index, part in enumerate(objects_at(item, "content")):
                yield from self._parts.missing(("text", place, index), text_of(part))
        elif complete and kind == "reasoning":
            for name in ("summary", "content"):
                value = item.get(name)
                pieces = value if isinstance(value, list) else [value] if value else []
                for index, part in enumerate(pieces):
                    yield from self._parts.missing((name, place, index), text_of(part))

    def _call(self, place: Place, item: Document) -> Iterator[Event]:
        """Yield the start of a call, unless it was yielded before."""
        id_ = name_at(item, "call_id") or name_at(item, "id")
        name = name_at(item, "name")
        if place in self._began and (id_ is None or id_ in self._ids):
            return
        for event in self._calls.piece(None, id_, name, "", whole=True):
            self._began[place] = event.index
            self._argued.discard(place)
            yield event
        if id_ is not None:
            self._ids.add(id_)

    def _arguments(self, place: Place, piece: str) -> Iterator[Event]:
        if piece and place in self._began:
            self._argued.add(place)
            yield self._calls.more(self._began[place], piece)

    def _missing(self, place: Place, arguments: str) -> Iterator[Event]:
        """Yield a call's complete arguments, unless they were sent in pieces; LM Studio sends no pieces."""
        if place not in self._argued:
            yield from self._arguments(place, arguments)

    def _end(self, response: Document, status: str) -> Iterator[Event]:
        status = (status == "done" and text_at(response, "status")) or status  # an older name of all
        if status == "failed" or response.get("error"):
            raise reported(response.get("error") or response, response)
        self.finished = self.done = True
        for position, item in enumerate(objects_at(response, "output")):
            # some items may be missing here or have different ids
            place = self._places.get(name_at(item, "id") or self, position)
            if item.get("type") in CALLS:
                id_ = name_at(item, "call_id") or name_at(item, "id")
                if id_ in self._ids or (place in self._began and id_ is None):
                    continue
                place = place if place not in self._began else len(self._began) + 1_000_000
            yield from self._item(place, item, complete=True)
        whole = text_of(response.get("output_text"))
        if whole and not self._parts:
            yield from self._parts.missing(("text", 0, 0), whole)
        counts = extras_at(response, "usage")
        if counts:
            yield usage_of(counts)
        raw = reason_at(extras_at(response, "incomplete_details"), "reason") or status
        yield finish(raw, OWN, calls=self._calls)


def _place(document: Document) -> Place:
    place = document.get("output_index", document.get("item_id"))
    return place if isinstance(place, int | str) else 0


def _thinking(kind: str, place: Place, document: Document) -> tuple[object, ...]:
    summary = "summary" in kind
    return (
        "summary" if summary else "content",
        place,
        document.get("summary_index" if summary else "content_index"),
    )
