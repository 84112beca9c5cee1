"""Convert a foreign object's output to the documents that the adapter ``runnable`` reads.

A chunk is recognised by its attributes, without imports, so objects of any library and version work.

Source: langchain-core 1.7, `AIMessageChunk`, `UsageMetadata`, `ToolCallChunk`, `GenerationChunk`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping
from typing import Final, cast

from llmstream.adapters.json_values import arguments_text
from llmstream.errors import BadMessage
from llmstream.wire.document import Document

FINISH: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason")
"""Names for the finish reason in LangChain's integrations: OpenAI and Google, Anthropic, Ollama, Bedrock."""
TEXTS: Final = ("content", "text", "output")
"""Names for the text of a chunk: in a message, a generation, a chain's dictionary; the first wins."""


def documents(value: object, *, several: bool, stream: bool) -> Iterator[Document]:
    """Yield a call's result as one document per chunk, then the end; the iterable is closed in any case.

    Args:
        value: an iterable of chunks, or a single chunk.
        several: whether `value` is an iterable.
        stream: False joins the chunks.

    Raises:
        BadMessage: as for `document_of`.
    """
    if not several:
        yield _whole(value)
    else:
        try:
            chunks = map(document_of, cast("Iterable[object]", value))
            yield from chunks if stream else joined(chunks)
        finally:
            if hasattr(value, "close"):
                value.close()
    yield END


async def adocuments(value: object, *, several: bool, stream: bool) -> AsyncGenerator[Document, None]:
    """Like `documents`, for an async call."""
    if inspect.isawaitable(value):
        value = await value
    if not several:
        yield _whole(value)
    else:
        try:
            chunks = cast("AsyncIterable[object]", value)
            if stream:
                async for chunk in chunks:
                    yield document_of(chunk)
            else:
                for document in joined([document_of(chunk) async for chunk in chunks]):
                    yield document
        finally:
            if hasattr(value, "aclose"):
                await value.aclose()
    yield END


def _whole(value: object) -> Document:
    # an empty text is still an answer
    return {"text": "", **document_of(value)}


def document_of(chunk: object) -> Document:
    """Return a chunk in the form that the adapter accepts.

    Args:
        chunk: a text, or an object or a dictionary with one of `TEXTS`.

    Raises:
        BadMessage: the chunk is something else.
    """
    if isinstance(chunk, str):
        return {"text": chunk}
    text, reasoning = _texts(_content(chunk))
    extra = getattr(chunk, "additional_kwargs", None) or {}
    document: Document = {
        "reasoning": reasoning or extra.get("reasoning_content"),
        "text": text,
        "tool_calls": _tool_calls(chunk),
        "usage": _usage(getattr(chunk, "usage_metadata", None)),
        "finish": _finish(getattr(chunk, "response_metadata", None)),
    }
    return {name: value for name, value in document.items() if value}


def joined(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield an answer's documents with all text and all thinking joined in the first one."""
    every = list(documents)
    text, thinking = ("".join(one.pop(name, "") for one in every) for name in ("text", "reasoning"))
    yield {"reasoning": thinking, "text": text} if thinking else {"text": text}
    yield from filter(None, every)


def _content(chunk: object) -> object:
    found = chunk if isinstance(chunk, Mapping) else {key: getattr(chunk, key, None) for key in TEXTS}
    content = next((found[key] for key in TEXTS if isinstance(found.get(key), str | list)), None)
    if content is None:
        kind = repr(type(chunk).__name__)
        raise BadMessage(
            f"the object returned a value of class {kind}, which has no text under {', '.join(TEXTS)}"
        )
    return content


def _texts(content: object) -> tuple[str, str]:
    """Return the text and the thinking in a content, which is a text or a list of parts."""
    if isinstance(content, str):
        # LangChain's `text` is of a subclass of str
        return str(content), ""
    text: list[str] = []
    thinking: list[str] = []
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            text.append(part)
        elif part.get("type") in ("thinking", "reasoning"):
            said = part.get("thinking") or part.get("reasoning") or part.get("text")
            pieces = [said] if said else [piece.get("text") for piece in part.get("summary") or ()]
            thinking += filter(None, pieces)
        elif isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), "".join(thinking)


def _tool_calls(message: object) -> list[Document]:
    pieces = getattr(message, "tool_call_chunks", None)
    if pieces:
        return [_call(position, one, one.get("args") or "") for position, one in enumerate(pieces)]
    calls = getattr(message, "tool_calls", None)
    if isinstance(calls, list) and not hasattr(message, "tool_call_chunks"):
        return [_call(position, one, arguments_text(one.get("args"))) for position, one in enumerate(calls)]
    return []


def _call(position: int, call: Mapping[str, object], arguments: str) -> Document:
    index = call.get("index")
    return {
        "index": index if isinstance(index, int) else position,
        "id": call.get("id"),
        "name": call.get("name"),
        "arguments": arguments,
    }


def _usage(counts: object) -> Document:
    if not isinstance(counts, Mapping):
        return {}
    taken, given = counts.get("input_token_details") or {}, counts.get("output_token_details") or {}
    found = {
        "input_tokens": counts.get("input_tokens"),
        "output_tokens": counts.get("output_tokens"),
        "total_tokens": counts.get("total_tokens"),
        "reasoning_tokens": given.get("reasoning"),
        "cached_tokens": taken.get("cache_read"),
    }
    return {name: count for name, count in found.items() if isinstance(count, int)}


def _finish(metadata: object) -> str:
    said = [metadata.get(key) for key in FINISH] if isinstance(metadata, Mapping) else []
    return next((reason for reason in said if isinstance(reason, str)), "")


def line_of(document: Document) -> bytes:
    """Return a document as a line of JSON for the reader."""
    return json.dumps(document).encode() + b"\n"


END: Final[Document] = {"end": True}
"""The document after the last chunk."""
