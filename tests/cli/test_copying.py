"""--copy: the clipboard's tools, the terminal itself, and what is said when neither works."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from fakes.desk import at_screen
from fakes.fixtures import Fake
from fakes.scenarios import VERSE
from fakes.screen import on_screen

ANSWER = "".join(VERSE)


def tool(fake: Fake, name: str, script: str) -> dict[str, str]:
    """Put a clipboard tool into a folder of tools, and return variables that name no other folder."""
    folder = fake.home.folder / "tools"
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    file.chmod(0o700)
    return {"PATH": str(folder)}


def copied(fake: Fake) -> str:
    """Return what a tool was given."""
    return fake.home.folder.joinpath("copied").read_text("utf-8")


TAKE = '/bin/cat > "$HOME/copied"'


def test_the_tool_whose_display_is_there_is_asked_first(fake: Fake) -> None:
    tool(fake, "wl-copy", "exit 9")
    variables = {**tool(fake, "xclip", TAKE), "DISPLAY": ":0"}
    run = fake("ok")("--copy", "hello", env=variables)
    assert (run.status, run.out, run.err) == (0, f"{ANSWER}\n", "")
    assert copied(fake) == ANSWER


def test_a_tool_that_fails_gives_way_to_the_next_one(fake: Fake) -> None:
    tool(fake, "wl-copy", "exit 9")
    run = fake("ok")("--copy", "hello", env=tool(fake, "pbcopy", TAKE))
    assert run.err == ""
    assert copied(fake) == ANSWER


def test_tools_that_all_fail_are_told_and_the_run_has_succeeded(fake: Fake) -> None:
    tool(fake, "wl-copy", "exit 9")
    variables = tool(fake, "pbcopy", "")
    Path(variables["PATH"], "pbcopy").write_text("#!/no/such/shell\n", "utf-8")
    run = fake("ok")("--copy", "hello", env=variables)
    assert (run.status, run.out) == (0, f"{ANSWER}\n")
    assert "warning" in run.err
    assert "wl-copy" in run.err
    assert "9" in run.err
    assert "pbcopy" in run.err
    quiet = fake.command("--copy", "-q", "hello", env=variables)
    assert (quiet.status, quiet.err) == (0, "")


def test_a_tool_that_hangs_holds_nobody_up(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    import llmstream.cli.running.clipboard as clipboard

    monkeypatch.setattr(clipboard, "PATIENCE", 0.1)
    run = fake("ok")("--copy", "hello", env=tool(fake, "pbcopy", "exec /bin/sleep 60"))
    assert run.status == 0
    assert "pbcopy" in run.err


def test_a_terminal_is_sent_the_answer_itself(fake: Fake) -> None:
    fake("ok")
    run = on_screen(fake.command, "--copy", "--no-md", "hello", env={"PATH": str(fake.home.folder)})
    assert f"\x1b]52;c;{b64encode(ANSWER.encode()).decode()}\x1b\\" in run.out


def test_an_answer_that_failed_or_is_empty_is_not_copied(fake: Fake) -> None:
    variables = tool(fake, "pbcopy", TAKE)
    fake("cut")("--copy", "--retries", "0", "hello", env=variables)
    fake("empty")("--copy", "hello", env=variables)
    assert not fake.home.folder.joinpath("copied").exists()


def test_an_answer_that_is_too_long_for_a_terminal_or_goes_into_a_pipe_needs_a_tool(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    import llmstream.cli.running.clipboard as clipboard

    fake("ok")
    none = {"PATH": str(fake.home.folder)}
    run = at_screen(fake.command, "--copy", "hello", typed="", env=none, out=False)
    assert run.out == f"{ANSWER}\n"
    assert "\x1b]52;c;" in run.err
    monkeypatch.setattr(clipboard, "LONGEST", 8)
    run = at_screen(fake.command, "--copy", "--no-md", "hello", typed="", env=none)
    assert "\x1b]52;c;" not in run.out
    assert "clipboard tool" in run.out
