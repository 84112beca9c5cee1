"""What the catalogue knows of a model: options that suit it, and what can't be sent to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmstream.config.settings import Overrides, Settings
from llmstream.errors import RequestRefused
from llmstream.local.settings import LocalSettings
from llmstream.prompt import Attachment, Message, Options, Prompt
from llmstream.record import replace
from llmstream.runnable.calls import batches, options_of
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target

PICTURE = Prompt((Message("user", "what is it?", (Attachment("image/png", b"PNG", name="a.png"),)),))


def target(tmp_path: Path, text: str = "", spec: str = "local", **options: object) -> Target:
    """Return what a model's name stands for, with a file of that text."""
    file = tmp_path / "config.toml"
    file.write_text(text, "utf-8")
    overrides = Overrides(options=Options(**options)) if options else None  # type: ignore[arg-type]  # by name
    return Settings.load(file, {"HOME": str(tmp_path)}).target(spec, overrides)


def asked(one: Target, options: Options | None = None) -> dict[str, object]:
    """Return the options that go into a request."""
    made = options_of(Plan((one,), PICTURE, options or Options()), one)
    return {**made.given(), **made.extra}


@pytest.mark.parametrize("spec", ["local", "local/smollm2", "local-completions"])
def test_the_embedded_model_has_options_that_suit_it(spec: str, tmp_path: Path) -> None:
    sampling = {"temperature": 0.4, "repeat_penalty": 1.1}
    assert asked(target(tmp_path, spec=spec)) == {**sampling, "max_tokens": 512}


def test_whatever_the_user_says_beats_them(tmp_path: Path) -> None:
    in_file = target(tmp_path, "[providers.local]\noptions = { temperature = 0.9 }\n")
    assert asked(in_file)["temperature"] == 0.9
    flag = asked(in_file, Options(temperature=0, extra={"repeat_penalty": 1.0}))
    assert (flag["temperature"], flag["repeat_penalty"]) == (0, 1.0)


def test_another_file_keeps_its_own_settings(tmp_path: Path) -> None:
    assert asked(target(tmp_path, spec="local/other")) == {"max_tokens": 512}


def test_they_are_no_part_of_what_the_user_asked_for(tmp_path: Path) -> None:
    assert target(tmp_path).options == Options()


def test_what_a_model_cannot_take_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    one = target(tmp_path)
    one = replace(one, local=LocalSettings(tmp_path / "none"))
    with pytest.raises(RequestRefused, match=r"local/smollm2 can't read images: a\.png") as caught:
        list(batches(Plan((one,), PICTURE)))
    assert not caught.value.retryable
    assert not (tmp_path / "none").exists()


def test_of_a_provider_with_models_that_take_them_nothing_is_refused(tmp_path: Path) -> None:
    made = '[providers.mine]\nadapter = "openai-chat"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = ""\nmodel = "m"\n'
    assert target(tmp_path, made, "mine").takes is None
    assert target(tmp_path, spec="ollama/llava").takes is None
