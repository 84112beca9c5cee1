"""The defaults of every Runnable, built on `invoke` alone: async, streams, batches and events.

It is separate from base.py because compositions, which base.py creates, build on it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar  # Any: what a composition's last step returns

from llmstream.runnable import batch as batches
from llmstream.runnable.chosen import AsyncChosen, AsyncClosable, Chosen, Closable, aending, ending
from llmstream.tracing.run_config import RunConfig, checked, concurrency_of, configs_of

if TYPE_CHECKING:
    from llmstream.tracing.chain import Piece, Seat
    from llmstream.tracing.traced import Traced
    from llmstream.tracing.tracer import EventDict, EventsVersion

In = TypeVar("In")
Out = TypeVar("Out")


class Core(ABC, Generic[In, Out]):
    """Something that turns an input into an output, at once or piece by piece."""

    @property
    def run_name(self) -> str:
        """The name of a run in events, unless the config gives one."""
        return type(self).__name__

    @abstractmethod
    def invoke(self, input: In, config: RunConfig | None = None, **options: object) -> Out:
        """Return the whole output."""

    async def ainvoke(self, input: In, config: RunConfig | None = None, **options: object) -> Out:
        """Return the whole output; by default `invoke` in a thread."""
        import asyncio

        checked(config)
        return await asyncio.to_thread(partial(self.invoke, input, config, **options))

    def stream(self, input: In, config: RunConfig | None = None, **options: object) -> Iterator[Out]:
        """Yield the output piece by piece; by default the whole of it as one value."""
        checked(config)
        yield self.invoke(input, config, **options)

    async def astream(
        self, input: In, config: RunConfig | None = None, **options: object
    ) -> AsyncIterator[Out]:
        """Yield the output piece by piece; by default the whole of it as one value."""
        checked(config)
        yield await self.ainvoke(input, config, **options)

    def batch(
        self,
        inputs: Sequence[In],
        config: RunConfig | Sequence[RunConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **options: object,
    ) -> list[Out | Exception]:
        """Return the outputs in the inputs' order.

        Every input is run to its end, even if others fail.

        Args:
            inputs: one input for each run.
            config: one for all, or a list with one for each input; `max_concurrency` is taken from the
                first, and its default is 16 threads.
            return_exceptions: return exceptions in place of outputs instead of raising the first one.
            options: as for `invoke`.
        """
        found = dict(self.batch_as_completed(inputs, config, **options))
        return batches.in_order(found, return_exceptions=return_exceptions)

    async def abatch(
        self,
        inputs: Sequence[In],
        config: RunConfig | Sequence[RunConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **options: object,
    ) -> list[Out | Exception]:
        """Return the outputs in the inputs' order, like `batch`, but run in tasks, by default all at once."""
        found = {position: one async for position, one in self.abatch_as_completed(inputs, config, **options)}
        return batches.in_order(found, return_exceptions=return_exceptions)

    def batch_as_completed(
        self, inputs: Sequence[In], config: RunConfig | Sequence[RunConfig] | None = None, **options: object
    ) -> Iterator[tuple[int, Out | Exception]]:
        """Yield each input's position and its output or exception, as they complete."""
        configs = configs_of(config, len(inputs))
        jobs = [partial(self.invoke, one, its, **options) for one, its in zip(inputs, configs, strict=True)]
        return batches.completed(jobs, concurrency_of(configs))

    def abatch_as_completed(
        self, inputs: Sequence[In], config: RunConfig | Sequence[RunConfig] | None = None, **options: object
    ) -> AsyncIterator[tuple[int, Out | Exception]]:
        """Yield each input's position and its output or exception, as they complete."""
        configs = configs_of(config, len(inputs))
        jobs = [partial(self.ainvoke, one, its, **options) for one, its in zip(inputs, configs, strict=True)]
        return batches.acompleted(jobs, concurrency_of(configs))

    def stream_events(
        self, input: In, config: RunConfig | None = None, *, version: EventsVersion = "v2", **options: object
    ) -> Chosen[EventDict]:
        """Return a run's event dictionaries in LangChain's form; an error is an event, then raised.

        Args:
            input: the run's input.
            config: the run's name, tags, metadata and id.
            version: of the event format, ``v1`` or ``v2``.
            options: LangChain's filters (`include_names include_types include_tags exclude_names
                exclude_types exclude_tags`), lists of strings; all others as for `stream`.

        Raises:
            UsageError: a filter is not a list, or an option is a misspelt filter or a key of the config.
        """
        from llmstream.runnable.filters import filtered

        kept, rest = filtered(options)
        items = self.traced(input, config, version, None, **rest)
        return Chosen(items, lambda item: item if isinstance(item, dict) and kept(item) else None)

    def astream_events(
        self, input: In, config: RunConfig | None = None, *, version: EventsVersion = "v2", **options: object
    ) -> AsyncChosen[EventDict]:
        """Return a run's event dictionaries, like `stream_events`, on the running event loop."""
        from llmstream.runnable.filters import filtered

        kept, rest = filtered(options)
        items = self.atraced(input, config, version, None, **rest)
        return AsyncChosen(items, lambda item: item if isinstance(item, dict) and kept(item) else None)

    def traced(
        self,
        input: In,
        config: RunConfig | None,
        version: EventsVersion,
        seat: Seat | None = None,
        **options: object,
    ) -> Closable[EventDict | Piece]:
        """Yield the event dictionaries of a run, with its chunks in between, for the enclosing composition.

        Args:
            input: the run's input.
            config: the run's name, tags, metadata and id.
            version: of the event format, ``v1`` or ``v2``.
            seat: its place in a composition, None for an outermost run.
            options: as for `stream`.
        """
        trace = _trace(self, input, checked(config), version, seat)
        yield trace.start()
        try:
            with ending(self.stream(input, config, **options)) as chunks:
                for chunk in chunks:
                    yield from trace.chunk(str(chunk))
                    yield _piece(chunk)
        except Exception as error:
            yield trace.failed(error)
            raise
        yield trace.end("stop")

    def atraced(
        self,
        input: In,
        config: RunConfig | None,
        version: EventsVersion,
        seat: Seat | None = None,
        **options: object,
    ) -> AsyncClosable[EventDict | Piece]:
        """The same on the running event loop."""
        return self._atraced(input, config, version, seat, **options)

    async def _atraced(
        self,
        input: In,
        config: RunConfig | None,
        version: EventsVersion,
        seat: Seat | None,
        **options: object,
    ) -> AsyncGenerator[EventDict | Piece, None]:
        trace = _trace(self, input, checked(config), version, seat)
        yield trace.start()
        try:
            async with aending(self.astream(input, config, **options)) as chunks:
                async for chunk in chunks:
                    for event in trace.chunk(str(chunk)):
                        yield event
                    yield _piece(chunk)
        except Exception as error:
            yield trace.failed(error)
            raise
        yield trace.end("stop")


def _trace(
    runnable: Core[Any, Any], input: object, config: RunConfig, version: EventsVersion, seat: Seat | None
) -> Traced:
    from llmstream.tracing.traced import Traced, identity
    from llmstream.tracing.tracer import Tracer

    return Traced(Tracer(version, prompt_text=str(input), **identity(config, runnable.run_name, seat)))


def _piece(chunk: object) -> Piece:
    from llmstream.tracing.chain import Piece

    return Piece(chunk)
