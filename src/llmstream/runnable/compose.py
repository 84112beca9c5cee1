"""`LLM | function | LLM`: several steps as one Runnable, like LangChain's RunnableSequence.

Steps pass on chunks: a function gets them joined, a generator function one by one as they arrive. The
events of all steps travel with them, so that steps run in the same way with events and without.

Source: langchain-core 1.8, `RunnableSequence`, `RunnableLambda`, `RunnableGenerator`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing

from llmstream.errors import UsageError
from llmstream.runnable.core import Core
from llmstream.runnable.functions import as_step
from llmstream.runnable.steps import AItems, Items, Step, aonly, joined, only
from llmstream.tracing.chain import ChainRun, Piece, Seat
from llmstream.tracing.run_config import RunConfig, checked
from llmstream.tracing.tracer import EventDict, EventsVersion


class Sequence(Core[object, object]):
    """Several steps; each gets the output of the one before.

    Args:
        steps: our Runnables or LangChain's, functions, generator functions.

    `invoke` returns the last step's output, for an LLM its Completion; `stream` yields its chunks. Both
    raise UsageError for options, which belong to the steps: see `bind`.
    """

    def __init__(self, *steps: object) -> None:
        self.steps: tuple[Step, ...] = tuple(
            step for one in steps for step in (one.steps if isinstance(one, Sequence) else (as_step(one),))
        )

    @property
    def run_name(self) -> str:
        """The name of a run in events, unless the config gives one."""
        return "RunnableSequence"

    def invoke(self, input: object, config: RunConfig | None = None, **options: object) -> object:
        """Return the last step's output."""
        _check(config, options)
        for step in self.steps:
            input = step.invoke(input)
        return input

    async def ainvoke(self, input: object, config: RunConfig | None = None, **options: object) -> object:
        """Return the last step's output."""
        _check(config, options)
        for step in self.steps:
            input = await step.ainvoke(input)
        return input

    def stream(self, input: object, config: RunConfig | None = None, **options: object) -> Iterator[object]:
        """Yield the last step's chunks; leaving early ends all steps."""
        _check(config, options)
        with closing(self._flow(input, None)) as items:
            for item in items:
                if isinstance(item, Piece):
                    yield item.value

    async def astream(
        self, input: object, config: RunConfig | None = None, **options: object
    ) -> AsyncIterator[object]:
        """Yield the last step's chunks."""
        _check(config, options)
        async with aclosing(self._aflow(input, None)) as items:
            async for item in items:
                if isinstance(item, Piece):
                    yield item.value

    def traced(
        self,
        input: object,
        config: RunConfig | None,
        version: EventsVersion,
        seat: Seat | None = None,
        **options: object,
    ) -> Generator[EventDict | Piece, None, None]:
        """Yield the events of the run and of its steps, with the last step's chunks in between."""
        _check(config, options)
        run = ChainRun(self.run_name, checked(config), version, seat)
        yield run.start({"input": input})
        values: list[object] = []
        try:
            with closing(self._flow(input, run)) as items:
                for item in items:
                    if isinstance(item, Piece):
                        values.append(item.value)
                        yield run.stream(item.value)
                        yield item
                    else:
                        yield run.stamped(item)
        except Exception as error:
            yield run.failed(error)
            raise
        yield run.end({"output": joined(values), "input": input})

    async def atraced(
        self,
        input: object,
        config: RunConfig | None,
        version: EventsVersion,
        seat: Seat | None = None,
        **options: object,
    ) -> AsyncGenerator[EventDict | Piece, None]:
        """Do the same on the running event loop."""
        _check(config, options)
        run = ChainRun(self.run_name, checked(config), version, seat)
        yield run.start({"input": input})
        values: list[object] = []
        try:
            async with aclosing(self._aflow(input, run)) as items:
                async for item in items:
                    if isinstance(item, Piece):
                        values.append(item.value)
                        yield run.stream(item.value)
                        yield item
                    else:
                        yield run.stamped(item)
        except Exception as error:
            yield run.failed(error)
            raise
        yield run.end({"output": joined(values), "input": input})

    def _flow(self, input: object, run: ChainRun | None) -> Items:
        items: Items = only(input)
        for number, step in enumerate(self.steps, 1):
            items = step.flow(items, run.seat(number) if run else None)
        return items

    def _aflow(self, input: object, run: ChainRun | None) -> AItems:
        items: AItems = aonly(input)
        for number, step in enumerate(self.steps, 1):
            items = step.aflow(items, run.seat(number) if run else None)
        return items


def _check(config: RunConfig | None, options: dict[str, object]) -> None:
    checked(config)
    if options:
        raise UsageError(
            f"a sequence has no option {min(options)!r}: it belongs to one of the steps",
            hint="bind it to the step: llm.bind(temperature=0) | ...",
        )
