"""`ChatLLMStream`: a LangChain chat model built on this library, for chains and agents.

For the reverse, calling a LangChain model from llmstream, see the adapter ``runnable``.  Importing this
module needs the extra `langchain`; other modules import LangChain only to handle its objects.

Source: langchain-core 1.7, "How to create a custom chat model" and `BaseChatModel`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Final  # Any: in signatures that LangChain defines

try:
    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "langchain_core":
        raise
    raise ModuleNotFoundError(
        "llmstream.langchain needs LangChain: pip install 'llmstream-cli[langchain]'", name=error.name
    ) from None
from langchain_core.language_models import LangSmithParams, LanguageModelInput
from langchain_core.language_models.chat_models import (
    BaseChatModel,
    agenerate_from_stream,
    generate_from_stream,
)
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from llmstream import LLM
from llmstream.errors import UsageError
from llmstream.events import Event, Finish, Notice, ReasoningDelta, Start, TextDelta, ToolCallDelta, Usage
from llmstream.langchain.fields import with_further
from llmstream.langchain.messages import messages_of
from llmstream.prompt import Message

OPTIONS: Final = ("temperature", "max_tokens", "top_p", "seed")
ANY_TOOL: Final = {"any": "required", True: "required", False: "none"}
"""LangChain's values of `tool_choice` that have a different name here."""


class ChatLLMStream(BaseChatModel):
    """Any provider of the configuration as a LangChain chat model.

    Args:
        model: PROVIDER/MODEL, PROVIDER or an alias; None for the configuration's default.
        temperature: randomness, 0 for the most likely token.
        max_tokens: maximum number of tokens in the answer.
        top_p: nucleus sampling mass, 0 to 1.
        seed: makes sampling repeatable.
        stop: sequences that end the answer.
        base_url: overrides the provider's own.
        api_key: overrides the configured one.
        max_retries: maximum number of attempts after the first.
        timeout: seconds to connect, to the first token and between tokens, each; or a dictionary of
            limits as for `LLM`.  For `LLM`, one number is the total instead.
        model_kwargs: further options, as for `LLM`.  The sampling parameters among them, such as `top_k`,
            may also be given by name.

    Thinking text is in ``additional_kwargs["reasoning_content"]``; ``response_metadata["warnings"]``
    lists the run's warnings, such as options that the provider doesn't accept. Calls raise subclasses
    of `LLMStreamError`.
    """

    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: list[str] | None = Field(default=None, alias="stop_sequences")
    base_url: str | None = None
    api_key: SecretStr | None = None
    max_retries: int | None = None
    timeout: float | dict[str, float] | None = None
    model_kwargs: dict[str, object] = Field(default_factory=dict)
    _models: dict[tuple[object, ...], LLM] = PrivateAttr(default_factory=dict)

    model_config = ConfigDict(populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _further(cls, values: Any) -> Any:
        return with_further(values, cls.model_fields) if isinstance(values, dict) else values

    @property
    def _llm_type(self) -> str:
        return "llmstream"

    @property
    def _identifying_params(self) -> Mapping[str, object]:
        return {"model": self.model, "base_url": self.base_url, **self._options(None, {})}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        if "model" not in kwargs:
            endpoint = self._llm(self.model).targets[0].endpoint
            params["ls_provider"], params["ls_model_name"] = endpoint.provider, endpoint.model
        return params

    def _llm(self, model: str | None) -> LLM:
        """Return the model of this name; it is resolved once, with its key and address, and reused."""
        key = self.api_key.get_secret_value() if self.api_key else None
        limits = _limits(self.timeout)
        # a copy shares this dictionary, and may have a different address or key
        known = (model, self.base_url, key, self.max_retries, repr(limits))
        if known not in self._models:
            self._models[known] = LLM(
                model, base_url=self.base_url, api_key=key, max_retries=self.max_retries, timeout=limits
            )
        return self._models[known]

    def _options(self, stop: list[str] | None, given: Mapping[str, object]) -> dict[str, Any]:
        own: dict[str, object] = {name: getattr(self, name) for name in OPTIONS}
        own = own | self.model_kwargs | {"stop": stop or self.stop or None} | dict(given)
        return {name: value for name, value in own.items() if value is not None}

    def _asked(
        self, messages: list[BaseMessage], stop: list[str] | None, given: dict[str, Any]
    ) -> tuple[LLM, list[Message], dict[str, Any]]:
        """Return the model, the prompt and the options of a call."""
        model = given.pop("model", self.model)
        return self._llm(model), messages_of(messages), self._options(stop, given)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        llm, spoken, options = self._asked(messages, stop, kwargs)
        chunks = _Chunks()
        with closing(llm.events(spoken, **options)) as events:
            for event in events:
                chunk = chunks.of(event)
                if chunk is not None:
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        yield chunks.last()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        llm, spoken, options = self._asked(messages, stop, kwargs)
        chunks = _Chunks()
        async with aclosing(llm.aevents(spoken, **options)) as events:
            async for event in events:
                chunk = chunks.of(event)
                if chunk is not None:
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk
        yield chunks.last()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, None, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, None, **kwargs))

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model bound to tools that it may call; the caller runs them.

        Args:
            tools: functions, classes or definitions, as LangChain accepts them.
            tool_choice: ``auto``, ``none``, ``any`` or ``required``, or a tool's name; True for ``any``,
                False for ``none``; or a dictionary in OpenAI's or Anthropic's form.
            kwargs: further options of each call.

        Raises:
            UsageError: `tool_choice` is a dictionary without a tool's name or one of these words.
        """
        if isinstance(tool_choice, dict):
            tool_choice = _named(tool_choice)
        chosen = None if tool_choice is None else ANY_TOOL.get(tool_choice, tool_choice)
        definitions = [convert_to_openai_tool(tool) for tool in tools]
        choice = {} if chosen is None else {"tool_choice": chosen}
        return self.bind(tools=definitions, **choice, **kwargs)


def _named(choice: Mapping[str, Any]) -> str:
    """Return the tool's name or the word in a `tool_choice` in OpenAI's or Anthropic's form."""
    function = choice.get("function", choice)
    name = function.get("name") if isinstance(function, Mapping) else None
    word = choice.get("type")
    if isinstance(name, str) and name:
        return name
    if word in ("auto", "none", "any", "required"):
        return str(word)
    raise UsageError(f"tool_choice names no tool: {dict(choice)!r}", hint='pass "auto", "any" or a name')


class _Chunks:
    """Converts the events of one run into LangChain's chunks."""

    def __init__(self) -> None:
        self._started = Start("", "")
        self._usage: UsageMetadata | None = None
        self._finish = Finish("unknown")
        self._warnings: list[str] = []

    def of(self, event: Event) -> ChatGenerationChunk | None:
        """Return an event as a chunk, None if it has no chunk of its own."""
        if isinstance(event, TextDelta):
            return ChatGenerationChunk(message=AIMessageChunk(content=event.text))
        if isinstance(event, ReasoningDelta):
            thought = AIMessageChunk(content="", additional_kwargs={"reasoning_content": event.text})
            return ChatGenerationChunk(message=thought)
        if isinstance(event, ToolCallDelta):
            piece = tool_call_chunk(name=event.name, args=event.arguments, id=event.id, index=event.index)
            return ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[piece]))
        if isinstance(event, Usage):
            self._usage = _usage(event)
        elif isinstance(event, Finish):
            self._finish = event
        elif isinstance(event, Start):
            self._started = event
        elif isinstance(event, Notice):
            self._warnings.append(event.message)
        return None

    def last(self) -> ChatGenerationChunk:
        """Return the last chunk, with the finish reason and the token counts, which LangChain adds up."""
        metadata: dict[str, object] = {
            "finish_reason": self._finish.raw or self._finish.reason,
            # in the form that `model` accepts, so that it can be passed again
            "model_name": f"{self._started.provider}/{self._started.model}",
            # names the format of the content: LangChain would parse that of "openai" as OpenAI's
            "model_provider": "llmstream",
        }
        if self._warnings:
            metadata["warnings"] = self._warnings
        message = AIMessageChunk(
            content="", usage_metadata=self._usage, response_metadata=metadata, chunk_position="last"
        )
        return ChatGenerationChunk(message=message)


def _usage(usage: Usage) -> UsageMetadata | None:
    """Return the counts in LangChain's form; None if input or output, which it requires, wasn't reported."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    total = usage.total_tokens
    counts = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens if total is None else total,
    )
    if usage.cached_tokens is not None:
        counts["input_token_details"] = InputTokenDetails(cache_read=usage.cached_tokens)
    if usage.reasoning_tokens is not None:
        counts["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return counts


def _limits(timeout: float | dict[str, float] | None) -> dict[str, float] | None:
    if timeout is None or isinstance(timeout, dict):
        return timeout
    return {"connect": timeout, "first_token": timeout, "idle": timeout}
