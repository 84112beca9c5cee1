"""Stream a language model's tokens: the library behind the command of the same name.

    from llmstream import LLM
    for chunk in LLM("openai-completions/gpt-3.5-turbo-instruct").stream("Hello"):
        print(chunk, end="", flush=True)

Names are loaded when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstream.version import __version__

if TYPE_CHECKING:
    from llmstream.engine.meter import Completion, Latency, Timing
    from llmstream.errors import (
        AuthenticationError,
        BadMessage,
        Cancelled,
        ConfigError,
        ConnectionFailed,
        ContextTooLong,
        HistoryError,
        LLMStreamError,
        LocalModelError,
        MissingExtra,
        MissingKey,
        PromptBlocked,
        ProviderError,
        RequestRefused,
        StreamBroken,
        StreamEndedEarly,
        StreamError,
        TimeLimitPassed,
        Unavailable,
        UsageError,
    )
    from llmstream.events import (
        Event,
        Fallback,
        Finish,
        Notice,
        ReasoningDelta,
        Retry,
        Start,
        Step,
        TextDelta,
        ToolCallDelta,
        Usage,
        Winner,
    )
    from llmstream.jobs.answers import Result
    from llmstream.jobs.library import abatch, batch
    from llmstream.measure.benchmark import abench, bench
    from llmstream.measure.figures import Figures
    from llmstream.prompt import Attachment, Message, Options, Prompt, ToolCall
    from llmstream.runnable.base import Runnable
    from llmstream.runnable.comparison import Comparison, acompare, compare
    from llmstream.runnable.llm import LLM
    from llmstream.runnable.race import arace, race
    from llmstream.runnable.streams import AsyncStream, Stream
    from llmstream.tracing.run_config import RunConfig

_HOMES = {
    "llmstream.engine.meter": "Completion Latency Timing",
    "llmstream.errors": "AuthenticationError BadMessage Cancelled ConfigError ConnectionFailed "
    "ContextTooLong HistoryError LLMStreamError LocalModelError MissingExtra MissingKey PromptBlocked "
    "ProviderError RequestRefused StreamBroken StreamEndedEarly StreamError TimeLimitPassed Unavailable "
    "UsageError",
    "llmstream.events": "Event Fallback Finish Notice ReasoningDelta Retry Start Step TextDelta "
    "ToolCallDelta Usage Winner",
    "llmstream.jobs.answers": "Result",
    "llmstream.jobs.library": "abatch batch",
    "llmstream.measure.benchmark": "abench bench",
    "llmstream.measure.figures": "Figures",
    "llmstream.prompt": "Attachment Message Options Prompt ToolCall",
    "llmstream.runnable.base": "Runnable",
    "llmstream.runnable.comparison": "Comparison acompare compare",
    "llmstream.runnable.llm": "LLM",
    "llmstream.runnable.race": "arace race",
    "llmstream.tracing.run_config": "RunConfig",
    "llmstream.runnable.streams": "AsyncStream Stream",
}
_ASKING = {"LLM", "abatch", "abench", "acompare", "arace", "batch", "bench", "compare", "race"}
"""Names that use models, and so need the configuration."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "LLM", "AsyncStream", "Attachment", "AuthenticationError", "BadMessage", "Cancelled",
    "Comparison", "Completion", "ConfigError", "ConnectionFailed", "ContextTooLong", "Event", "Fallback",
    "Figures", "Finish", "HistoryError", "LLMStreamError", "Latency", "LocalModelError", "Message",
    "MissingExtra",
    "MissingKey", "Notice", "Options", "Prompt", "PromptBlocked", "ProviderError", "ReasoningDelta",
    "RequestRefused", "Result", "Retry", "RunConfig", "Runnable", "Start", "Step", "Stream",
    "StreamBroken",
    "StreamEndedEarly", "StreamError", "TextDelta", "TimeLimitPassed", "Timing", "ToolCall",
    "ToolCallDelta", "Unavailable", "Usage", "UsageError", "Winner",
    "__version__", "abatch", "abench", "acompare", "arace", "batch", "bench", "compare", "race",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'llmstream' has no attribute {name!r}")
    from importlib import import_module

    if name in _ASKING:
        from llmstream.config.settings import library_target
        from llmstream.runnable.targets import use

        use(library_target)
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
