"""LangChain's view of an answer's rarer parts: counts that were not reported, thinking, choices of tools."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import pytest

import llmstream.langchain
from llmstream.errors import UsageError
from llmstream.events import Fallback, Finish, Notice, ReasoningDelta, Start, Usage
from llmstream.langchain import ChatLLMStream, _Chunks


def test_counts_are_langchains_only_where_both_were_reported() -> None:
    chunks = _Chunks()
    for event in (Start("p", "m"), Usage(7), Finish("stop"), Notice("left out"), Fallback("a", "b", "c")):
        assert chunks.of(event) is None
    last: Any = chunks.last().message
    assert last.usage_metadata is None and last.response_metadata["warnings"] == ["left out"]
    chunks.of(Usage(7, 5, cached_tokens=3, reasoning_tokens=2))
    counts = chunks.last().message.usage_metadata  # type: ignore[attr-defined]
    assert (counts["total_tokens"], counts["input_token_details"], counts["output_token_details"]) == (
        12, {"cache_read": 3}, {"reasoning": 2},
    )  # fmt: skip


def test_thinking_is_beside_the_content() -> None:
    found = _Chunks().of(ReasoningDelta("hm"))
    assert found is not None and found.message.additional_kwargs == {"reasoning_content": "hm"}
    assert found.message.content == ""


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ({"type": "function", "function": {"name": "f"}}, "f"), ({"name": "f"}, "f"), ("any", "required"),
        ({"type": "tool", "name": "f"}, "f"), ({"type": "auto"}, "auto"), ({"type": "any"}, "required"),
        ("required", "required"), ("auto", "auto"), (None, None),
    ],
)  # fmt: skip
def test_a_choice_of_tools_may_have_any_of_langchains_forms(choice: Any, sent: Any) -> None:
    model = ChatLLMStream(model="openai/m1", base_url="http://127.0.0.1:1/v1", api_key="sk-none")  # type: ignore[arg-type]
    bound: Any = model.bind_tools([{"name": "f", "description": "d", "parameters": {}}], tool_choice=choice)
    assert bound.kwargs.get("tool_choice") == sent


def test_a_choice_that_names_no_tool_is_refused() -> None:
    model = ChatLLMStream(model="openai/m1", base_url="http://127.0.0.1:1/v1", api_key="sk-none")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="names no tool"):
        model.bind_tools([], tool_choice={"type": "function"})


class Broken(ModuleType):
    """An installed LangChain that itself lacks something."""

    def __getattr__(self, name: str) -> Any:
        raise ModuleNotFoundError("No module named 'jsonpatch'", name="jsonpatch")


@pytest.mark.parametrize(
    ("module", "said"), [(None, "llmstream-cli[langchain]"), (Broken("broken"), "jsonpatch")]
)
def test_without_langchain_its_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType | None, said: str
) -> None:
    before = dict(vars(llmstream.langchain))
    monkeypatch.setitem(sys.modules, "langchain_core.callbacks", module)
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.reload(llmstream.langchain)
    assert said in str(caught.value)
    vars(llmstream.langchain).update(before)
