"""`LLM`: the Runnable of a configured provider, which streams chunk by chunk."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import TYPE_CHECKING, Any

from llmstream.engine.effects import Batch
from llmstream.engine.meter import Completion, Meter
from llmstream.errors import LLMStreamError
from llmstream.events import Event
from llmstream.record import replace
from llmstream.runnable.arguments import address, checked_model, key, limited
from llmstream.runnable.base import Runnable
from llmstream.runnable.beside import beside
from llmstream.runnable.calls import Plan, abatches, adapter_of, batches
from llmstream.runnable.options import options_from
from llmstream.runnable.prompts import PromptLike, prompt_of
from llmstream.runnable.streams import AsyncStream, Stream
from llmstream.runnable.targets import Target, resolve
from llmstream.tracing.run_config import RunConfig, checked
from llmstream.tracing.traced import named_tracer
from llmstream.tracing.tracer import EventDict, EventsVersion, Tracer, spoken

if TYPE_CHECKING:
    from llmstream.prompt import Attachment
    from llmstream.runnable.files import Place


class LLM(Runnable[PromptLike, Completion]):
    """A provider's model.

    Args:
        model: PROVIDER/MODEL, PROVIDER or an alias of the configuration; None for its default.
        base_url: instead of the provider's own.
        api_key: instead of the configured one.
        max_retries: attempts after the first.
        timeout: seconds for the whole run, or by the names connect, first_token, idle, total; what is
            not there stays.
        system: the system prompt, for prompts that have none of their own.
        files: paths of text files that go before each prompt, as the command's ``--file``.
        attachments: images, audio and PDF: paths, addresses, Attachments.
        options: temperature, max_tokens, top_p, stop, seed and so on; others go into the request.

    Raises:
        ConfigError: the model is unknown, or its provider wants a key and there is none.
        UsageError: an argument can't be used: an option out of range or misspelt, an unknown limit,
            an address that is none, a key that no header can hold.

    `stream` gives ``str`` chunks, `invoke` a Completion.
    """

    def __init__(
        self,
        model: str | Target | None = None,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        max_retries: int | None = None,
        timeout: dict[str, float] | float | None = None,
        system: str | None = None,
        files: Place | Sequence[Place] | None = None,
        attachments: Place | Attachment | Sequence[Place | Attachment] | None = None,
        **options: object,
    ) -> None:
        self._beside = beside(system, files, attachments)
        if not isinstance(model, Target):
            checked_model(model)
            model = resolve(model, fetch_key=api_key is None)
        target = model
        endpoint = target.endpoint
        if base_url is not None:
            endpoint = replace(endpoint, base_url=address(base_url))
        if api_key is not None:
            endpoint = replace(endpoint, api_key=key(api_key))
        self.targets: tuple[Target, ...] = (
            replace(
                target,
                endpoint=endpoint,
                policy=limited(target.policy, timeout, max_retries),
                options=options_from(options).over(target.options),
            ),
        )

    def _of(self, targets: Sequence[Target]) -> LLM:
        made = LLM(targets[0])
        made.targets, made._beside = tuple(targets), self._beside
        return made

    @property
    def run_name(self) -> str:
        """What events call a run that is given no name."""
        return "LLM"

    def plan(self, prompt: PromptLike, options: dict[str, object], *, stream: bool = True) -> Plan:
        """Return what a call with these options does."""
        extras, options = self._beside.taken_from(options)
        return Plan(self.targets, extras.on(prompt_of(prompt)), options_from(options), stream)

    def stream(self, input: PromptLike, config: RunConfig | None = None, **options: object) -> Stream:  # type: ignore[override]  # chunks are str, as LangChain's
        """Return the answer's chunks as they come.

        Raises:
            LLMStreamError: while iterating; the chunks before it were given out.
        """
        checked(config)
        return Stream(batches(self.plan(input, options)))

    def astream(self, input: PromptLike, config: RunConfig | None = None, **options: object) -> AsyncStream:  # type: ignore[override]
        """Return the answer's chunks as they come."""
        checked(config)
        return AsyncStream(_later(self.plan(input, options)))

    def invoke(self, input: PromptLike, config: RunConfig | None = None, **options: object) -> Completion:
        """Return the whole answer, which is streamed all the same so that limits hold."""
        with self.stream(input, config, **options) as stream:
            for _ in stream:
                pass
            return stream.completion

    async def ainvoke(
        self, input: PromptLike, config: RunConfig | None = None, **options: object
    ) -> Completion:
        """Return the whole answer."""
        async with self.astream(input, config, **options) as stream:
            async for _ in stream:
                pass
            return stream.completion

    def events(
        self, input: PromptLike, config: RunConfig | None = None, **options: object
    ) -> Generator[Event, None, None]:
        """Yield the typed events of a run; closing it ends the request."""
        checked(config)
        running = batches(self.plan(input, options))
        try:
            for batch in running:
                yield from batch
        finally:
            running.close()

    async def aevents(
        self, input: PromptLike, config: RunConfig | None = None, **options: object
    ) -> AsyncGenerator[Event, None]:
        """Yield the typed events of a run; closing it ends the request."""
        checked(config)
        running = abatches(self.plan(input, options))
        try:
            async for batch in running:
                for event in batch:
                    yield event
        finally:
            await running.aclose()

    def stream_events(
        self,
        input: PromptLike,
        config: RunConfig | None = None,
        *,
        version: EventsVersion = "v2",
        **options: object,
    ) -> Generator[EventDict, None, None]:
        """Yield LangChain's event dictionaries; an error is an event before it is raised."""
        plan = self.plan(input, options)
        trace = _Trace(tracer_of(plan, version, checked(config)))
        yield trace.start()
        running = batches(plan)
        try:
            for batch in running:
                yield from trace.batch(batch)
        except LLMStreamError as error:
            yield trace.failed(error)
            raise
        finally:
            running.close()
        yield trace.end()

    async def astream_events(
        self,
        input: PromptLike,
        config: RunConfig | None = None,
        *,
        version: EventsVersion = "v2",
        **options: object,
    ) -> AsyncGenerator[EventDict, None]:
        """Yield LangChain's event dictionaries; an error is an event before it is raised."""
        plan = self.plan(input, options)
        trace = _Trace(tracer_of(plan, version, checked(config)))
        yield trace.start()
        running = abatches(plan)
        try:
            async for batch in running:
                for event in trace.batch(batch):
                    yield event
        except LLMStreamError as error:
            yield trace.failed(error)
            raise
        finally:
            await running.aclose()
        yield trace.end()

    def bind(self, **options: object) -> LLM:
        """Return the same model with options that every call is given."""
        extras, options = self._beside.taken_from(options)
        over = options_from(options)
        made = self._of([replace(target, options=over.over(target.options)) for target in self.targets])
        made._beside = extras
        return made

    def with_retry(
        self,
        *,
        stop_after_attempt: int = 3,
        retry_if_exception_type: tuple[type[Exception], ...] = (Exception,),
        wait_exponential_jitter: bool = True,
    ) -> Runnable[PromptLike, Completion]:
        """Return the same model, tried again as its provider's rules say, until the first chunk.

        Other exceptions than the retryable ones, or no waits, need the general wrapper.
        """
        if retry_if_exception_type != (Exception,) or not wait_exponential_jitter:
            return super().with_retry(
                stop_after_attempt=stop_after_attempt,
                retry_if_exception_type=retry_if_exception_type,
                wait_exponential_jitter=wait_exponential_jitter,
            )
        retries = max(0, stop_after_attempt - 1)
        return self._of([replace(t, policy=replace(t.policy, max_retries=retries)) for t in self.targets])

    def with_fallbacks(
        self,
        fallbacks: Sequence[Runnable[PromptLike, Completion]],
        *,
        exceptions_to_handle: tuple[type[Exception], ...] = (Exception,),
    ) -> Runnable[PromptLike, Completion]:
        """Return one that takes the next model when this fails before its first chunk."""
        models = [one for one in fallbacks if isinstance(one, LLM)]
        if len(models) < len(fallbacks) or exceptions_to_handle != (Exception,):
            return super().with_fallbacks(fallbacks, exceptions_to_handle=exceptions_to_handle)
        return self._of([*self.targets, *(target for model in models for target in model.targets)])


class _Trace:
    """A run's tracer and meter, and its clock."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._meter = Meter(time.monotonic())

    def start(self) -> EventDict:
        now = time.monotonic()
        self._meter = Meter(now)
        return self._tracer.start(now)

    def batch(self, batch: Batch) -> list[EventDict]:
        now = time.monotonic()
        self._meter.write(batch, now)
        return self._tracer.batch(batch, now)

    def end(self) -> EventDict:
        now = time.monotonic()
        return self._tracer.end(self._meter.completion(now), now)

    def failed(self, error: LLMStreamError) -> EventDict:
        now = time.monotonic()
        return self._tracer.error(error, self._meter.completion(now), now)


async def _later(plan: Plan) -> AsyncGenerator[Batch, None]:
    """Run a plan on the loop that iterates, which need not be there when `astream` is called."""
    running = abatches(plan)
    try:
        async for batch in running:
            yield batch
    finally:
        await running.aclose()


def tracer_of(plan: Plan | None, version: EventsVersion, config: RunConfig | None = None) -> Tracer:
    """Return the tracer of a plan's run; of one that could not be planned for None."""
    identity: dict[str, Any] = named_tracer(config or {}, "LLM")
    if plan is None:
        return Tracer(version, **identity)
    target = plan.targets[0]
    text, messages = spoken(plan.prompt)
    return Tracer(
        version,
        prompt_text=text,
        messages=messages,
        provider=target.endpoint.provider,
        model=target.endpoint.model,
        model_type="llm" if getattr(adapter_of(target), "kind", "chat") == "llm" else "chat",
        options=plan.options.over(target.options),
        whole=not plan.stream,
        **identity,
    )
