"""What lists of models tell beside names, in the forms that providers have for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.config.lists.details import Details, details_of

ROUTER = {
    "id": "a/b",
    "context_length": 8192,
    "architecture": {"input_modalities": ["text", "image", "file"]},
    "supported_parameters": ["temperature", "tools"],
}
MISTRAL = {
    "id": "a/b",
    "max_context_length": 8192,
    "capabilities": {"vision": True, "function_calling": True, "fine_tuning": False},
}
GEMINI = {"name": "models/a/b", "inputTokenLimit": 8192, "thinking": True}
ANTHROPIC = {"id": "a/b", "max_input_tokens": 8192, "capabilities": {"pdf_input": {"supported": True}}}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"data": [ROUTER]}, Details(8192, ("image", "pdf"), ("temperature", "tools"))),
        ({"data": [MISTRAL]}, Details(8192, ("image",), ("tools",))),
        ({"models": [GEMINI]}, Details(8192, (), ("reasoning",))),
        ({"data": [ANTHROPIC]}, Details(8192, ("pdf",), ())),
        ([{"id": "a/b"}], Details()),
        ({"data": [{"id": "a/b", "context_length": "8192", "input_modalities": "text"}]}, Details()),
        ({"data": [{"id": "other", "context_length": 1}]}, Details()),
        (None, Details()),
    ],
    ids=["openrouter", "mistral", "gemini", "anthropic", "names alone", "wrong types", "another", "nothing"],
)
def test_what_a_list_tells_is_found_and_nothing_is_guessed(document: object, told: Details) -> None:
    assert details_of(document, ["a/b"]) == {"a/b": told}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "capabilities", "vision", "input_modalities", "data"]), inner
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_document_is_read_without_a_failure(document: object) -> None:
    assert set(details_of(document, ["a"])) == {"a"}
