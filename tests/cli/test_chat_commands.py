"""A chat's commands, typed at a terminal: each one is answered, and none ends the chat."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from fakes.command import Run
from fakes.desk import at_desk
from fakes.fixtures import Fake
from fakes.scenarios import VERSE
from llmstream.cli.chat.slash import NAMES

ANSWER = "".join(VERSE)


def chat(fake: Fake, *lines: str, options: tuple[str, ...] = (), **env: str) -> Run:
    """Type lines into a chat, each ended with Enter, and leave it with Ctrl-D."""
    typed = "".join(f"{line}\n" for line in lines)
    return at_desk(fake.command, "chat", *options, typed=typed, env={"TERM": "dumb", **env})


def asked(fake: Fake) -> list[list[tuple[str, Any]]]:
    """Return the messages of each request."""
    return [
        [(one["role"], one["content"]) for one in request["body"]["messages"]]
        for request in fake.provider.log()
    ]


def test_each_turn_is_sent_with_those_before_until_ctrl_d_leaves(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "one", "", "two")
    assert (run.status, run.out) == (0, f"{ANSWER}\n" * 2)
    assert asked(fake) == [[("user", "one")], [("user", "one"), ("assistant", ANSWER), ("user", "two")]]
    assert run.err.endswith("> \n")


def test_help_lists_all_commands_and_a_wrong_one_is_told_its_neighbour(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "/help", "/hlep", "/exit", "never sent")
    assert run.status == 0
    assert all(f"\n  {name} " in run.err.replace("> ", "\n") for name in NAMES)
    assert 'unknown command "/hlep"; did you mean "/help"?' in run.err
    assert asked(fake) == []


@pytest.mark.parametrize("leave", ["/exit", "/quit"])
def test_both_words_leave(fake: Fake, leave: str) -> None:
    fake("ok")
    assert chat(fake, leave, "never sent").status == 0
    assert asked(fake) == []


def test_a_second_slash_sends_the_line_and_a_backslash_goes_on_with_the_next_one(fake: Fake) -> None:
    fake("ok")
    chat(fake, "//etc/hosts\\", "is what?", "and\\")
    assert [turns[-1] for turns in asked(fake)] == [("user", "/etc/hosts\nis what?"), ("user", "and")]


def test_another_model_is_asked_from_now_on_and_a_wrong_one_changes_nothing(fake: Fake) -> None:
    fake("ok")
    keyless = '[providers.bare]\nadapter = "openai-chat"\nbase_url = "http://127.0.0.1:9"\nmodel = "x"\n'
    locked = f'{keyless}api_key_env = "NOBODY_SET_THIS"\n'
    fake.home.write(fake.home.config.read_text("utf-8") + locked)
    run = chat(fake, "/model", "/model fake/m2", "one", "/model nobody/m", "/model bare/x", "/model", "two")
    assert run.status == 0
    assert [request["body"]["model"] for request in fake.provider.log()] == ["m2", "m2"]
    assert run.err.index("fake/m1") < run.err.index("fake/m2") < run.err.index("nobody")
    assert run.err.rindex("NOBODY_SET_THIS") < run.err.rindex("fake/m2")


def test_a_system_prompt_is_shown_set_and_removed(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "/system", "/system be brief", "one", "/system", "/system -", "two")
    assert [turns[0] for turns in asked(fake)] == [("system", "be brief"), ("user", "one")]
    assert run.err.count("be brief") == 2
    assert run.err.count("no system prompt") == 2


def test_files_go_with_the_next_turn_alone(fake: Fake) -> None:
    fake("ok")
    fake.home.folder.joinpath("notes.txt").write_text("remember", "utf-8")
    fake.home.folder.joinpath("dot.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    run = chat(
        fake, "/file", "/file nowhere.txt", "/file notes.txt", "look", "/attach", "/attach dot.png", ""
    )
    first, second = (turns[-1][1] for turns in asked(fake))
    assert "remember" in first
    assert first.endswith("look")
    assert [part["type"] for part in second] == ["image_url"]
    assert "nowhere.txt" in run.err
    assert "/file PATH" in run.err and "/attach PATH" in run.err


def test_a_turn_taken_back_is_sent_no_more_nor_by_the_next_run(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "/undo", "one", "two", "/undo", "three")
    assert "nothing to" in run.err
    assert '"two"' in run.err
    before = [("user", "one"), ("assistant", ANSWER)]
    assert asked(fake)[-1] == [*before, ("user", "three")]
    fake.command("-c", "four")
    assert asked(fake)[-1] == [*before, ("user", "three"), ("assistant", ANSWER), ("user", "four")]


def test_a_turn_is_asked_again_in_its_place(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "/retry", "one", "/retry")
    assert asked(fake) == [[("user", "one")]] * 2
    assert run.out == f"{ANSWER}\n" * 2
    assert run.err.count("nothing to") == 1


def test_a_turn_that_failed_is_not_sent_along_but_can_be_asked_again(fake: Fake) -> None:
    fake("401")
    run = chat(fake, "one", "/retry", "/undo", "two")
    assert asked(fake) == [[("user", "one")], [("user", "one")], [("user", "two")]]
    assert (run.status, run.out) == (0, "")
    assert run.err.count("Incorrect API key") == 3


def test_the_editors_text_is_the_turn_and_an_editor_that_fails_ends_nothing(fake: Fake) -> None:
    fake("ok")
    script = fake.home.folder / "editor"
    script.write_text('#!/bin/sh\ngrep -q bad "$1" && exit 3\necho " and more" >> "$1"\n', "utf-8")
    script.chmod(0o700)
    run = chat(fake, "/edit bad", "/edit good", EDITOR=str(script))
    assert asked(fake) == [[("user", "good and more")]]
    assert "status 3" in run.err
    assert run.status == 0


def test_the_last_answer_is_copied_with_a_tool_where_there_is_one(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "/copy", "one", "/copy", PATH=str(fake.home.folder))
    assert run.err.index("no answer") < run.err.index("no clipboard tool")
    tool = fake.home.folder / "pbcopy"
    tool.write_text('#!/bin/sh\n/bin/cat > "$HOME/copied"\n', "utf-8")
    tool.chmod(0o700)
    run = chat(fake, "one", "/copy", PATH=str(fake.home.folder))
    assert "copied" in run.err
    assert fake.home.folder.joinpath("copied").read_text("utf-8") == ANSWER


def test_a_conversation_is_saved_once_and_brought_up_to_date(fake: Fake) -> None:
    fake("ok")
    fake.home.folder.joinpath("mine.md").write_text("mine", "utf-8")
    lines = ["/system be brief", "one", "/save out.md", "/system -", "two", "/save out.md"]
    run = chat(fake, *lines, "/save mine.md", "/save no/where.md", "/save")
    said = ["# You\n\none\n", f"# Model\n\n{ANSWER}\n", "# You\n\ntwo\n", f"# Model\n\n{ANSWER}\n"]
    saved = fake.home.folder / "out.md"
    assert saved.read_text("utf-8") == "\n".join(said)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert fake.home.folder.joinpath("mine.md").read_text("utf-8") == "mine"
    assert "mine.md already exists" in run.err
    assert "no/where.md: No such file" in run.err
    assert run.err.count("out.md") == 2
    chat(fake, "/system be brief", "/save asked.md")
    assert fake.home.folder.joinpath("asked.md").read_text("utf-8") == "# System\n\nbe brief\n"


def test_figures_are_of_the_last_answer_and_of_the_chat(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "/stats", "one", "two", "/undo", "/stats")
    first, last = (line for line in run.err.splitlines() if "this chat: " in line)
    assert "0 answers, 0 tokens in, 0 tokens out" in first
    assert "2 answers, 10 tokens in, 18 tokens out" in last
    assert "1 turn " in last
    assert run.err.count("TTFT") == 1


def test_figures_of_a_turn_that_failed_say_so(fake: Fake) -> None:
    fake("401")
    assert "finish error" in chat(fake, "one", "/stats").err


def test_a_new_conversation_knows_nothing_of_the_old_one(fake: Fake) -> None:
    fake("ok")
    chat(fake, "one", "/clear", "/undo", "two")
    assert asked(fake)[-1] == [("user", "two")]
    fake.command("-c", "three")
    assert asked(fake)[-1] == [("user", "two"), ("assistant", ANSWER), ("user", "three")]
    runs = [json.loads(line) for line in fake.command("history", "export").out.splitlines()]
    assert len({one["conversation"] for one in runs}) == 2


def test_a_chat_goes_on_with_the_last_conversation_model_and_system_prompt(fake: Fake) -> None:
    fake("ok")("-m", "fake/m2", "-s", "be brief", "one")
    run = chat(fake, "two", options=("-c",))
    before = [("system", "be brief"), ("user", "one"), ("assistant", ANSWER)]
    assert asked(fake)[-1] == [*before, ("user", "two")]
    assert fake.provider.body()["model"] == "m2"
    assert '"one"' in run.err
    chat(fake, "three", options=("--session", "blue"))
    chat(fake, "four", options=("--session", "blue"))
    assert asked(fake)[-1] == [("user", "three"), ("assistant", ANSWER), ("user", "four")]
    assert chat(fake, "five", options=("-c", "--session", "blue")).status == 2


def test_a_conversation_that_is_too_long_is_told_what_to_do(fake: Fake) -> None:
    fake("ok")("one")
    fake("context")
    run = chat(fake, "two", options=("-c",))
    assert "1 earlier turn" in run.err
    assert run.status == 0


def test_a_chat_that_keeps_nothing_forgets_what_was_taken_back(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "one", "/undo", "/undo", options=("--no-history",))
    assert '"one"' in run.err
    assert not Path(fake.command("history", "path").out.strip()).exists()


def test_a_history_that_breaks_during_a_chat_costs_warnings_only(fake: Fake) -> None:
    fake("ok")
    path = Path(fake.command("history", "path").out.strip())
    spoil = f"sh -c 'echo no database > {path}; echo two > $0'"
    run = chat(fake, "one", "/edit", "/undo", "/undo", EDITOR=spoil)
    assert (run.status, run.out) == (0, f"{ANSWER}\n" * 2)
    assert run.err.count("warning: ") == 2
    assert run.err.index('"two"') < run.err.rindex("warning: ") < run.err.index('"one"')


def test_a_history_that_was_removed_during_a_chat_is_not_missed(fake: Fake) -> None:
    fake("ok")
    path = Path(fake.command("history", "path").out.strip())
    spoil = f"sh -c 'rm {path}*; exit 1'"
    run = chat(fake, "one", "/edit", "/undo", EDITOR=spoil)
    assert '"one"' in run.err
    assert not path.exists()


def test_a_quiet_chat_says_nothing_but_errors(fake: Fake) -> None:
    fake("ok")
    run = chat(fake, "one", "/undo", "/model nobody/m", options=("-q",))
    assert run.out == f"{ANSWER}\n"
    assert run.err.startswith("> > > llmstream: ")
