"""llama.cpp's own server with the embedded model: four dialects, one text."""

from __future__ import annotations

from e2e.ways import DIALECTS, WAYS
from fakes.command import Command, Home

CHATS = [dialect for dialect in DIALECTS if dialect != "openai-completions"]
PROMPT = "Name three colours of the sky."
GREEDY = ("--temperature", "0", "--max-tokens", "6")


def texts(run_llmstream: Command, dialects: list[str]) -> set[str]:
    """Return the texts that come from some dialects: streamed or whole, on both engines."""
    found = set()
    for dialect in dialects:
        for engine in WAYS:
            for how in ((), ("--no-stream",)):
                run = run_llmstream("-m", f"http-{dialect}", f"--{engine}", *how, *GREEDY, PROMPT)
                assert run.status == 0, run.err
                found.add(run.out)
    return found


def test_chat_responses_and_messages_tell_one_text(embedded: Home, run_llmstream: Command) -> None:
    [text] = texts(run_llmstream, CHATS)
    assert len(text.split()) > 2


def test_completions_tell_one_text_however_they_are_asked(embedded: Home, run_llmstream: Command) -> None:
    [text] = texts(run_llmstream, ["openai-completions"])
    assert text.strip()
