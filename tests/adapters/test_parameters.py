"""One list of sampling parameters: whatever is on it is sent or spoken of, and nothing is half there."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmstream.adapters.quirks import Quirk
from llmstream.adapters.registry import ADAPTERS, adapter
from llmstream.cli.parsing.table import OPTIONS
from llmstream.config.file.schema import config_schema
from llmstream.errors import UsageError
from llmstream.prompt import PARAMETERS, Endpoint, Json, Message, Options, Prompt
from llmstream.record import names, replace
from llmstream.runnable.options import STRUCTURED, option_complaint, options_from
from llmstream.testing import EXAMPLES, TOOL

PROMPT = Prompt((Message("user", "hi"),))
ENDPOINT = Endpoint("acme", "model-1", "https://acme.test/v1")
TYPES = {
    "number": "float | None",
    "whole": "int | None",
    "texts": "tuple[str, ...] | None",
    "text": "str | None",
}
EACH = {name: EXAMPLES[TYPES[parameter.kind]] for name, parameter in PARAMETERS.items()}
FULL = replace(options_from(EACH), tools=(TOOL,), schema={"type": "object"})
"""All that a quirk could be about."""


def test_the_fields_of_options_are_the_list() -> None:
    assert names(Options()) == (*PARAMETERS, *STRUCTURED, "extra")


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_a_field_an_option_by_name_and_in_the_schema(name: str) -> None:
    parameter = PARAMETERS[name]
    kind = Options.__annotations__[name]
    assert kind == TYPES[parameter.kind]
    value = EXAMPLES[kind]
    assert option_complaint(name, value) is None
    assert option_complaint(name, {}) is not None, "any value passes"
    made = options_from({name: value})
    assert getattr(made, name) == value, "it isn't typed"
    assert not made.extra, "it goes into the request unread"
    with pytest.raises(UsageError, match="did you mean"):
        options_from({name[:-1] + name[-1] * 2: value})


def test_the_file_s_schema_has_every_parameter() -> None:
    found: dict[str, Json] = config_schema()
    for step in ("properties", "providers", "additionalProperties", "properties", "options", "properties"):
        inner = found[step]
        assert isinstance(inner, dict)
        found = inner
    assert list(found) == list(PARAMETERS)


def test_options_of_the_command_that_are_parameters_have_their_kind() -> None:
    kinds = {"float": "number", "int": "whole", "text": "texts"}
    rows = [row for row in OPTIONS if row.into == "options" and row.key not in ("option", "schema")]
    assert rows
    for row in rows:
        assert PARAMETERS[row.key].kind == kinds[row.kind]


def test_the_readme_lists_every_parameter() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert ", ".join(f"`{name}`" for name in PARAMETERS) in " ".join(readme.split())


@pytest.mark.parametrize("quirk", Quirk)
def test_a_quirk_changes_what_some_adapter_sends(quirk: Quirk) -> None:
    changed = []
    for name in ADAPTERS:
        one = adapter(name)
        known = replace(ENDPOINT, quirks=frozenset({quirk.value}))
        for stream in (True, False):
            before = one.request(PROMPT, FULL, ENDPOINT, stream=stream)
            changed.append(one.request(PROMPT, FULL, known, stream=stream) != before)
    assert any(changed), f"nothing reads the quirk {quirk.value}"
