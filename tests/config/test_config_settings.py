"""What a model's name stands for: precedence, presets, aliases, and the nearest right name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from config_files import WORK, settings, write

from llmstream.config.layers import address
from llmstream.config.settings import Overrides, Settings, config_path_of
from llmstream.engine.policy import Policy
from llmstream.errors import ConfigError, MissingKey
from llmstream.prompt import Options

FULL = """\
default = "work"
[aliases]
fast = "groq/openai/gpt-oss-20b"
mine = "work"
[providers.work]
adapter = "openai-chat"
base_url = "https://llm.example.com/v1/"
model = "m1"
api_key_env = "WORK_KEY"
headers = { X-Team = "search" }
options = { temperature = 0, max_tokens = 512, top_a = 1 }
extra_body = { top_k = 40 }
timeout = { connect = 3, total = 60 }
max_retries = 5
"""


def test_a_provider_of_the_file_becomes_a_target(tmp_path: Path) -> None:
    target = settings(tmp_path, FULL, WORK_KEY="k").target("work")
    assert target.adapter == "openai-chat"
    assert target.endpoint.base_url == "https://llm.example.com/v1"
    assert target.endpoint.model == "m1"
    assert target.endpoint.headers == {"X-Team": "search"}
    assert target.endpoint.extra_body == {"top_k": 40}
    assert target.options == Options(temperature=0, max_tokens=512, extra={"top_a": 1})
    assert target.policy == Policy(connect=3, total=60, max_retries=5)
    assert target.local is None


@pytest.mark.parametrize(
    ("spec", "provider", "model"),
    [
        ("work", "work", "m1"),
        ("work/m2", "work", "m2"),
        ("work/a/b:c@d", "work", "a/b:c@d"),
        ("fast", "groq", "openai/gpt-oss-20b"),
        ("mine", "work", "m1"),
        ("openrouter/anthropic/claude-haiku-4.5", "openrouter", "anthropic/claude-haiku-4.5"),
    ],
)
def test_a_name_is_an_alias_a_provider_or_both_parts(
    tmp_path: Path, spec: str, provider: str, model: str
) -> None:
    loaded = settings(tmp_path, FULL, WORK_KEY="k", GROQ_API_KEY="k", OPENROUTER_API_KEY="k")
    endpoint = loaded.target(spec).endpoint
    assert (endpoint.provider, endpoint.model) == (provider, model)


def test_the_flag_beats_the_environment_which_beats_the_file_which_beats_the_default(tmp_path: Path) -> None:
    both = settings(tmp_path, FULL, LLMSTREAM_MODEL="fast")
    assert both.choice("openai").spec == "openai"
    assert both.choice().spec == "fast"
    assert settings(tmp_path, FULL).choice().spec == "work"
    assert settings(tmp_path).choice().spec == "local"
    assert settings(tmp_path, LLMSTREAM_MODEL="").choice().spec == "local"


def test_the_file_is_the_flag_s_the_environment_s_or_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    flag, variable = tmp_path / "flag.toml", tmp_path / "variable.toml"
    assert config_path_of(flag, {"LLMSTREAM_CONFIG": str(variable)}) == (flag, True)
    assert config_path_of(None, {"LLMSTREAM_CONFIG": str(variable)}) == (variable, True)
    path, named = config_path_of(None, {"LLMSTREAM_CONFIG": ""})
    assert path is not None
    assert path.is_relative_to(tmp_path)
    assert not named


def test_no_file_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    target = Settings.load(None, {}).target("local")
    assert (target.adapter, target.endpoint.base_url) == ("openai-chat", "")
    assert target.local is not None
    assert target.local.folder.is_relative_to(tmp_path)


def test_nothing_is_read_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config.toml", "llmstream.toml", ".llmstream.toml", ".env"):
        (tmp_path / name).write_text('default = "openai"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("XDG_CONFIG_HOME", ".")
    assert Settings.load(None, {}).choice().spec == "local"


def test_flags_beat_the_file(tmp_path: Path) -> None:
    flags = Overrides(Options(temperature=1, extra={"n": 1}), {"connect": 1.5, "idle": 0}, max_retries=0)
    target = settings(tmp_path, FULL, WORK_KEY="k").target("work", flags)
    assert target.options == Options(temperature=1, max_tokens=512, extra={"top_a": 1, "n": 1})
    assert target.policy == Policy(connect=1.5, idle=0, total=60, max_retries=0)


def test_a_preset_starts_from_a_row_and_the_file_changes_it(tmp_path: Path) -> None:
    text = '[providers.p]\npreset = "mistral"\nmodel = "big"\nextra_body = { a = 1 }\n'
    target = settings(tmp_path, text, MISTRAL_API_KEY="k").target("p")
    assert target.endpoint.base_url == "https://api.mistral.ai/v1"
    assert target.endpoint.model == "big"
    assert target.endpoint.quirks == {"no-stream-options"}


def test_a_row_s_quirks_go_with_its_adapter(tmp_path: Path) -> None:
    text = '[providers.mistral]\nadapter = "openai-completions"\n'
    assert settings(tmp_path, text, MISTRAL_API_KEY="k").target("mistral").endpoint.quirks == frozenset()


def test_a_made_up_provider_works_from_toml_alone(tmp_path: Path) -> None:
    target = settings(tmp_path, WORK + 'api_key_env = ""\nquirks = ["no-stream-options"]\n').target("work")
    assert target.endpoint.api_key is None
    assert target.endpoint.quirks == {"no-stream-options"}


@pytest.mark.parametrize(
    ("text", "spec", "message"),
    [
        ("", "p/m1", 'unknown provider "p" in "p/m1"'),
        (
            WORK.replace("work", "provider"),
            "providr/m1",
            'unknown provider "providr" in "providr/m1"; did you mean "provider"?',
        ),
        (WORK.replace("work", "pp"), "p/m1", 'unknown provider "p" in "p/m1"; did you mean "pp"?'),
        ("", "opena/gpt", 'unknown provider "opena" in "opena/gpt"; did you mean "openai"?'),
        (FULL, "fats", 'unknown provider "fats"; did you mean "fast"?'),
        ("", "grok-4.3", 'unknown provider "grok-4.3"; did you mean "xai/grok-4.3"?'),
        ("", "", "the model name is empty"),
        ("", "vllm", "no model given, and vllm has no default model"),
        ("", "azure/x", "the URL of azure needs $AZURE_OPENAI_ENDPOINT, which is not set"),
        ('[aliases]\na = "b"\nb = "a"\n', "a", 'the alias "a" refers to itself'),
        ("", "\x1b[31mx", 'unknown provider "?[31mx"'),
    ],
)  # fmt: skip
def test_a_name_that_stands_for_nothing_gets_the_nearest_right_one(
    tmp_path: Path, text: str, spec: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text, AZURE_OPENAI_API_KEY="k").target(spec)
    assert caught.value.message == message


def test_the_vendor_s_own_variable_moves_the_vendor_s_row_alone(tmp_path: Path) -> None:
    text = WORK + 'api_key_env = ""\n[providers.mine]\npreset = "openai"\n'
    loaded = settings(tmp_path, text, OPENAI_BASE_URL="http://127.0.0.1:1/v1/", OPENAI_API_KEY="k")
    assert loaded.target("openai").endpoint.base_url == "http://127.0.0.1:1/v1"
    assert loaded.target("openai-completions").endpoint.base_url == "http://127.0.0.1:1/v1"
    assert loaded.target("mine").endpoint.base_url == "https://api.openai.com/v1"
    assert loaded.target("work").endpoint.base_url == "https://llm.example.com/v1"


def test_the_file_s_address_beats_the_vendor_s_variable(tmp_path: Path) -> None:
    text = '[providers.openai]\nbase_url = "https://gateway.example.com/v1"\n'
    loaded = settings(tmp_path, text, OPENAI_BASE_URL="http://127.0.0.1:1/v1", OPENAI_API_KEY="k")
    assert loaded.target("openai").endpoint.base_url == "https://gateway.example.com/v1"


@pytest.mark.parametrize("value", ["file:///etc", "nonsense", "http://u:p@h/v1"])
def test_a_vendor_s_variable_that_is_no_address_is_an_error(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r"\$OPENAI_BASE_URL"):
        settings(tmp_path, OPENAI_BASE_URL=value, OPENAI_API_KEY="k").target("openai")


@pytest.mark.parametrize(
    ("value", "base_url"),
    [
        ("127.0.0.1:1", "http://127.0.0.1:1"),
        ("box", "http://box:11434"),
        (":1234", "http://127.0.0.1:1234"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("http://box", "http://box:80"),
        ("https://box", "https://box:443"),
        ("https://box:1/ollama/", "https://box:1/ollama"),
        ("[::1]", "http://[::1]:11434"),
        ("[::]:1", "http://[::1]:1"),
        (' "box:1" ', "http://box:1"),
    ],
)
def test_ollama_s_variable_may_lack_scheme_host_and_port(tmp_path: Path, value: str, base_url: str) -> None:
    row = settings(tmp_path).provider("ollama").row
    assert row is not None
    assert address(value, row, "OLLAMA_HOST") == base_url
    assert settings(tmp_path, OLLAMA_HOST=value).target("ollama/m").endpoint.base_url == base_url


def test_an_address_is_filled_in_from_the_environment(tmp_path: Path) -> None:
    azure = settings(tmp_path, AZURE_OPENAI_ENDPOINT="https://x.openai.azure.com/", AZURE_OPENAI_API_KEY="k")
    assert azure.target("azure/d").endpoint.base_url == "https://x.openai.azure.com/openai/v1"
    bedrock = settings(tmp_path, AWS_DEFAULT_REGION="eu-west-1", AWS_BEARER_TOKEN_BEDROCK="k")
    assert bedrock.target("bedrock").endpoint.base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    evil = settings(tmp_path, AWS_REGION="x.evil.example/?", AWS_BEARER_TOKEN_BEDROCK="k")
    with pytest.raises(ConfigError, match="built from"):
        evil.target("bedrock")


def test_the_model_in_this_process_is_asked_in_the_dialect_of_its_provider(tmp_path: Path) -> None:
    assert settings(tmp_path).target("local").adapter == "openai-chat"
    assert settings(tmp_path).target("local-completions").adapter == "openai-completions"
    text = '[providers.local]\ndialect = "openai-completions"\ncontext = 512\nthreads = 2\n'
    target = settings(tmp_path, text).target("local//models/x.gguf")
    assert target.adapter == "openai-completions"
    assert target.endpoint.model == "/models/x.gguf"
    assert target.local is not None
    assert (target.local.context, target.local.threads) == (512, 2)


def test_certificates_must_exist_and_lie_beside_the_file(tmp_path: Path) -> None:
    text = WORK + 'api_key_env = ""\nca_file = "ca.pem"\nproxy = "socks5://u:p@127.0.0.1:1"\n'
    with pytest.raises(ConfigError, match=r"ca\.pem is not a file"):
        settings(tmp_path, text).target("work")
    (tmp_path / "ca.pem").touch()
    target = settings(tmp_path, text).target("work")
    assert target.ca_file == tmp_path / "ca.pem"
    assert target.proxy == "socks5://u:p@127.0.0.1:1"


def test_names_are_the_file_s_and_then_the_catalogue_s(tmp_path: Path) -> None:
    names = Settings.load(write(tmp_path, WORK + '[providers.groq]\nmodel = "x"\n'), {}).names()
    assert names[:3] == ["work", "groq", "local"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("address", "line", "region"),
    [
        ("https://bedrock-runtime.eu-central-1.amazonaws.com", "", "eu-central-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "", "us-gov-west-1"),
        ("https://vpce-0a1b-x.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com", "", "ap-southeast-2"),
        ("https://gateway.example.com", "", "sa-east-1"),
        ("http://127.0.0.1:8080", 'aws_region = "eu-west-3"', "eu-west-3"),
    ],
)
def test_a_request_is_signed_for_the_region_of_its_address(
    tmp_path: Path, address: str, line: str, region: str
) -> None:
    text = f'[providers.aws]\nadapter = "bedrock"\nbase_url = "{address}"\nmodel = "m"\n{line}\n'
    found = settings(tmp_path, text, AWS_REGION="sa-east-1").target("aws")
    assert (found.aws_region, found.endpoint.api_key) == (region, None)


def test_a_key_for_bedrock_leaves_nothing_to_be_signed(tmp_path: Path) -> None:
    text = '[providers.aws]\nadapter = "bedrock"\nbase_url = "https://b.example.com"\nmodel = "m"\n'
    assert settings(tmp_path, f'{text}api_key = "k1"\n').target("aws").aws_region == ""
    with pytest.raises(MissingKey):
        settings(tmp_path, f'{text}api_key_env = "NO_SUCH"\n').target("aws")


def test_the_files_own_switches_have_defaults(tmp_path: Path) -> None:
    file = settings(tmp_path, 'history = false\nmarkdown_theme = "monokai"\n').file
    assert (file.switch("history", True), file.switch("markdown", True)) == (False, True)
    assert (file.setting("markdown_theme"), file.setting("default")) == ("monokai", "")


def test_what_an_adapter_alone_knows_reaches_its_target(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    text = (
        f'[providers.chain]\nadapter = "runnable"\nfactory = "a:B"\npath = "{own}"\nsteps = true\n'
        + WORK.replace('model = "m1"', 'limits = { rpm = 60, tpm = 1e5 }\napi_key_env = ""')
    )
    loaded = settings(tmp_path, text)
    chain, work = loaded.target("chain"), loaded.target("work/x")
    assert (chain.path, chain.steps, work.steps, work.path) == (own, True, False, None)
    assert (work.limits.rpm, work.limits.tpm, chain.limits.rpm) == (60, 1e5, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o777, 0o775, None])
def test_a_folder_that_others_can_write_to_is_not_imported_from(tmp_path: Path, mode: int | None) -> None:
    own = tmp_path / "own"
    if mode is not None:
        own.mkdir()
        own.chmod(mode)
    text = f'[providers.chain]\nadapter = "runnable"\nfactory = "a:B"\npath = "{own}"\n'
    with pytest.raises(ConfigError, match="import from"):
        settings(tmp_path, text).target("chain")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_not_imported_from(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    os.chown(own, 12345, -1)
    text = f'[providers.chain]\nadapter = "runnable"\nfactory = "a:B"\npath = "{own}"\n'
    with pytest.raises(ConfigError, match=r"belongs to another user \(id 12345\)") as raised:
        settings(tmp_path, text).target("chain")
    assert "chmod" not in raised.value.hint
