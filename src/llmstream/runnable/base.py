"""The interface that LangChain calls a Runnable: one method to write, the others by default.

A subclass that has only `invoke` can take the place of one that streams: its `stream` gives its
answer as exactly one value.  What LangChain does (langchain-core 1.8) holds here too; where ours
does more, the docstring says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any  # Any: what a composition's last step gives

from llmstream.runnable import wrappers
from llmstream.runnable.core import Core, In, Out

if TYPE_CHECKING:
    from llmstream.runnable.compose import Sequence as Composition


class Runnable(Core[In, Out]):
    """Something that takes an input and gives an output, at once or piece by piece."""

    def pipe(self, *others: object) -> Runnable[In, Any]:
        """Return a Runnable whose steps are this one and the others, each given what the one before gives.

        Args:
            others: Runnables, LangChain's too, and functions: one is given the whole text of an LLM
                before it, a generator function its chunks.  ``this | other`` means the same.

        Raises:
            TypeError: one of them is neither.
        """
        return _composition()(self, *others)  # type: ignore[return-value]  # it takes any input

    def __or__(self, other: object) -> Runnable[In, Any]:
        from llmstream.runnable.generators import is_step

        return self.pipe(other) if is_step(other) else NotImplemented

    def __ror__(self, other: object) -> Runnable[Any, Out]:
        from llmstream.runnable.generators import is_step

        return _composition()(other, self) if is_step(other) else NotImplemented  # type: ignore[return-value]

    def __call__(self, input: In, config: object = None) -> object:
        """Return the output; or a Runnable of LangChain's, whose chains call what they take as a step.

        Args:
            input: what to run.
            config: LangChain's, which tells its call from anyone else's.
        """
        if config is None:
            return self.invoke(input)
        from llmstream.foreign.bridge import as_runnable
        from llmstream.runnable.steps import handed_on

        return as_runnable(self.run_name, self.stream, self.astream, handed_on)

    def bind(self, **options: object) -> Runnable[In, Out]:
        """Return the same with options that every call is given."""
        return Bound(self, options)

    def with_retry(
        self,
        *,
        stop_after_attempt: int = 3,
        retry_if_exception_type: tuple[type[Exception], ...] = (Exception,),
        wait_exponential_jitter: bool = True,
    ) -> Runnable[In, Out]:
        """Return the same, tried again when it fails.

        Unlike LangChain's, its streams are tried again too, until the first chunk is given out.
        """
        return WithRetry(self, stop_after_attempt, retry_if_exception_type, wait=wait_exponential_jitter)

    def with_fallbacks(
        self,
        fallbacks: Sequence[Runnable[In, Out]],
        *,
        exceptions_to_handle: tuple[type[Exception], ...] = (Exception,),
    ) -> Runnable[In, Out]:
        """Return one that takes the next when this fails, for streams before the first chunk."""
        return WithFallbacks((self, *fallbacks), exceptions_to_handle)


class Bound(wrappers.Bound[In, Out], Runnable[In, Out]):
    """A Runnable with options that every call is given."""


class WithRetry(wrappers.WithRetry[In, Out], Runnable[In, Out]):
    """A Runnable that is tried again."""


class WithFallbacks(wrappers.WithFallbacks[In, Out], Runnable[In, Out]):
    """A Runnable in whose place others may answer."""


@cache
def _composition() -> type[Composition]:
    """Return the class of `a | b`: made at its first use, since few programs compose anything."""
    from llmstream.runnable.compose import Sequence as Composition

    class RunnableSequence(Composition, Runnable[object, object]):
        """Steps as one Runnable."""

    return RunnableSequence
