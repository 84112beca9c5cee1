"""Runs for the history's tests, made without anything that a child process would load for nothing."""

from __future__ import annotations

from llmstream.history.kept import Run, messages_data, time_of
from llmstream.prompt import Message
from llmstream.record import replace
from llmstream.tracing.tracer import uuid7


def run(prompt: str = "hello", text: str = "an answer", **fields: object) -> Run:
    """Return a run that is complete."""
    key = uuid7()
    made = Run(
        id=key,
        conversation=key,
        session=None,
        time=time_of(key),
        status="complete",
        provider="p",
        model="m",
        system=None,
        new=messages_data([Message("user", prompt)]),
        earlier=(),
        text=text,
    )
    return replace(made, **fields)
