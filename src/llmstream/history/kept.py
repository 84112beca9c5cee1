"""One run as stored in the history, and its messages as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from llmstream.prompt import NOTHING, Attachment, Json, Message, ToolCall
from llmstream.record import Record

MessageData: TypeAlias = Mapping[str, Json]
Status: TypeAlias = Literal["complete", "partial", "failed"]

DETAILS: Final = ("tool_calls", "finish_reason", "error", "usage", "timing", "options")
"""Keys of a run's JSON object in addition to its texts and identity."""


class Run(Record):
    """One run.

    Args:
        id: the `run_id` of its events.
        conversation: id of the conversation that it is a turn of.
        session: the conversation's name, None when it has none.
        time: when it started, milliseconds since 1970.
        status: ``complete``, ``partial`` (stopped or broken off) or ``failed`` (nothing received).
        provider: the one that answered, or was tried last.
        model: the one that answered, or was tried last.
        system: the system prompt, None when there was none.
        new: the messages that this run added to the conversation, as `messages_data` makes them.
        earlier: rows of the runs whose turns were sent before these messages.
        text: the answer's text.
        reasoning: the thinking text.
        details: a JSON value for each name in DETAILS.
        chat: id of the chat that it was a turn of, None for a single run.
        row: its row in the history, 0 before it is stored.
    """

    id: str
    conversation: str
    session: str | None
    time: int
    status: Status
    provider: str
    model: str
    system: str | None
    new: tuple[MessageData, ...]
    earlier: tuple[int, ...]
    text: str
    reasoning: str = ""
    details: Mapping[str, Json] = NOTHING
    chat: str | None = None
    row: int = 0

    @property
    def prompt(self) -> str:
        """The new messages' text, for searches and lists."""
        return "\n\n".join(str(message["content"]) for message in self.new)

    def to_dict(self, before: Sequence[MessageData]) -> dict[str, Json]:
        """Return the run as a JSON object for lists and exports; later versions may add keys.

        Args:
            before: the messages of the earlier turns, with their answers.
        """
        system = messages_data([Message("system", self.system)] if self.system else [])
        return {
            "id": self.id,
            "conversation": self.conversation,
            "session": self.session,
            "time": iso(self.time),
            "provider": self.provider,
            "model": self.model,
            "system": self.system,
            "messages": [dict(message) for message in (*system, *before, *self.new)],
            "text": self.text,
            "reasoning": self.reasoning,
            **{key: self.details.get(key) for key in ("tool_calls", "finish_reason")},
            "status": self.status,
            **{key: self.details.get(key) for key in ("error", "usage", "timing", "options")},
        }


def iso(milliseconds: int) -> str:
    """Return a time (milliseconds since 1970) in ISO 8601: local time with its UTC offset."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().isoformat(timespec="milliseconds")


def time_of(run_id: str) -> int:
    """Return the timestamp of a UUIDv7, milliseconds since 1970.  Source: RFC 9562, section 5.7."""
    return int(run_id.replace("-", "")[:12], 16)


def messages_data(messages: Iterable[Message]) -> tuple[MessageData, ...]:
    """Return messages as JSON objects; attachments without their bytes."""
    return tuple(_message_data(message) for message in messages)


def _message_data(message: Message) -> dict[str, Json]:
    data: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.attachments:
        data["attachments"] = [_attachment_data(one) for one in message.attachments]
    if message.tool_calls:
        data["tool_calls"] = [
            {"index": c.index, "id": c.id, "name": c.name, "arguments": c.arguments}
            for c in message.tool_calls
        ]
    for key in ("tool_call_id", "name"):
        if getattr(message, key) is not None:
            data[key] = getattr(message, key)
    return data


def _attachment_data(attachment: Attachment) -> dict[str, Json]:
    data = attachment.data
    return {
        "media_type": attachment.media_type,
        "name": attachment.name,
        "url": attachment.url,
        "place": attachment.place,
        "size": None if data is None else len(data),
        "sha256": None if data is None else digest(data),
    }


def digest(data: bytes) -> str:
    """Return the SHA-256 that identifies an attachment, in hexadecimal."""
    from hashlib import sha256

    return sha256(data).hexdigest()


class Absent(Record):
    """An attachment of an earlier turn; its bytes are not in the history.

    Args:
        media_type: such as ``image/png``.
        name: file name to show.
        place: path or URL to read it from again, None if it can't be.
        size: in bytes.
        sha256: as `digest` returns it.
    """

    media_type: str
    name: str
    place: str | None
    size: int
    sha256: str


def message_of(data: Mapping[str, Json]) -> tuple[Message, tuple[Absent, ...]]:
    """Return a message that `messages_data` converted, and those of its attachments to read again."""
    calls = data.get("tool_calls")
    tool_calls = tuple(_call(c) for c in calls if isinstance(c, dict)) if isinstance(calls, list) else ()
    found = data.get("attachments")
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    by_address = tuple(
        Attachment(str(one["media_type"]), url=str(one["url"]), name=_text(one.get("name")))
        for one in listed
        if one.get("url")
    )
    absent = tuple(_absent(one) for one in listed if not one.get("url"))
    message = Message(
        str(data.get("role")),
        str(data.get("content")),
        by_address,
        tool_calls,
        _text(data.get("tool_call_id")),
        _text(data.get("name")),
    )
    return message, absent


def _call(data: Mapping[str, Json]) -> ToolCall:
    index = data.get("index")
    return ToolCall(
        index if isinstance(index, int) else 0,
        _text(data.get("id")),
        str(data.get("name")),
        str(data.get("arguments")),
    )


def _absent(data: Mapping[str, Json]) -> Absent:
    size = data.get("size")
    return Absent(
        str(data.get("media_type")),
        _text(data.get("name")) or "a file",
        _text(data.get("place")),
        size if isinstance(size, int) else 0,
        str(data.get("sha256")),
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
