"""What a recording holds of a call: the messages in all their forms, and none of the secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmstream.engine.policy import Policy
from llmstream.errors import UsageError
from llmstream.prompt import Attachment, Endpoint, Message, Options, Prompt, Secret, ToolCall
from llmstream.record import replace
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target
from llmstream.transport.http.common import Connection
from llmstream.transport.tape.entries import error, http_request
from llmstream.transport.tape.reader import calls_of
from llmstream.transport.tape.redaction import Redactor, secrets_of
from llmstream.transport.tape.writer import Recording
from tape.served import Reply, Server, asked, chat, outcome, replayed, target

HIDDEN = {
    "address": "pass/word-of-the-address",
    "query": "key-in-the-query-0123",
    "header": "header-secret-0123",
    "field": "field-secret-0123",
    "deep": "deep-secret-0123",
    "proxy": "proxy-secret-0123",
}


def secretive(url: str) -> Target:
    """Return a target that has a secret wherever one can be."""
    place = url.replace("://", "://me:pass%2Fword-of-the-address@") + f"?api-key={HIDDEN['query']}&page=1"
    endpoint = Endpoint(
        "little", "m1", place, None,
        headers={"x-api-key": HIDDEN["header"], "x-note": "no secret"},
        extra_body={"relay": [{"token": HIDDEN["deep"]}], "max_tokens": "no secret"},
    )  # fmt: skip
    return Target(
        "openai-chat", endpoint, Options(extra={"password": HIDDEN["field"]}), Policy(max_retries=0)
    )


def test_no_secret_of_a_call_is_written_wherever_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    # what a server sends back of them too
    repeated = " ".join(HIDDEN.values())
    with Server(Reply([chat(repeated)])) as server:
        outcome(asked(secretive(server.url)), "sync", file)
    written = file.read_text("utf-8")
    found = [name for name, secret in HIDDEN.items() if secret in written and name != "proxy"]
    assert found == [] and "no secret" in written and "bWU6" not in written


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("http://me:p%40ss-word@h/v1", {"p@ss-word"}),
        ("http://token-0123456@h/v1", {"token-0123456"}),
        ("http://h/v1?key=k-0123456&page=2", {"k-0123456"}),
        ("http://h/v1", set()),
        ("http://[", set()),
    ],
)
def test_an_addresss_secrets_are_found_where_it_has_some(url: str, secrets: set[str]) -> None:
    class Call:
        endpoint = Endpoint("p", "m", url, None)
        options = Options()
        route = Connection(proxy=url)

    found = dict(secrets_of(Call()))  # type: ignore[arg-type]  # what is looked at of a call
    assert {value for value in found if not value.endswith("=")} >= secrets
    assert bool(found) is bool(secrets)
    assert set(found.values()) <= {"proxy", "key"}


def test_a_proxys_password_is_one_of_them_and_nothing_else_is_changed() -> None:
    redactor = Redactor([("proxy-secret-0123", "proxy"), ("no", "$KEY")])
    assert redactor.text("by proxy-secret-0123, no") == "by [proxy], no"
    assert Redactor().text("as it is") == "as it is" and Redactor().feed(b"as it is") == b"as it is"
    assert redactor.value({"a": ["no", 1, None, ""]}) == {"a": ["[$KEY]", 1, None, ""]}


def test_messages_of_all_forms_come_back(tmp_path: Path) -> None:
    messages = (
        Message("user", "look", attachments=(Attachment("image/png", b"\x89PNG", name="a.png"),)),
        Message("assistant", "", tool_calls=(ToolCall(0, "call_1", "weather", '{"city": "Oslo"}'),)),
        Message("tool", "rain", tool_call_id="call_1", name="weather"),
    )
    file = tmp_path / "run.jsonl"
    with Server(Reply([chat("wet")])) as server:
        outcome(Plan([target(server.url)], Prompt(messages)), "sync", file)
    [call] = calls_of(file)
    first, second, third = call.prompt.messages
    [picture] = first.attachments
    assert (picture.media_type, picture.name, picture.data) == ("image/png", "a.png", None)
    assert (second.tool_calls, third) == (messages[1].tool_calls, messages[2])


@pytest.mark.parametrize(
    ("found", "kind", "message"),
    [
        ("cut off", "StreamBroken", "cut off"),
        ({"type": "NoSuchError", "message": "m"}, "StreamBroken", "m"),
        ({"type": "Secret", "message": "m"}, "StreamBroken", "m"),
        ({"type": "Unavailable", "message": "slow", "retry_after": 2}, "Unavailable", "slow"),
    ],
)
def test_an_error_of_another_writer_is_one_of_ours(found: Any, kind: str, message: str) -> None:
    made = error(found)
    assert made is not None and (type(made).__name__, made.message) == (kind, message)


@pytest.mark.parametrize(
    ("request_", "framing"),
    [
        ({"body": {"stream": True}}, "sse"),
        ({"body": {"stream": False}}, "whole"),
        ({"body": "text", "framing": "ndjson"}, "ndjson"),
        ({"framing": "no such", "headers": 5, "notices": 5}, "sse"),
    ],
)
def test_how_an_answer_is_cut_is_read_or_guessed(request_: dict[str, Any], framing: str) -> None:
    assert http_request(request_, "openai-chat").framing == framing


def test_a_body_that_is_no_object_is_kept_as_text(tmp_path: Path) -> None:
    class Odd(Redactor):
        """Hides nothing."""

    from llmstream.transport.tape.lines import request_line

    for body in (b"plain \xff", b"[1]", b"{not json"):
        line = request_line(replace(http_request({"url": "http://["}, "openai-chat"), body=body), Odd())
        assert line["body"] == body.decode("utf-8", "replace") and line["url"] == "http://["


def test_what_some_programs_take_for_the_end_of_a_line_is_escaped(tmp_path: Path) -> None:
    file, said = tmp_path / "run.jsonl", "a\u2028b\x7fc\u202ed"
    with Server(Reply([chat(said)])) as server:
        live = outcome(asked(target(server.url)), "sync", file)
    assert not set(said) - set("abcd") & set(file.read_text("utf-8"))
    assert outcome(asked(replayed(file))) == live


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_command_has_no_head_and_is_played_without_running(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "run.jsonl"
    own = Target("exec", Endpoint("little", "m", ""), command=("sh", "-c", "echo from the command"))
    live = outcome(asked(own), engine, file)
    assert live.error is None and "status" not in file.read_text()
    assert outcome(asked(replayed(file)), engine) == live


def test_what_failed_before_anything_was_asked_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    wrong = Target("exec", Endpoint("own", "m", ""), command=("no-such-program",))
    assert outcome(asked(wrong), "sync", file).error is not None
    [first, last] = map(json.loads, file.read_text().splitlines())
    assert first["request"]["method"] == "EXEC" and "no-such-program" in last["end"]["message"]


def test_a_recording_that_can_not_be_made_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't write"):
        Recording(tmp_path / "no" / "such" / "folder.jsonl", print)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with file.open("wb") as made:
        made.truncate((1 << 30) + 1)
    found = outcome(asked(replayed(file)))
    assert found.error and "1 GiB" in str(found.error["message"])


def test_a_fallback_whose_own_line_is_damaged_does_not_count(tmp_path: Path) -> None:
    first = {"request": {"url": "http://h", "body": {}}, "adapter": "openai-chat", "provider": "p"}
    rows = [
        {"llmstream_recording": 1, "time": "", "model": "m", **first},
        {"t": 0, "status": 500, "headers": {}},
        {"t": 0, "end": None},
        {**first, "t": "soon"},
    ]
    file = tmp_path / "run.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    [call] = calls_of(file)
    assert call.attempts[0].damage is not None and "line 4" in call.attempts[0].damage.message


def test_why_no_further_attempt_followed_is_played_too(tmp_path: Path) -> None:
    start = {"request": {"url": "http://h", "body": {}}, "adapter": "openai-chat", "provider": "p"}
    rows = [
        {"llmstream_recording": 1, "time": "", "model": "m", "call": {"limits": {"max_retries": 2}}, **start},
        {"t": 0, "status": 503, "headers": {}},
        {"t": 0, "end": None},
        {"t": 1, "end": {"type": "Cancelled", "message": "stopped by the user"}},
    ]
    file = tmp_path / "run.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = outcome(asked(replayed(file)))
    assert found.error and found.error["type"] == "Cancelled"


def test_a_key_without_a_secret_is_told_by_its_origin(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with Server(Reply([chat("x")])) as server:
        one = target(server.url)
        outcome(
            asked(replace(one, endpoint=replace(one.endpoint, api_key=Secret("k", "$SHORT")))), "sync", file
        )
    row = json.loads(file.read_text().splitlines()[0])
    assert row["call"]["key"] == "$SHORT" and "Bearer k" not in file.read_text()
