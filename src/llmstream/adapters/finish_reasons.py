"""Finish reasons: every provider's words, in one table.

Gateways pass on the words of the upstream provider in any dialect, for example Gemini's capitals or an
enumeration's full name in an OpenAI chunk.  So a dialect's own table is tried first, then this one.

Sources: the API references that the adapters name; text-generation-inference (``eos_token``), Together
(``eos``), Mistral (``model_length``), Z.ai (``sensitive``, ``network_error``), DeepSeek
(``insufficient_system_resource``), vLLM (``abort``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmstream.events import Finish, FinishReason

NO_WORDS: Final[Mapping[str, FinishReason]] = {}

WORDS: Final[Mapping[FinishReason, str]] = {
    "stop": "stop stop_sequence stop_criteria_met stop_token eos eos_token eod end end_turn end_of_turn "
    "pause_turn complete completed finish finished done success load unload",
    "length": "length max_length max_tokens max_output_tokens max_new_tokens max_completion_tokens "
    "model_length token_limit context_length context_length_exceeded model_context_window_exceeded",
    "tool_calls": "tool_calls tool_call tool_use tool function_call function_calls",
    "content_filter": "content_filter content_filtered content_blocked safety sensitive refusal recitation "
    "blocklist blocked prohibited_content spii model_armor guardrail_intervened moderation flagged "
    "image_safety image_prohibited_content image_recitation error_toxic",
    "error": "error failed failure abort aborted network_error insufficient_system_resource server_error "
    "internal_error internal_server_error model_error timeout overloaded error_limit unavailable "
    "malformed_function_call malformed_response malformed_model_output malformed_tool_use "
    "unexpected_tool_call too_many_tool_calls missing_thought_signature language other "
    "rag_query_when_rag_disabled",
    "cancelled": "cancelled canceled user_cancel",
}  # fmt: skip

KNOWN: Final[Mapping[str, FinishReason]] = {
    word: reason for reason, words in WORDS.items() for word in words.split()
}

PASSING: Final = frozenset(
    {
        "network_error", "insufficient_system_resource", "server_error", "internal_error",
        "internal_server_error", "timeout", "overloaded", "unavailable", "error",
    }
)  # fmt: skip
"""Failures after which the same request may succeed; a model's own mistake is not retried, to save cost."""

_FAILURES: Final = ("error", "malformed", "fail", "abort")
_PREFIX: Final = "finish_reason_"


def word(raw: str) -> str:
    """Return a provider's reason as written in the tables: ``FinishReason.MAX_TOKENS`` is ``max_tokens``."""
    bare = raw.replace(":", ".").rpartition(".")[2].strip().lower()
    return bare.removeprefix(_PREFIX).replace("-", "_").replace(" ", "_")


def finish(raw: str, own: Mapping[str, FinishReason] = NO_WORDS, *, calls: object = None) -> Finish:
    """Return the finish for a provider's reason, which is ``unknown`` or ``error`` if not in the tables.

    Args:
        raw: the provider's reason, empty for none.
        own: the dialect's own table.
        calls: true if the answer has tool calls; then ``stop`` becomes ``tool_calls``.
    """
    bare = word(raw)
    reason = own.get(raw) or own.get(raw.lower()) or KNOWN.get(bare)
    if reason is None:
        reason = "error" if any(part in bare for part in _FAILURES) else "unknown"
    return Finish("tool_calls" if reason == "stop" and calls else reason, raw or None)
