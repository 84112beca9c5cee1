"""Recognise graphs whose state holds messages, and find the answer in their events.

Nothing is imported for this: a compiled graph of LangGraph has `channels`, and if its state holds messages,
one of them is named ``messages``.

Source: langgraph 1.2, `Pregel.channels`, `get_graph`, and the metadata of its runs:
``langgraph_checkpoint_ns`` is ``NODE:ID``, within a subgraph ``NODE:ID|NODE:ID``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from llmstream.errors import BadMessage
from llmstream.foreign.chunks import document_of
from llmstream.foreign.steps import StepEvent
from llmstream.wire.document import Document

MESSAGES: Final = "messages"
ASSISTANT: Final = ("ai", "AIMessageChunk", "assistant")
"""Types (LangChain) and role (OpenAI) of a model's own message."""
QUIET: Final = ("nostream", "langsmith:nostream")
"""Tags with which LangGraph excludes a model's text from a stream."""


def inner(model: object) -> object:
    """Return the object that LangChain's `with_config` and `bind` were called on."""
    while not hasattr(model, "channels") and getattr(model, "bound", None) is not None:
        model = model.bound  # type: ignore[attr-defined]  # it has one
    return model


def has_messages(model: object) -> bool:
    """Return whether an object is a graph with messages in its state."""
    channels = getattr(inner(model), "channels", None)
    return isinstance(channels, Mapping) and MESSAGES in channels


def answering_graph(model: object) -> object | None:
    """Return the graph with messages that an object is, or that a chain ends with; None for neither."""
    model = inner(model)
    while not has_messages(model):
        model = inner(getattr(model, "last", None))
        if model is None:
            return None
    return model


def last_node(graph: object) -> str:
    """Return the only node that leads to a graph's end, empty if there are several or it has other edges.

    A node of a subgraph is named ``NODE:NODE``, as in LangGraph's drawings.
    """
    try:
        edges = graph.get_graph(xray=True).edges  # type: ignore[attr-defined]
        ways = [(str(one.source), str(one.target)) for one in edges]
    except Exception:  # noqa: BLE001  # without a drawing, the node is unknown
        return ""
    last = {source for source, target in ways if target == "__end__"}
    node = last.pop() if len(last) == 1 else ""
    return node if all(target == "__end__" for source, target in ways if source == node) else ""


class LastMessage:
    """The answer of a graph: the last assistant message of its state.

    Text that may not be the answer is held until the graph ends; only text from a node that always leads to
    the end is yielded as it arrives.

    Args:
        graph: the graph, or the one that a chain ends with.
        given: number of messages in its input.
        live: for display: yield the text of all messages as it arrives, one message after the other.
    """

    def __init__(self, graph: object, given: int, *, live: bool) -> None:
        self._given = given
        self._live = live
        self._last_node = "" if live else last_node(graph)
        self._root = ""
        self._tools: set[str] = set()
        self._said: dict[str, list[Document]] = {}
        self._over: set[str] = set()
        self._shown: list[str] = []
        self._tail = ""
        self._output: object = None
        self._added: list[object] = []

    def take(self, event: StepEvent) -> Iterator[Document]:
        """Yield the part of the answer in an event."""
        self._root = self._root or event.run_id
        if event.event == "on_tool_start":
            self._tools.add(event.run_id)
        elif event.event == "on_chat_model_stream" and self._counts(event):
            yield from self._heard(event)
        elif event.run_id in self._said and event.ends:
            self._over.add(event.run_id)
            if self._live:
                yield from self._next(called=bool(getattr(event.data.get("output"), "tool_calls", None)))
        elif event.run_id == self._root and event.streams:
            self._updated(event.data.get("chunk"))
        elif event.ends and (event.run_id == self._root or [*event.parent_ids] == [self._root]):
            # outputs of nodes match too, but the graph's final state follows them, also within a chain
            output = event.data.get("output")
            self._output = output if messages_of(output) else self._output

    def rest(self) -> Iterator[Document]:
        """Yield the part of the last message that has not been yielded yet.

        Raises:
            BadMessage: as for `last_message`.
        """
        # v1 has no final state, only the messages added by each node
        whole = messages_of(self._output)
        document = document_of(last_message(whole or self._added, self._given if whole else 0))
        text = document.get("text", "")
        run = next((one for one in reversed(self._said) if _text(self._said[one]) == text), "")
        if run and (run in self._shown or not self._shown):
            if run not in self._shown:
                yield from self._said[run]
            yield {name: value for name, value in document.items() if name not in ("text", "reasoning")}
        else:
            yield from self._parted()
            yield {"text": "", **document}

    def _counts(self, event: StepEvent) -> bool:
        """Return whether a model's text may be a message: not called by a tool, and without a `QUIET` tag."""
        tags = event.tags if isinstance(event.tags, list | tuple) else ()
        return not any(run in self._tools for run in event.parent_ids) and not any(t in QUIET for t in tags)

    def _updated(self, chunk: object) -> None:
        for update in chunk.values() if isinstance(chunk, Mapping) else ():
            self._added += messages_of(update)

    def _heard(self, event: StepEvent) -> Iterator[Document]:
        run = event.run_id
        whole = document_of(event.data.get("chunk"))
        # tool calls, usage and the finish reason are taken from the last message
        piece = {name: value for name, value in whole.items() if name in ("text", "reasoning")}
        if not piece:
            return
        first = run not in self._said
        self._said.setdefault(run, []).append(piece)
        if first and self._may_begin(event):
            yield from self._shows(run)
        elif self._shown[-1:] == [run]:
            yield self._noted(piece)

    def _may_begin(self, event: StepEvent) -> bool:
        if self._live:
            # one at a time, because concurrent messages would be interleaved
            return not self._shown or self._shown[-1] in self._over
        return not self._shown and bool(self._last_node) and _node(event) == self._last_node

    def _shows(self, run: str) -> Iterator[Document]:
        yield from self._parted()
        self._shown.append(run)
        yield from map(self._noted, self._said[run])

    def _next(self, *, called: bool) -> Iterator[Document]:
        """Yield the text of other messages that arrived in the meantime."""
        while self._shown[-1] in self._over:
            waiting = [run for run in self._said if run not in self._shown]
            if not waiting:
                break
            yield from self._shows(waiting[0])
        if called:
            # separates the text from the lines about tools
            yield from self._parted()

    def _parted(self) -> Iterator[Document]:
        missing = "\n\n"[len(self._tail) - len(self._tail.rstrip("\n")) :] if self._tail else ""
        self._tail = ""
        if missing:
            yield {"text": missing}

    def _noted(self, piece: Document) -> Document:
        self._tail = (self._tail + str(piece.get("text", "")))[-2:]
        return piece


def messages_of(state: object) -> Sequence[object]:
    """Return the messages in a graph's state, which is a mapping or an object with attributes."""
    found = state.get(MESSAGES) if isinstance(state, Mapping) else getattr(state, MESSAGES, None)
    if found is None or isinstance(found, list | tuple):
        return found or ()
    return [found]


def last_message(messages: Sequence[object], given: int) -> object:
    """Return the last assistant message.

    Args:
        messages: from a graph's final state.
        given: number of messages in the graph's input, which precede an answer.

    Raises:
        BadMessage: there is no assistant message.
    """
    # a graph may drop old messages and return fewer than it was given
    for message in reversed(messages[given:] if len(messages) > given else messages):
        role = message.get("role", message.get("type")) if isinstance(message, Mapping) else None
        if (role or getattr(message, "type", None)) in ASSISTANT:
            return message
    raise BadMessage("the graph ended without an assistant message in its state's `messages`")


def _text(pieces: list[Document]) -> str:
    return "".join(str(one.get("text", "")) for one in pieces)


def _node(event: StepEvent) -> str:
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    space = str(metadata.get("langgraph_checkpoint_ns", ""))
    return ":".join(part.partition(":")[0] for part in space.split("|"))
