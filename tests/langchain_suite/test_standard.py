"""LangChain's standard suites for chat models, on ChatLLMStream and the real embedded model.

What a model of 135M parameters can't do is switched off, each with its reason, where the suite
asks; the suite then skips the tests of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from llmstream.langchain import ChatLLMStream
from llmstream.transport.llama_server import server_for
from local_model import model_path, need_llama


class _Ours:
    """What both suites ask of a chat model's author."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatLLMStream

    @property
    def has_tool_calling(self) -> bool:
        """It passes tools through; the real model is too small to call one when it is asked to."""
        return False

    @property
    def has_structured_output(self) -> bool:
        """It rests on tools, see above."""
        return False

    @property
    def supports_model_override(self) -> bool:
        return True


class TestUnit(_Ours, ChatModelUnitTests):
    """The suite that sends nothing."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "openai/m1", "api_key": "sk-none"}

    @property
    def has_tool_calling(self) -> bool:
        return True

    @property
    def has_structured_output(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "openai/m2"


class TestIntegration(_Ours, ChatModelIntegrationTests):
    """The suite that asks: invoke, stream, batch, usage, stop, override, conversations."""

    @pytest.fixture(autouse=True)
    def _embedded(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        need_llama()
        address, key = server_for(model_path()).start()
        path = tmp_path_factory.mktemp("config") / "config.toml"
        path.write_text(
            f'[providers.embedded]\nadapter = "openai-chat"\nbase_url = "{address}/v1"\nmodel = "smollm2"\n'
            'api_key_env = "EMBEDDED_KEY"\n'
        )
        path.chmod(0o600)
        monkeypatch.setenv("LLMSTREAM_CONFIG", str(path))
        monkeypatch.setenv("EMBEDDED_KEY", key.reveal())
        yield

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "embedded", "seed": 1}

    @property
    def model_override_value(self) -> str:
        return "embedded/other"
