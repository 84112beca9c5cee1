"""What `bind`, `with_retry` and `with_fallbacks` put around any Runnable."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial

from llmstream.engine.policy import pause
from llmstream.runnable.core import Core, In, Out
from llmstream.runnable.tries import AsyncTried, Tried
from llmstream.tracing.run_config import RunConfig


class Bound(Core[In, Out]):
    """Gives every call some options; a call's own go first."""

    def __init__(self, inner: Core[In, Out], options: Mapping[str, object]) -> None:
        self.inner = inner
        self.options = options

    @property
    def run_name(self) -> str:
        """The name of what is wrapped."""
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


class Tries(Core[In, Out]):
    """Makes one try after the other; a stream only until its first chunk was given out."""

    def _tries(self) -> Iterator[Core[In, Out]]:
        """Yield what is to be tried, in turn."""
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
        """Return the output of the first try that gives a chunk."""
        return Tried(
            (partial(one.stream, input, config, **options), after) for one, after in self._attempts()
        )

    def astream(self, input: In, config: RunConfig | None = None, **options: object) -> AsyncTried[Out]:
        """Return the output of the first try that gives a chunk."""
        return AsyncTried(
            (partial(one.astream, input, config, **options), after) for one, after in self._attempts()
        )


class WithRetry(Tries[In, Out]):
    """The same Runnable again, after a pause that doubles."""

    def __init__(
        self, inner: Core[In, Out], attempts: int, handled: tuple[type[Exception], ...], *, wait: bool
    ) -> None:
        self.inner = inner
        self.attempts = max(1, attempts)
        self.handled = handled
        self.wait = wait

    @property
    def run_name(self) -> str:
        """The name of what is wrapped."""
        return self.inner.run_name

    def _tries(self) -> Iterator[Core[In, Out]]:
        return iter([self.inner] * self.attempts)

    def _pause(self, number: int, error: Exception) -> float | None:
        if not isinstance(error, self.handled):
            return None
        return pause(number, None, random.random()) if self.wait else 0.0  # noqa: S311  # no secret


class WithFallbacks(Tries[In, Out]):
    """One Runnable, then the others, at once."""

    def __init__(self, inner: Sequence[Core[In, Out]], handled: tuple[type[Exception], ...]) -> None:
        self.inner = inner
        self.handled = handled

    def _tries(self) -> Iterator[Core[In, Out]]:
        return iter(self.inner)

    def _pause(self, number: int, error: Exception) -> float | None:
        return 0.0 if isinstance(error, self.handled) else None
