"""The interface that LangChain calls a Runnable: one method to write, the others by default.

A subclass with only `invoke` can replace one that streams: its `stream` yields the answer as exactly one
value. The behaviour is LangChain's (langchain-core 1.8) unless a docstring says otherwise.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any  # Any: what a composition's last step returns

from llmstream.engine.policy import pause
from llmstream.runnable.core import Core, In, Out
from llmstream.runnable.tries import AsyncTried, Tried
from llmstream.tracing.run_config import RunConfig

if TYPE_CHECKING:
    from llmstream.runnable.compose import Sequence as Composition


class Runnable(Core[In, Out]):
    """Something that turns an input into an output, at once or piece by piece."""

    def pipe(self, *others: object) -> Runnable[In, Any]:
        """Return a Runnable whose steps are this one and the others; each gets the output of the one before.

        Args:
            others: Runnables, including LangChain's, and functions: a function gets the whole text of
                an LLM before it, a generator function its chunks. ``this | other`` means the same.

        Raises:
            TypeError: one of them is none of these.
        """
        return _composition()(self, *others)  # type: ignore[return-value]  # it takes any input

    def __or__(self, other: object) -> Runnable[In, Any]:
        from llmstream.runnable.functions import is_step

        return self.pipe(other) if is_step(other) else NotImplemented

    def __ror__(self, other: object) -> Runnable[Any, Out]:
        from llmstream.runnable.functions import is_step

        return _composition()(other, self) if is_step(other) else NotImplemented  # type: ignore[return-value]

    def __call__(self, input: In, config: object = None) -> object:
        """Return the output; or, when called by LangChain with a config, this object as LangChain's Runnable.

        Args:
            input: what to run.
            config: LangChain's; None when called by anyone else.
        """
        if config is None:
            return self.invoke(input)
        from llmstream.foreign.bridge import as_runnable
        from llmstream.runnable.steps import handed_on

        return as_runnable(self.run_name, self.stream, self.astream, handed_on)

    def bind(self, **options: object) -> Runnable[In, Out]:
        """Return the same Runnable with options for every call."""
        return Bound(self, options)

    def with_retry(
        self,
        *,
        stop_after_attempt: int = 3,
        retry_if_exception_type: tuple[type[Exception], ...] = (Exception,),
        wait_exponential_jitter: bool = True,
    ) -> Runnable[In, Out]:
        """Return the same Runnable with retries when it fails.

        Unlike LangChain's, its streams are retried too, until the first chunk.

        Args:
            stop_after_attempt: maximum number of attempts, including the first.
            retry_if_exception_type: exceptions to retry; all others are raised at once.
            wait_exponential_jitter: whether to wait between attempts: 0.5 s, then twice as long each
                time up to 8 s, all varied by up to 25 %.
        """
        return WithRetry(self, stop_after_attempt, retry_if_exception_type, wait=wait_exponential_jitter)

    def with_fallbacks(
        self,
        fallbacks: Sequence[Runnable[In, Out]],
        *,
        exceptions_to_handle: tuple[type[Exception], ...] = (Exception,),
    ) -> Runnable[In, Out]:
        """Return a Runnable that uses the next one when this fails; a stream only before its first chunk.

        Exceptions of types other than `exceptions_to_handle` are raised at once.
        """
        return WithFallbacks((self, *fallbacks), exceptions_to_handle)


class Bound(Runnable[In, Out]):
    """Adds options to every call; a call's own options take precedence."""

    def __init__(self, inner: Core[In, Out], options: Mapping[str, object]) -> None:
        self.inner = inner
        self.options = options

    @property
    def run_name(self) -> str:
        """The name of the wrapped Runnable."""
        return self.inner.run_name

    def invoke(self, input: In, config: RunConfig | None = None, **options: object) -> Out:
        """Return the whole output."""
        return self.inner.invoke(input, config, **{**self.options, **options})

    async def ainvoke(self, input: In, config: RunConfig | None = None, **options: object) -> Out:
        """Return the whole output."""
        return await self.inner.ainvoke(input, config, **{**self.options, **options})

    def stream(self, input: In, config: RunConfig | None = None, **options: object) -> Iterator[Out]:
        """Yield the output piece by piece."""
        return self.inner.stream(input, config, **{**self.options, **options})

    def astream(self, input: In, config: RunConfig | None = None, **options: object) -> AsyncIterator[Out]:
        """Yield the output piece by piece."""
        return self.inner.astream(input, config, **{**self.options, **options})


class _Tries(Runnable[In, Out]):
    """Tries several Runnables in turn; a stream only until its first chunk."""

    def _tries(self) -> Iterator[Core[In, Out]]:
        """Yield the Runnables to try, in turn."""
        raise NotImplementedError

    def _pause(self, number: int, error: Exception) -> float | None:
        """Return the seconds to wait before the next try, None to give up."""
        raise NotImplementedError

    def _attempts(self) -> Iterator[tuple[Core[In, Out], Callable[[Exception], float]]]:
        tries = list(self._tries())
        for number, one in enumerate(tries, 1):

            def after(error: Exception, number: int = number) -> float:
                wait = self._pause(number, error) if number < len(tries) else None
                if wait is None:
                    raise error
                return wait

            yield one, after

    def invoke(self, input: In, config: RunConfig | None = None, **options: object) -> Out:
        """Return the whole output of the first try that succeeds."""
        for one, after in self._attempts():
            try:
                return one.invoke(input, config, **options)
            except Exception as error:  # noqa: BLE001  # `after` raises it again if it is the last
                time.sleep(after(error))
        raise AssertionError("the last try returns or raises")

    async def ainvoke(self, input: In, config: RunConfig | None = None, **options: object) -> Out:
        """Return the whole output of the first try that succeeds."""
        import asyncio

        for one, after in self._attempts():
            try:
                return await one.ainvoke(input, config, **options)
            except Exception as error:  # noqa: BLE001
                await asyncio.sleep(after(error))
        raise AssertionError("the last try returns or raises")

    def stream(self, input: In, config: RunConfig | None = None, **options: object) -> Tried[Out]:
        """Return the stream of the first try that yields a chunk."""
        return Tried(
            (partial(one.stream, input, config, **options), after) for one, after in self._attempts()
        )

    def astream(self, input: In, config: RunConfig | None = None, **options: object) -> AsyncTried[Out]:
        """Return the stream of the first try that yields a chunk."""
        return AsyncTried(
            (partial(one.astream, input, config, **options), after) for one, after in self._attempts()
        )


class WithRetry(_Tries[In, Out]):
    """Tries the same Runnable again, after a pause that doubles each time up to 8 s."""

    def __init__(
        self, inner: Core[In, Out], attempts: int, handled: tuple[type[Exception], ...], *, wait: bool
    ) -> None:
        self.inner = inner
        self.attempts = max(1, attempts)
        self.handled = handled
        self.wait = wait

    @property
    def run_name(self) -> str:
        """The name of the wrapped Runnable."""
        return self.inner.run_name

    def _tries(self) -> Iterator[Core[In, Out]]:
        return iter([self.inner] * self.attempts)

    def _pause(self, number: int, error: Exception) -> float | None:
        if not isinstance(error, self.handled):
            return None
        return pause(number, None, random.random()) if self.wait else 0.0  # noqa: S311  # no secret


class WithFallbacks(_Tries[In, Out]):
    """Tries one Runnable, then the others, without a pause."""

    def __init__(self, inner: Sequence[Core[In, Out]], handled: tuple[type[Exception], ...]) -> None:
        self.inner = inner
        self.handled = handled

    def _tries(self) -> Iterator[Core[In, Out]]:
        return iter(self.inner)

    def _pause(self, number: int, error: Exception) -> float | None:
        return 0.0 if isinstance(error, self.handled) else None


@cache
def _composition() -> type[Composition]:
    """Return the class of `a | b`, created at its first use, because few programs need it."""
    from llmstream.runnable.compose import Sequence as Composition

    class RunnableSequence(Composition, Runnable[object, object]):
        """Several steps as one Runnable."""

    return RunnableSequence
