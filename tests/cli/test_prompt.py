"""What becomes the prompt: words, standard input, both, or neither."""

from __future__ import annotations

import subprocess

import pytest

from fakes.fixtures import Fake
from fakes.scenarios import VERSE

ANSWER = "".join(VERSE)


def asked(fake: Fake) -> str:
    """Return the user's message of the last request."""
    text: str = fake.provider.body()["messages"][-1]["content"]
    return text


@pytest.mark.parametrize(
    ("words", "stdin", "prompt"),
    [
        (["Hello", "there"], "", "Hello there"),
        ([], "from a pipe\n", "from a pipe\n"),
        (["-"], "from a pipe", "from a pipe"),
        (["Explain:"], "the text\n", "Explain:\n\nthe text\n"),
        (["Say", "{stdin}", "twice"], "this\n", "Say this twice"),
        (["Hello"], " \n", "Hello"),
        (["--no-stdin", "Hello"], "left alone", "Hello"),
        (["--", "-m", "models"], "", "-m models"),
        (["--", "models"], "", "models"),
        (["prompt", "models"], "", "models"),
        (["Hello", "-m", "fake/m2", "there"], "", "Hello there"),
        (["été", "🥤"], "", "été 🥤"),
        ([], "\ufeffwithout its mark", "without its mark"),
    ],
)
def test_words_and_standard_input_make_the_prompt(
    fake: Fake, words: list[str], stdin: str, prompt: str
) -> None:
    run = fake("ok")(*words, stdin=stdin)
    assert (run.status, run.out, run.err) == (0, f"{ANSWER}\n", "")
    assert asked(fake) == prompt


def test_a_locale_without_utf8_changes_nothing(fake: Fake) -> None:
    run = fake("ok")(
        "été 🥤", env={"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    )
    assert (run.status, run.out) == (0, f"{ANSWER}\n")
    assert asked(fake) == "été 🥤"


def test_fifty_megabytes_of_standard_input_arrive_whole(fake: Fake) -> None:
    text = "0123456789abcdé" * (50 << 16)
    assert fake("ok")(stdin=text).status == 0
    assert asked(fake) == text


@pytest.mark.parametrize("stdin", ["", "\n \n"])
def test_an_empty_prompt_is_a_usage_error(fake: Fake, stdin: str) -> None:
    run = fake("ok")(stdin=stdin)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("llmstream: the prompt is empty")
    assert fake.provider.log() == []


@pytest.mark.parametrize(
    ("stdin", "said"),
    [(b"\xff\x00\x01", "not UTF-8 text: it is binary (byte 0xff at offset 0)"), (b"a\0b", "binary")],
)
def test_standard_input_that_is_no_text_is_refused(fake: Fake, stdin: bytes, said: str) -> None:
    run = fake("ok")(stdin=stdin)
    assert run.status == 2 and said in run.err


def test_a_silent_pipe_brings_a_hint_after_three_seconds(fake: Fake) -> None:
    process = fake("ok").start("Hello", stdin=subprocess.PIPE)
    assert process.stderr and process.stdin
    assert b"waiting for standard input" in process.stderr.readline()
    process.stdin.write(b"at last")
    process.stdin.close()
    assert process.wait(30) == 0
    assert asked(fake) == "Hello\n\nat last"


def test_no_stdin_waits_for_nothing(fake: Fake) -> None:
    process = fake("ok").start("--no-stdin", "Hello", stdin=subprocess.PIPE)
    assert process.wait(30) == 0


def test_a_terminal_is_read_to_its_end_after_a_hint(fake: Fake) -> None:
    terminal = fake("ok").on_terminal()
    terminal.wait_for("Ctrl-D")
    terminal.type("typed in\n\x04")
    run = terminal.finish()
    assert run.status == 0 and "Bubbles" in run.out
    assert asked(fake) == "typed in\n"


def test_words_on_a_terminal_do_not_wait_for_it(fake: Fake) -> None:
    run = fake("ok").on_terminal("Hello").finish()
    assert run.status == 0
    assert asked(fake) == "Hello"


def test_a_system_prompt_goes_before_the_users(fake: Fake) -> None:
    assert fake("ok")("-s", "Be brief.", "Hello").status == 0
    assert fake.provider.body()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


def test_files_go_in_under_their_names(fake: Fake) -> None:
    fake.home.folder.joinpath("notes.txt").write_text("a line\n```\ncode\n```\n")
    assert fake("ok")("-f", "notes.txt", "Sum up").status == 0
    assert asked(fake) == "notes.txt:\n````\na line\n```\ncode\n```\n````\n\nSum up"


@pytest.mark.parametrize("option", ["--file", "--attach"])
def test_a_file_that_is_not_there_is_a_usage_error(fake: Fake, option: str) -> None:
    run = fake("ok")(option, "missing.txt", "Hello")
    assert run.status == 2
    assert "can't read missing.txt: No such file" in run.err


def test_an_image_is_known_by_its_content(fake: Fake) -> None:
    fake.home.folder.joinpath("picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n0000")
    assert fake("ok")("-a", "picture.txt", "What is this?").status == 0
    parts = fake.provider.body()["messages"][-1]["content"]
    assert any("data:image/png;base64," in str(part) for part in parts)
