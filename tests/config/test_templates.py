"""Templates: their files, their places, and what is wrong with them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.config import templates
from llmstream.config.templates import Template
from llmstream.config.toml_text import toml_lines, toml_value
from llmstream.errors import ConfigError, UsageError


def written(folder: Path, text: str, name: str = "t") -> Path:
    """Write a template's file and return the folder."""
    (folder / f"{name}.toml").write_text(text)
    return folder


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    made = Template(
        "t",
        system='Be "kind" to {who}.',
        prompt='Line one\n\tsays """quotes""" \\ and {{braces}}\r\n',
        model="p/m",
        options={"temperature": 0.5, "stop": ["a", "b"], "top_k": 3},
        schema={"type": "object", "properties": {"a": {"type": "string"}}},
        extract="last",
        params={"who": "you\nand me"},
    )
    path = templates.save(tmp_path / "templates", made)
    assert path.stat().st_mode & 0o777 == 0o600
    assert templates.load(tmp_path / "templates", "t") == made


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_from_its_toml(text: str) -> None:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for written_as in (toml_value, toml_lines):
        assert tomllib.loads(f"x = {written_as(text)}\n")["x"] == whole


def test_places_are_filled_once_and_other_braces_stay(tmp_path: Path) -> None:
    text = 'prompt = "{a}|{stdin}|{{x}}|{ a }|{}|{a b}"\nsystem = "{b}"\n[params]\nb = "kind"\nn = 4\n'
    template = templates.load(written(tmp_path, text), "t")
    assert template.places == ("a", "stdin", "b") and template.takes_stdin
    assert template.filled({"a": "{b} {{y}}", "stdin": "{a}"}) == ("{b} {{y}}|{a}|{x}|{ a }|{}|{a b}", "kind")
    assert template.params == {"b": "kind", "n": "4"}


def test_a_place_without_a_value_and_a_value_without_a_place_are_named(tmp_path: Path) -> None:
    template = templates.load(written(tmp_path, 'prompt = "{alpha} {beta} {stdin}"\n'), "t")
    with pytest.raises(UsageError, match=r"needs a value for \{beta\}, \{stdin\}"):
        template.filled({"alpha": "1"})
    with pytest.raises(UsageError, match='no parameter "alhpa"; did you mean "alpha"'):
        template.filled({"alhpa": "1"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('prompt = "x"\nsytem = "y"\n', '2:1: unknown key "sytem"; did you mean "system"?'),
        ('prompt = "x"\nsystem = "y\n', "t.toml:2:"),
        ('system = "ok"\nprompt = 7\n', "2:1: prompt must be text, not a number"),
        ('prompt = "x"\nparams = "y"\n', "2:1: params must be a table"),
        ('[params]\n"a b" = "y"\n', '2:1: "a b" is not a valid parameter name'),
        ('[options]\nmax_tokens = "x"\n', "2:1: option max_tokens"),
        ('extract = "second"\n', 'must be true, false or "last"'),
        ('prompt = " "\n', "1:1: prompt is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        templates.load(written(tmp_path, text), "t")
    assert said in raised.value.message
    assert templates.names(tmp_path) == ["t"]


@pytest.mark.parametrize("name", ["../t", "/etc/t", "..", ".", "a/b", "", ".hidden", "a\0b", "a\nb", "a\\b"])
def test_a_path_is_no_name(tmp_path: Path, name: str) -> None:
    written(tmp_path, 'prompt = "stolen"\n')
    inside = tmp_path / "templates"
    inside.mkdir()
    for act in (templates.load, templates.existing, templates.path_of):
        with pytest.raises(UsageError):
            act(inside, name)
    with pytest.raises(UsageError):
        templates.save(inside, Template(name, prompt="x"))


def test_an_unknown_template_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='unknown template "sumarise"; did you mean "summarise"'):
        templates.load(written(tmp_path, 'prompt = "x"\n', "summarise"), "sumarise")


@pytest.mark.parametrize("text", ["no-equals", "=x", "a b=c", ""])
def test_a_parameter_has_a_name_and_a_value(text: str) -> None:
    with pytest.raises(UsageError):
        templates.parameter(text)
    assert templates.parameter("a-1=x=y ") == ("a-1", "x=y ")


def test_nothing_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to save"):
        templates.save(tmp_path, Template("t"))
