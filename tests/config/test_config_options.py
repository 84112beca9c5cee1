"""Model options by name, from the command line and from the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.config.option_text import parse_option
from llmstream.errors import UsageError
from llmstream.prompt import Json


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("temperature=0", "temperature", 0),
        ("temperature=0.5", "temperature", 0.5),
        ("max_tokens = 512", "max_tokens", 512),
        ('stop=["a", "b"]', "stop", ["a", "b"]),
        ("stop=END", "stop", "END"),
        ("stop=1", "stop", "1"),
        ('stop="\\n"', "stop", "\n"),
        ("reasoning_effort=high", "reasoning_effort", "high"),
        ("logit_bias={ 50256 = -100 }", "logit_bias", {"50256": -100}),
        ("user=someone else", "user", "someone else"),
        ("note=", "note", ""),
        ("note=a=b", "note", "a=b"),
        ("flag=true", "flag", True),
        ("when=1979-05-27", "when", "1979-05-27"),
        ("n=inf", "n", "inf"),
        ("x=1\ny = 2", "x", "1\ny = 2"),
        ('tools=[{"type": "function", "strict": true}]', "tools", [{"type": "function", "strict": True}]),
        ('logit_bias={\n"50256": -100}', "logit_bias", {"50256": -100}),
        ("grammar={ root", "grammar", "{ root"),
    ],
)
def test_a_value_is_read_as_toml_and_else_taken_as_text(text: str, name: str, value: Json) -> None:
    assert parse_option(text) == (name, value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("temprature=0", "temperature"),
        ("max-token=1", "max_tokens"),
        ("topp=1", "top_p"),
        ("stopp=x", "stop"),
    ],
)
def test_a_misspelt_name_gets_the_right_one(text: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f'did you mean "{meant}"'):
        parse_option(text)


# of the request bodies of OpenAI, OpenRouter, vLLM, llama.cpp, Together, Groq and Ollama
REAL = """
    best_of bad_words cache_prompt dry_multiplier echo enable_thinking grammar guided_json
    ignore_eos include_reasoning json_schema length_penalty logit_bias logprobs
    max_completion_tokens metadata min_p min_tokens mirostat modalities models n n_predict n_probs
    num_ctx num_predict parallel_tool_calls prediction prompt_cache_key provider reasoning
    reasoning_budget reasoning_format reasoning_split repeat_last_n repeat_penalty
    repetition_penalty response_format route safe_prompt service_tier skip_special_tokens store
    stream_options thinking think top_a top_logprobs transforms typical_p user verbosity
    web_search_options
"""


@pytest.mark.parametrize("name", REAL.split())
def test_names_that_providers_really_have_pass(name: str) -> None:
    assert parse_option(f"{name}=1")[0] == name


REFUSED = """
    temperature =1 temperature=hot temperature=-1 max_tokens=0 max_tokens=1.5 top_p=2 top_p=true stop= stop=[]
    stop=[1] seed=x
"""


@pytest.mark.parametrize("text", REFUSED.split())
def test_what_no_model_can_take_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_option(text)


@given(st.text())
def test_any_text_is_an_option_or_a_usage_error(text: str) -> None:
    try:
        name, _ = parse_option(text)
    except UsageError:
        return
    assert name == text.partition("=")[0].strip()
