"""The plan of a run: models, prompt and options, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from llmstream.engine.effects import Steps
from llmstream.prompt import Options, Prompt
from llmstream.record import Record
from llmstream.runnable.targets import Target

if TYPE_CHECKING:
    from llmstream.tracing.tracer import EventsVersion


class Plan(Record):
    """The models, prompt and options of a run.

    Args:
        targets: the model, then its fallbacks.
        prompt: the prompt.
        options: the options of this call, which override the targets' own.
        stream: False requests the whole answer at once.
        steps: whether the steps of an object become events; None for the target's own setting.
        version: the event format of these steps.
        live: whether a person is watching; an object's text is then passed on at once, never held back.
        rivals: other models with their fallbacks, asked at the same time; the first to answer continues.
        say: called with messages about slow preparations, such as a model's download; None for no messages.
        progress: called with a download's bytes so far and in total (None if unknown); None for no progress.
        ready: called once a local model is loaded; None for no call.
        around: wraps the run's steps, as a recorder does; None for no wrapper.
    """

    targets: Sequence[Target]
    prompt: Prompt
    options: Options = Options()
    stream: bool = True
    steps: bool | None = None
    version: EventsVersion = "v2"
    live: bool = False
    rivals: Sequence[Sequence[Target]] = ()
    say: Callable[[str], None] | None = None
    progress: Callable[[int, int | None], None] | None = None
    ready: Callable[[], None] | None = None
    around: Callable[[Steps], Steps] | None = None
