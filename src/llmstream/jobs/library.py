"""`batch` and `abatch` of the library: results of many prompts as they finish; a failure is a result too."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Final, TypeAlias

from llmstream.engine.meter import Completion
from llmstream.errors import LLMStreamError, UsageError
from llmstream.jobs.answers import Result, result_of
from llmstream.jobs.feeds import AsyncFeed, Feed, FileFeed, Next
from llmstream.jobs.inputs import Ask, Asker, Common
from llmstream.jobs.limiter import Limiter
from llmstream.jobs.places import Places
from llmstream.jobs.rows import BadRow, Row
from llmstream.jobs.run import Job, Settings
from llmstream.jobs.tally import Tally
from llmstream.prompt import Message, Prompt
from llmstream.runnable.llm import LLM
from llmstream.runnable.prompts import PromptLike
from llmstream.runnable.targets import Target

Input: TypeAlias = PromptLike | Mapping[str, object]
"""A prompt, or a dictionary with the fields of a line: id, prompt or messages, system, model, options."""

CONCURRENCY: Final = 16


async def abatch(
    inputs: Iterable[Input] | AsyncIterable[Input],
    *,
    model: str | Target | None = None,
    max_concurrency: int = CONCURRENCY,
    prompt: str | None = None,
    system: str | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    max_retries: int | None = None,
    timeout: dict[str, float] | None = None,
    **options: object,
) -> AsyncGenerator[Result, None]:
    """Ask many prompts at once and yield their results as they finish.

    Leaving the loop, or closing the generator, ends all requests in flight.

    Args:
        inputs: prompts, or dictionaries as in a line of `llmstream batch`; taken one by one as requests
            finish, so that they may be endless.
        model: PROVIDER/MODEL, PROVIDER or an alias; a dictionary's own ``model`` takes precedence.
        max_concurrency: requests at once.
        prompt: a template; ``{field}`` in it is filled from each dictionary, ``{line}`` from a text.
            Without a placeholder, it precedes each prompt.
        system: system prompt.
        rpm: requests per minute to each provider, spread evenly; None for no limit.
        tpm: tokens per minute, likewise.
        base_url, api_key, max_retries, timeout, options: as for `LLM`.

    Yields:
        One Result for each input; `error` is set if it failed.

    Raises:
        ConfigError: the model is unknown, or its key is missing.
        UsageError: an argument is invalid.
        LLMStreamError: raised after the last result if the rest was not asked, because the key was
            rejected, the provider doesn't know the model, keeps refusing, or asks to wait too long.
    """
    if max_concurrency < 1:
        raise UsageError(f"max_concurrency is {max_concurrency}: it must be 1 or more")

    def choose(spec: str | None) -> Sequence[Target]:
        return LLM(
            model if spec is None else spec,
            base_url=base_url,
            api_key=api_key,
            max_retries=max_retries,
            timeout=timeout,
            **options,  # type: ignore[arg-type]  # LLM checks them
        ).targets

    asker = Asker(choose, Common(Places(prompt) if prompt else None, system or ""))
    asker.chosen(None)
    results = _results(inputs, asker, max_concurrency, rpm or 0, tpm or 0)
    try:
        async for result in results:
            yield result
    finally:
        await results.aclose()


async def _results(
    inputs: Iterable[Input] | AsyncIterable[Input], asker: Asker, max_concurrency: int, rpm: float, tpm: float
) -> AsyncGenerator[Result, None]:
    loop = asyncio.get_running_loop()
    results: deque[Result] = deque()
    changed = asyncio.Event()

    def emit(question: Ask | BadRow, key: int, completion: Completion, error: LLMStreamError | None) -> None:
        results.append(result_of(question.name, key, completion, error))
        changed.set()

    feed = _Bounded(_feed_of(inputs, asker), results, max_concurrency)
    job = Job(
        feed,
        emit,
        Tally(loop.time),
        Settings(max_concurrency),
        lambda target: Limiter(rpm, tpm, max_concurrency, loop.time),
    )
    running = asyncio.ensure_future(job.run())
    running.add_done_callback(lambda _: changed.set())
    try:
        while True:
            changed.clear()
            while results:
                yield results.popleft()
                feed.room.set()
            if running.done():
                running.result()
                break
            if not changed.is_set():
                await changed.wait()
        while results:
            yield results.popleft()
        if job.ended_by is not None:
            raise job.ended_by
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def batch(
    inputs: Iterable[Input],
    *,
    model: str | Target | None = None,
    max_concurrency: int = CONCURRENCY,
    prompt: str | None = None,
    system: str | None = None,
    rpm: float | None = None,
    tpm: float | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    max_retries: int | None = None,
    timeout: dict[str, float] | None = None,
    **options: object,
) -> Generator[Result, None, None]:
    """Ask many prompts at once and yield their results as they finish; for code that is not async.

    It runs its own event loop while waiting for the next result.

    Args:
        inputs: as for `abatch`; read in the caller's thread.
        model, max_concurrency, prompt, system, rpm, tpm: as for `abatch`.
        base_url, api_key, max_retries, timeout, options: as for `LLM`.

    Yields:
        One Result for each input; `error` is set if it failed.

    Raises:
        UsageError: an event loop is running in this thread; use `abatch`.
        LLMStreamError: as for `abatch`.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise UsageError(
            "batch can't be called while an event loop is running", hint="async for result in abatch(...)"
        )
    results = abatch(
        inputs,
        model=model,
        max_concurrency=max_concurrency,
        prompt=prompt,
        system=system,
        rpm=rpm,
        tpm=tpm,
        base_url=base_url,
        api_key=api_key,
        max_retries=max_retries,
        timeout=timeout,
        **options,
    )
    with asyncio.Runner() as runner:
        try:
            while (result := runner.run(_next(results))) is not None:
                yield result
        finally:
            runner.run(results.aclose())


async def _next(results: AsyncGenerator[Result, None]) -> Result | None:
    return await anext(results, None)


class _Bounded:
    """A feed that waits while too many results are unread."""

    def __init__(self, feed: Feed, results: deque[Result], most: int) -> None:
        self.room = asyncio.Event()
        self._feed = feed
        self._results = results
        self._most = most

    async def take(self) -> Next:
        """Return the next question."""
        while len(self._results) >= self._most:
            self.room.clear()
            await self.room.wait()
        return await self._feed.take()


def _feed_of(inputs: Iterable[Input] | AsyncIterable[Input], asker: Asker) -> Feed:
    if isinstance(inputs, AsyncIterable):
        return AsyncFeed(_aquestions(inputs, asker))
    if isinstance(inputs, str | Mapping):
        raise UsageError("inputs must be a list, or another iterable, of prompts")
    return FileFeed(_question(asker, number, one) for number, one in enumerate(inputs, 1))


async def _aquestions(inputs: AsyncIterable[Input], asker: Asker) -> AsyncIterator[Ask | BadRow]:
    number = 0
    async for one in inputs:
        number += 1
        yield _question(asker, number, one)


def _question(asker: Asker, number: int, one: Input) -> Ask | BadRow:
    try:
        return asker.ask(Row(number, *_parts(number, one), b""))
    except BadRow as error:
        error.data = repr(one).encode("utf-8", "replace")
        return error


def _parts(number: int, one: Input) -> tuple[dict[str, object] | None, str]:
    """Return an input's fields (None for a text) and its text."""
    if isinstance(one, str):
        return None, one
    if isinstance(one, Mapping):
        return dict(one), ""
    if isinstance(one, Prompt):
        return {"messages": list(one.messages)}, ""
    if isinstance(one, Message):
        return {"messages": [one]}, ""
    if isinstance(one, Sequence):
        return {"messages": list(one)}, ""
    raise BadRow(number, f"an input is a text, a dictionary or messages, not {type(one).__name__}")
