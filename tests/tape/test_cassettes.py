"""Cassettes of VCR as different writers make them: which call in them is played, and what can't be."""

from __future__ import annotations

import base64
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from tape.served import Outcome, asked, chat, outcome, replayed

CHAT = "https://api.openai.com/v1/chat/completions"
ANSWER = chat("whole ", "answer")


def interaction(
    uri: str = CHAT, body: Any = "{}", status: Any = 200, answer: Any = ANSWER, headers: Any = None
) -> Any:
    """Return one call as vcrpy writes it."""
    held = {"string": answer.decode("latin-1")} if isinstance(answer, bytes) else answer
    return {
        "request": {"method": "POST", "uri": uri, "body": body},
        "response": {"status": {"code": status}, "headers": headers or {}, "body": held},
    }


def played(folder: Path, *interactions: Any, name: str = "http_interactions") -> Outcome:
    """Play a cassette in JSON."""
    file = folder / "cassette.json"
    file.write_text(json.dumps({name: list(interactions)}))
    return outcome(asked(replayed(file)))


def text(found: Outcome) -> str:
    assert found.error is None, found.error
    return "".join(getattr(event, "text", "") for event in found.events)


def test_requests_to_anybody_else_are_passed_over(tmp_path: Path) -> None:
    others = [interaction("https://login.example/token"), interaction("https://api.openai.com/v1/models")]
    assert text(played(tmp_path, *others, interaction())) == "whole answer"


def test_a_refusal_before_the_answer_is_its_first_attempt(tmp_path: Path) -> None:
    busy = interaction(status=503, answer=b"busy", headers={"retry-after": ["0"]})
    elsewhere = interaction(CHAT.replace("openai", "another"), answer=chat("another's"))
    found = played(tmp_path, busy, elsewhere, interaction())
    assert text(found) == "whole answer"
    assert [type(event).__name__ for event in found.events].count("Retry") == 1


def test_only_refusals_are_played_as_such(tmp_path: Path) -> None:
    found = played(tmp_path, interaction(status=401, answer=b'{"error": {"message": "wrong key"}}'))
    assert found.error and found.error["status"] == 401 and "wrong key" in str(found.error["message"])


@pytest.mark.parametrize("answer", [{"base64_string": base64.b64encode(ANSWER).decode()}, ANSWER.decode()])
def test_a_body_may_be_base64_or_a_plain_text(tmp_path: Path, answer: Any) -> None:
    assert text(played(tmp_path, interaction(answer=answer), name="interactions")) == "whole answer"


@pytest.mark.parametrize(
    ("uri", "body", "model"),
    [
        (CHAT, '{"model": "gpt"}', "gpt"),
        (CHAT, "no JSON", ""),
        (CHAT, "[1]", ""),
        (CHAT, None, ""),
        ("https://h/openai/models/gemini-2%2E0:x/chat/completions", None, "gemini-2.0"),
    ],
)
def test_the_model_is_the_requests_or_the_addresss(tmp_path: Path, uri: str, body: Any, model: str) -> None:
    found = played(tmp_path, interaction(uri, body))
    assert text(found) == "whole answer"
    assert next(event for event in found.events if hasattr(event, "model")).model == model


def test_a_body_is_unpacked_once_and_one_that_is_damaged_is_an_error(tmp_path: Path) -> None:
    packed = {"base64_string": base64.b64encode(zlib.compress(ANSWER)).decode()}
    assert (
        text(played(tmp_path, interaction(answer=packed, headers={"Content-Encoding": "deflate"})))
        == "whole answer"
    )
    # the writer unpacked it, and left the header
    assert text(played(tmp_path, interaction(headers={"Content-Encoding": ["gzip"]}))) == "whole answer"
    damaged = {"base64_string": base64.b64encode(b"\x1f\x8b\x08\x20" + b"\xff" * 40).decode()}
    found = played(tmp_path, interaction(answer=damaged, headers={"Content-Encoding": "gzip"}))
    assert found.error is not None and found.events[1:] == []


@pytest.mark.parametrize(
    "wrong",
    [
        interaction(status=True), interaction(status="200"), interaction("https://h/other"), 5,
        {"request": {"uri": CHAT}}, {"request": {"uri": CHAT}, "response": {}},
        {"request": 5, "response": {}}, {"request": {"uri": CHAT}, "response": []}, interaction(headers=["a"]),
    ],
)  # fmt: skip
def test_what_holds_no_call_is_refused(tmp_path: Path, wrong: Any) -> None:
    found = played(tmp_path, wrong)
    assert found.error and found.error["type"] == "BadMessage" and "cassette.json" in str(found.error)


def test_a_cassette_in_yaml_wants_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    file = tmp_path / "cassette.yaml"
    file.write_text("interactions: []\n")
    found = outcome(asked(replayed(file)))
    assert found.error and found.error["type"] == "MissingExtra"
    assert "llmstream-cli[vcr]" in str(found.error["hint"])
