"""Convert an object's own events (`astream_events`) to documents for the adapter ``runnable``.

One run provides both the events of its steps and the answer.

Source: langchain-core 1.8, `astream_events`: the first event belongs to the outermost run, v1 has no
parent ids, and in v2 a step that returns its output at once has no stream event.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Mapping, Sequence
from typing import Protocol

from llmstream.errors import BadMessage
from llmstream.foreign.as_json import object_of, text_of
from llmstream.foreign.chunks import END, document_of, joined
from llmstream.record import Record
from llmstream.wire.document import Document
from llmstream.wire.message import MESSAGE_LIMIT


class StepEvent(Record):
    """One event with LangChain's seven keys; values typed `object` are as the object sent them."""

    event: str
    run_id: str
    name: object
    tags: object
    metadata: object
    data: Mapping[str, object]
    parent_ids: Sequence[object]

    @property
    def streams(self) -> bool:
        """Whether the event contains a chunk of its run's output."""
        return self.event.endswith("_stream")

    @property
    def ends(self) -> bool:
        """Whether the event is the last of its run."""
        return self.event.endswith(("_end", "_error"))


class Answer(Protocol):
    """Finds the answer among an object's events."""

    def take(self, event: StepEvent) -> Iterator[Document]:
        """Yield the part of the answer that an event holds."""
        ...

    def rest(self) -> Iterator[Document]:
        """Yield what can be determined only at the end of the run."""
        ...


class LastStep:
    """The answer of a chain: the chunks of the outermost run, which are those of its last step.

    Args:
        given: number of input messages; ignored.
    """

    def __init__(self, given: int = 0) -> None:
        self._root = ""
        self._streamed = False
        self._output: object = None

    def take(self, event: StepEvent) -> Iterator[Document]:
        """Yield the part of the answer that an event holds."""
        self._root = self._root or event.run_id
        if event.run_id != self._root:
            return
        if event.streams:
            self._streamed = True
            yield document_of(event.data.get("chunk"))
        elif event.ends:
            self._output = event.data.get("output")

    def rest(self) -> Iterator[Document]:
        """Yield the output if it was not streamed."""
        if not self._streamed and self._output is not None:
            # an empty text is still an answer
            yield {"text": "", **document_of(_generated(self._output))}


def _generated(output: object) -> object:
    """Return a model's output, which LangChain wraps in ``generations`` if it is not a chat model."""
    generations = output.get("generations") if isinstance(output, Mapping) else None
    return generations[0][0] if generations else output


async def documents_of(
    events: AsyncIterable[object],
    answer: Answer,
    *,
    steps: bool,
    stream: bool,
    hide: Callable[[str], str],
) -> AsyncGenerator[Document, None]:
    """Yield one document for each step's event and each piece of the answer, then the end.

    Args:
        events: the result of `astream_events`; closed at the end if it has `aclose`.
        answer: finds the answer in the events.
        steps: whether to yield the events themselves.
        stream: False joins the answer and yields it at the end.
        hide: hides the keys in a text.

    Raises:
        BadMessage: a value is not an event, or there is no answer.
    """
    kept: list[Document] = []
    try:
        async for one in events:
            event = event_of(one)
            if steps:
                yield {"step": hide(step_text(event))}
            for document in answer.take(event):
                if stream:
                    yield document
                else:
                    kept.append(document)
    finally:
        if hasattr(events, "aclose"):
            await events.aclose()
    kept += answer.rest()
    for document in kept if stream else joined(kept):
        yield document
    yield END


def event_of(value: object) -> StepEvent:
    """Return a value from `astream_events` as an event.

    Raises:
        BadMessage: the value is not an event.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("event"), str):
        raise BadMessage(
            f"astream_events returned a value of class {type(value).__name__!r}, which is not an event"
        )
    data, parents = value.get("data"), value.get("parent_ids")
    return StepEvent(
        str(value["event"]),
        text_of(value.get("run_id", "")),
        value.get("name", ""),
        value.get("tags"),
        value.get("metadata"),
        data if isinstance(data, Mapping) else {},
        parents if isinstance(parents, list | tuple) else (),
    )


def step_text(event: StepEvent) -> str:
    """Return an event as JSON text, without its data if it is too long for a line."""
    made = {
        "event": event.event,
        "run_id": event.run_id,
        "name": text_of(event.name),
        "tags": _texts(event.tags),
        "metadata": object_of(event.metadata),
        "data": object_of(event.data),
        "parent_ids": _texts(event.parent_ids),
    }
    text = json.dumps(made, ensure_ascii=False)
    # escaping it again within the line makes it longer
    if len(text) > MESSAGE_LIMIT // 8:
        made["data"] = {"omitted": f"{len(text)} characters"}
        text = json.dumps(made, ensure_ascii=False)
    return text


def _texts(values: object) -> list[str]:
    return [text_of(one) for one in values] if isinstance(values, list | tuple | set) else []
