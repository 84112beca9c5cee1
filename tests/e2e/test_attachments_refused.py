"""An attachment that a model is known not to take is refused before anything is sent or loaded."""

from __future__ import annotations

import pytest

from fakes.command import Command
from fakes.fixtures import Fake
from fakes.scenarios import VERSE

PNG = b"\x89PNG\r\n\x1a\n0000"


def test_the_embedded_model_is_not_even_fetched_for_a_picture(run_llmstream: Command) -> None:
    run_llmstream.home.folder.joinpath("photo.png").write_bytes(PNG)
    keys = {"GROQ_API_KEY": "k", "MISTRAL_API_KEY": "k"}
    done = run_llmstream("-m", "local", "-a", "photo.png", "what is this?", env=keys)
    assert done.status == 5
    assert done.err.startswith("llmstream: local/smollm2 can't read images: photo.png was not sent")
    # Groq has models that see; the one it is asked for by default has no eyes
    assert "-m mistral" in done.err and "groq" not in done.err and "downloading" not in done.err


@pytest.mark.parametrize(
    ("name", "content", "named", "unnamed"),
    [
        ("song.mp3", b"ID3\x04\0\0\0\0\0\0", "-m gemini", "-m anthropic"),
        ("paper.pdf", b"%PDF-1.7\n", "-m anthropic, -m gemini", "-m mistral"),
        ("photo.png", PNG, "-m anthropic, -m gemini, -m mistral", "-m local"),
    ],
)
def test_who_is_named_can_take_that_very_kind(
    run_llmstream: Command, name: str, content: bytes, named: str, unnamed: str
) -> None:
    run_llmstream.home.folder.joinpath(name).write_bytes(content)
    keys = {"ANTHROPIC_API_KEY": "k", "GEMINI_API_KEY": "k", "MISTRAL_API_KEY": "k"}
    done = run_llmstream("-m", "local", "-a", name, "what is this?", env=keys)
    assert done.status == 5 and named in done.err and unnamed not in done.err


def test_a_model_that_the_user_configured_is_named(run_llmstream: Command) -> None:
    run_llmstream.home.folder.joinpath("photo.png").write_bytes(PNG)
    run_llmstream.home.write('[providers.seeing]\npreset = "ollama"\nmodel = "qwen3-vl"\n')
    done = run_llmstream("-m", "local", "-a", "photo.png", "what is this?")
    assert done.status == 5 and "-m seeing" in done.err


def test_without_any_key_the_catalogues_providers_are_named(run_llmstream: Command) -> None:
    run_llmstream.home.folder.joinpath("song.mp3").write_bytes(b"ID3\x04\0\0\0\0\0\0")
    done = run_llmstream("-m", "local", "-a", "song.mp3", "what is this?")
    assert done.status == 5 and "default model reads audio: gemini" in done.err
    assert "llmstream keys set gemini" in done.err


def test_a_fallback_that_takes_it_is_asked(fake: Fake) -> None:
    fake.home.folder.joinpath("photo.png").write_bytes(PNG)
    run = fake("ok")
    done = run("-m", "deepseek", "--fallback", "fake", "-a", "photo.png", "hi", env={"DEEPSEEK_API_KEY": "k"})
    assert (done.status, done.out) == (0, "".join(VERSE) + "\n")


def test_a_server_behind_another_address_is_asked(fake: Fake) -> None:
    fake.home.folder.joinpath("photo.png").write_bytes(PNG)
    fake.home.write(f'[providers.deepseek]\nbase_url = "{fake.provider.base_url()}"\n')
    done = fake.command("-m", "deepseek", "-a", "photo.png", "hi", env={"DEEPSEEK_API_KEY": "k"})
    assert done.status == 0
