"""The catalogue is sound data, and one row alone reads as the whole file does."""

from __future__ import annotations

import datetime
import inspect
import tomllib
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import get_type_hints

import pytest
from config_files import settings

from llmstream.adapters import catalogue, registry
from llmstream.adapters.quirks import Quirk
from llmstream.config.file import kinds
from llmstream.errors import ConfigError
from llmstream.prompt import Options
from llmstream.runnable.options import options_from

ROWS = catalogue.rows()


def built(path: str) -> bool:
    """Return whether the module of ``module:Class`` exists in this checkout."""
    return find_spec(path.partition(":")[0]) is not None


BUILT = [name for name, path in registry.ADAPTERS.items() if built(path)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_whole_and_of_the_right_types(row: catalogue.Row) -> None:
    for field, hint in get_type_hints(catalogue.Row).items():
        value = getattr(row, field)
        if hint == tuple[str, ...]:
            assert isinstance(value, tuple)
            assert all(isinstance(item, str) for item in value)
        elif field == "sampling":
            for options in value.values():
                assert options_from(options) != Options()
        else:
            assert type(value) is hint, field
    assert set(row.takes) <= set(catalogue.KINDS)
    assert row.adapter in registry.names()
    assert set(row.quirks) <= set(Quirk)
    assert kinds.url(row.docs.replace("#", "")) is None
    assert datetime.date.fromisoformat(row.checked) >= datetime.date(2026, 1, 1)
    assert row.title
    assert kinds.variables(list(row.api_key_env) or "") is None
    assert kinds.variables(list(row.base_url_env) or "") is None
    assert "/" not in row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_one_row_alone_reads_as_the_whole_file_does(row: catalogue.Row) -> None:
    assert catalogue.row(row.name) == row
    assert catalogue.known(row.name)


def test_the_names_are_read_without_parsing() -> None:
    assert catalogue.names() == [row.name for row in ROWS]
    assert catalogue.row("nope") is None
    assert not catalogue.known("nope")
    # a header is found by its whole line alone
    assert not catalogue.known("openai]\ntitle")


@pytest.mark.parametrize("row", [r for r in ROWS if r.adapter != "local"], ids=lambda row: row.name)
def test_a_row_becomes_a_target(row: catalogue.Row, tmp_path: Path) -> None:
    variables = {
        "AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com",
        "AWS_REGION": "eu-west-1",
        "CLOUDFLARE_ACCOUNT_ID": "1",
        "GOOGLE_CLOUD_PROJECT": "p",
        **dict.fromkeys(row.api_key_env, "k"),
    }
    loaded = settings(tmp_path, **variables)
    endpoint = loaded.target(row.name if row.model else f"{row.name}/m").endpoint
    assert kinds.url(endpoint.base_url) is None
    assert not endpoint.base_url.endswith("/")
    assert (endpoint.api_key is not None) == bool(row.api_key_env)
    assert endpoint.base_url.startswith("https://") or "127.0.0.1" in endpoint.base_url


def test_base_urls_end_as_their_dialect_wants() -> None:
    for row in ROWS:
        if row.adapter == "gemini":
            assert row.base_url.endswith("/v1beta")
        if row.adapter in ("anthropic", "ollama", "cohere", "bedrock"):
            assert row.base_url.count("/") == 2


PROMISED = """
    openai azure anthropic gemini vertex mistral cohere groq deepseek xai openrouter together fireworks
    perplexity cerebras sambanova nvidia huggingface moonshot zai minimax qwen nebius deepinfra hyperbolic
    novita ai21 bedrock cloudflare ollama lmstudio llamacpp vllm sglang litellm local openai-completions
"""


def test_every_vendor_that_was_promised_is_there() -> None:
    assert set(PROMISED.split()) <= set(catalogue.names())


def test_a_table_of_the_catalogue_holds_no_key_that_a_row_lacks() -> None:
    text = Path(inspect.getfile(catalogue)).with_name("catalogue.toml").read_text(encoding="utf-8")
    for table in tomllib.loads(text).values():
        assert set(table) <= set(get_type_hints(catalogue.Row))


@pytest.mark.parametrize("name", BUILT)
def test_an_adapter_is_found_by_its_name(name: str) -> None:
    assert registry.adapter(name).name == name


def test_an_unknown_adapter_gets_the_nearest_right_one() -> None:
    with pytest.raises(ConfigError, match='did you mean "openai-chat"'):
        registry.adapter("openai-chta")
    with pytest.raises(ConfigError, match="does not use HTTP"):
        registry.adapter("local")


def test_an_installed_plugin_is_an_adapter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = EntryPoint("parrot", "llmstream.adapters.openai_chat:OpenAIChat", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "_plugin", lambda name: found if name == "parrot" else None)
    assert registry.known("parrot")
    assert registry.adapter("parrot").name == "openai-chat"
    text = '[providers.p]\nadapter = "parrot"\nbase_url = "http://h"\nmodel = "m"\napi_key_env = ""\n'
    assert settings(tmp_path, text).target("p").adapter == "parrot"


def test_a_plugin_that_cannot_be_loaded_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("parrot", "no_such_module:Parrot", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "_plugin", lambda name: broken)
    with pytest.raises(ConfigError, match="no_such_module"):
        registry.adapter("parrot")
