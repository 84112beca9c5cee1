"""`LLM`: a configured provider's model as a Runnable that streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from llmstream.engine.meter import Completion
from llmstream.events import Event
from llmstream.record import replace
from llmstream.runnable.arguments import address, checked_model, key, limited
from llmstream.runnable.base import Runnable
from llmstream.runnable.beside import beside
from llmstream.runnable.calls import abatches, batches, close_kept
from llmstream.runnable.flows import AsyncFlow, Flow
from llmstream.runnable.options import options_from
from llmstream.runnable.pieces import Dictionaries, Events
from llmstream.runnable.plan import Plan
from llmstream.runnable.prompts import PromptLike, prompt_of
from llmstream.runnable.streams import AsyncStream, Stream
from llmstream.runnable.targets import Target, resolve
from llmstream.runnable.tracers import tracer_of
from llmstream.tracing.chain import Piece, Seat
from llmstream.tracing.run_config import RunConfig, checked
from llmstream.tracing.tracer import EventDict, EventsVersion

if TYPE_CHECKING:
    from llmstream.prompt import Attachment
    from llmstream.runnable.files import Place


class LLM(Runnable[PromptLike, Completion]):
    """A provider's model; also a context manager that calls `close` on exit.

    Args:
        model: PROVIDER/MODEL, PROVIDER or an alias of the configuration; None for its default.
        base_url: overrides the provider's own.
        api_key: overrides the configured one.
        max_retries: maximum number of attempts after the first.
        timeout: seconds for the whole run, or a dictionary with some of connect, first_token, idle and
            total; limits that it doesn't name stay as configured.
        system: the system prompt, used for prompts without one.
        files: paths of text files, put before each prompt like the command's ``--file``.
        attachments: images, audio files and PDFs: paths, URLs or Attachments.
        options: temperature, max_tokens, top_p, stop, seed and so on; others are sent unchanged.

    Raises:
        ConfigError: the model is unknown, or its provider needs a key and none was found.
        UsageError: an argument is invalid: an option out of range or misspelt, an unknown limit, an
            invalid address, a key that can't be sent in a header.

    `stream` yields ``str`` chunks, `invoke` returns a Completion.
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
        self._rivals: tuple[tuple[Target, ...], ...] = ()
        policy, given = limited(target.policy, timeout, max_retries), options_from(options)
        given = given.over(target.options)
        self.targets: tuple[Target, ...] = (replace(target, endpoint=endpoint, policy=policy, options=given),)

    def _copy(self, change: Callable[[Target], Target] = lambda target: target) -> LLM:
        made = LLM(self.targets[0])
        made.targets, made._beside = tuple(map(change, self.targets)), self._beside
        made._rivals = tuple(tuple(map(change, lane)) for lane in self._rivals)
        return made

    def close(self) -> None:
        """Close the connections that are kept for further answers; the next answer opens a new one.

        They are also closed after half a minute without use, and at exit.
        """
        for target in (*self.targets, *(one for lane in self._rivals for one in lane)):
            close_kept(target)

    def __enter__(self) -> LLM:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def run_name(self) -> str:
        """The name of a run in events, unless the config gives one."""
        return "LLM"

    def plan(self, prompt: PromptLike, options: dict[str, object], *, stream: bool = True) -> Plan:
        """Return the plan of a call with these options."""
        extras, options = self._beside.taken_from(options)
        return Plan(
            self.targets, extras.on(prompt_of(prompt)), options_from(options), stream, rivals=self._rivals
        )

    def stream(self, input: PromptLike, config: RunConfig | None = None, **options: object) -> Stream:  # type: ignore[override]  # chunks are str, as LangChain's
        """Return a stream of the answer's chunks.

        Raises:
            UsageError: the prompt, an option or the config is invalid; raised at once.
            LLMStreamError: the answer failed; raised by the iteration, after the chunks received before.
        """
        checked(config)
        plan = self.plan(input, options)
        return Stream(lambda: batches(plan))

    def astream(self, input: PromptLike, config: RunConfig | None = None, **options: object) -> AsyncStream:  # type: ignore[override]
        """Return a stream of the answer's chunks, for asyncio."""
        checked(config)
        plan = self.plan(input, options)
        return AsyncStream(lambda: abatches(plan))

    def invoke(self, input: PromptLike, config: RunConfig | None = None, **options: object) -> Completion:
        """Return the whole answer; it is still streamed, so that the time limits apply.

        Raises:
            LLMStreamError: the answer failed, or as for `stream`.
        """
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

    def events(self, input: PromptLike, config: RunConfig | None = None, **options: object) -> Flow[Event]:
        """Return the typed events of a run; closing the iterator ends the request."""
        checked(config)
        plan = self.plan(input, options)
        return Flow(lambda: batches(plan), Events())

    def aevents(
        self, input: PromptLike, config: RunConfig | None = None, **options: object
    ) -> AsyncFlow[Event]:
        """Return the typed events of a run; closing the iterator ends the request."""
        checked(config)
        plan = self.plan(input, options)
        return AsyncFlow(lambda: abatches(plan), Events())

    def traced(
        self,
        input: PromptLike,
        config: RunConfig | None,
        version: EventsVersion,
        seat: Seat | None = None,
        **options: object,
    ) -> Flow[EventDict | Piece]:
        """Return a run's event dictionaries, including an object's own steps, with its chunks in between."""
        plan = replace(self.plan(input, options), version=version)
        return Flow(lambda: batches(plan), Dictionaries(tracer_of(plan, version, checked(config), seat)))

    def atraced(
        self,
        input: PromptLike,
        config: RunConfig | None,
        version: EventsVersion,
        seat: Seat | None = None,
        **options: object,
    ) -> AsyncFlow[EventDict | Piece]:
        """The same on the running event loop."""
        plan = replace(self.plan(input, options), version=version)
        tracer = tracer_of(plan, version, checked(config), seat)
        return AsyncFlow(lambda: abatches(plan), Dictionaries(tracer))

    def bind(self, **options: object) -> LLM:
        """Return the same model with options for every call, also `system`, `files` and `attachments`."""
        extras, options = self._beside.taken_from(options)
        over = options_from(options)
        made = self._copy(lambda target: replace(target, options=over.over(target.options)))
        made._beside = extras
        return made

    def with_retry(
        self,
        *,
        stop_after_attempt: int = 3,
        retry_if_exception_type: tuple[type[Exception], ...] = (Exception,),
        wait_exponential_jitter: bool = True,
    ) -> Runnable[PromptLike, Completion]:
        """Return the same model with retries before the first chunk.

        Only retryable errors are retried, after the wait that the server asks for, if it does. With
        other exception types or without `wait_exponential_jitter`, it is `Runnable.with_retry`.
        """
        if retry_if_exception_type != (Exception,) or not wait_exponential_jitter:
            return super().with_retry(
                stop_after_attempt=stop_after_attempt,
                retry_if_exception_type=retry_if_exception_type,
                wait_exponential_jitter=wait_exponential_jitter,
            )
        retries = max(0, stop_after_attempt - 1)
        return self._copy(lambda target: replace(target, policy=replace(target.policy, max_retries=retries)))

    def with_fallbacks(
        self,
        fallbacks: Sequence[Runnable[PromptLike, Completion]],
        *,
        exceptions_to_handle: tuple[type[Exception], ...] = (Exception,),
    ) -> Runnable[PromptLike, Completion]:
        """Return a model that uses the next one when this fails before its first chunk."""
        models = [one for one in fallbacks if isinstance(one, LLM)]
        racing = self._rivals or any(model._rivals for model in models)
        if racing or len(models) < len(fallbacks) or exceptions_to_handle != (Exception,):
            return super().with_fallbacks(fallbacks, exceptions_to_handle=exceptions_to_handle)
        made = self._copy()
        made.targets += tuple(target for model in models for target in model.targets)
        return made

    def with_race(self, others: Sequence[LLM]) -> LLM:
        """Return a model that asks this and the others at once; the first to yield a token continues."""
        made = self._copy()
        made._rivals = (*self._rivals, *(lane for one in others for lane in (one.targets, *one._rivals)))
        return made
