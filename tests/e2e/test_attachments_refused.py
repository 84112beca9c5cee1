"""An attachment that a model is known not to take is refused before anything is sent or loaded."""

from __future__ import annotations

from fakes.command import Command
from fakes.fixtures import Fake
from fakes.scenarios import VERSE

PNG = b"\x89PNG\r\n\x1a\n0000"


def test_the_embedded_model_is_not_even_fetched_for_a_picture(run_llmstream: Command) -> None:
    run_llmstream.home.folder.joinpath("photo.png").write_bytes(PNG)
    done = run_llmstream("-m", "local", "-a", "photo.png", "what is this?", env={"GROQ_API_KEY": "k"})
    assert done.status == 5
    assert done.err.startswith("llmstream: local/smollm2 takes no image/png: photo.png")
    assert "-m groq" in done.err and "fetching" not in done.err


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
