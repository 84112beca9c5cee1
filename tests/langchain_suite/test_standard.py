"""LangChain's standard suites for chat models, on ChatLLMStream and the real embedded model.

What a model of 135M parameters can't do is left out, each with its reason: where the suite asks (it
then skips the tests of it), else by name in `NEED_A_CALL`.  Images, audio and PDF are off as the suite
has them: the model reads text only; test_chat_model.py shows that they are sent.  Serialization is
off: a model is its configuration, which has the keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from llmstream.langchain import ChatLLMStream
from local_model import served

NEED_A_CALL: Final = (
    "test_tool_calling",
    "test_tool_calling_async",
    "test_tool_calling_with_no_arguments",
    "test_tool_choice",
    "test_bind_runnables_as_tools",
    "test_agent_loop",
    "test_unicode_tool_call_integration",
)
"""Tests in which the model itself has to call a tool, for which this one is too small."""


class _Ours:
    """What both suites ask of a chat model's author."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatLLMStream

    @property
    def supports_model_override(self) -> bool:
        return True


class TestUnit(_Ours, ChatModelUnitTests):
    """The suite that sends nothing."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "openai/m1", "api_key": "sk-none"}

    @property
    def model_override_value(self) -> str:
        return "openai/m2"


class TestIntegration(_Ours, ChatModelIntegrationTests):
    """The suite that asks: invoke, stream, batch, usage, stop, override, conversations."""

    @pytest.fixture(autouse=True)
    def _embedded(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if request.node.originalname in NEED_A_CALL:
            pytest.skip("the real model is too small to call a tool; test_chat_model.py has calls")
        address, key = served()
        path = tmp_path / "config.toml"
        path.write_text(
            f'[providers.embedded]\nadapter = "openai-chat"\nbase_url = "{address}/v1"\nmodel = "smollm2"\n'
            'api_key_env = "EMBEDDED_KEY"\n'
        )
        path.chmod(0o600)
        monkeypatch.setenv("LLMSTREAM_CONFIG", str(path))
        monkeypatch.setenv("EMBEDDED_KEY", key.reveal())

    @property
    def has_structured_output(self) -> bool:
        """It rests on a call, see `NEED_A_CALL`."""
        return False

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "embedded", "seed": 1, "max_tokens": 12}

    @property
    def model_override_value(self) -> str:
        return "embedded/other"
