"""What a run is going to do: the models, the prompt and the options, before anything is done."""

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
    """What is to be asked of whom.

    Args:
        targets: the model, then its fallbacks; one that takes time to find as a function.
        prompt: what is said.
        options: of this call, over the targets' own.
        stream: False asks for the whole answer at once.
        steps: whether the events of an object's steps are told too; None as its target says.
        version: of these events.
        live: people watch, who are shown all that an object says as it comes.
        rivals: others with their fallbacks that are asked at the same time; the first to answer goes on.
        say: told what takes long before the answer (fetching a model); None for nobody.
        progress: told bytes done and bytes in all (None if unknown) of a fetch; None for nobody.
        ready: told that a local model is there and loaded; None for nobody.
        around: goes around the run's steps, as a recorder does; None for nothing.
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
