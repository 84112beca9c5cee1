"""What an error says: provider, host and phase, never the key; and how much of a refusal is read."""

from __future__ import annotations

import pytest

from engine.by_hand import DONE, KEY, OK, After, Clock, Said, call, delta, event, play, refusal
from llmstream.engine.attempt import ERROR_BODY_LIMIT, ERROR_BODY_WAIT
from llmstream.engine.effects import Head
from llmstream.engine.policy import Policy
from llmstream.errors import AuthenticationError, LLMStreamError, RequestRefused, StreamBroken, Unavailable
from llmstream.events import Fallback, Finish, Retry
from llmstream.prompt import Endpoint, Secret
from llmstream.record import replace

GOOD: list[Said] = [OK, delta("a", "stop"), DONE]
ECHO = f"Incorrect API key provided: {KEY}. It is {KEY}, isn't it?"
ONCE = Policy(max_retries=0)


@pytest.mark.parametrize(
    "replies",
    [
        refusal(401, ECHO),
        refusal(400, ECHO),
        refusal(500, ECHO),
        [Head(502, {"content-type": "text/html"}), f"<title>{ECHO}</title>".encode(), b""],
        [Head(307, {"location": f"https://evil.test/?key={KEY}"}), b""],
        [OK, event({"error": {"message": ECHO}})],
        [OK, delta("a"), event({"error": {"message": ECHO, "type": KEY}})],
        [OK, f"data: {ECHO}\n\n".encode()],
        [LLMStreamError(ECHO)],
    ],
)
def test_the_key_is_in_no_error(replies: list[Said]) -> None:
    error = play(call(policy=ONCE), replies).failure
    shown = [error.message, str(error), repr(error), error.hint, str(error.to_dict()), *map(str, error.args)]
    assert all(KEY not in text for text in shown)
    assert any("[$ACME_KEY]" in text or "not JSON" in text for text in shown)


def test_the_key_is_in_no_event() -> None:
    replies = [*refusal(503, ECHO), *refusal(503, ECHO), *GOOD]
    played = play([call(policy=Policy(max_retries=1)), call(provider="other")], replies)
    told = [found.error for found in played.events if isinstance(found, Retry | Fallback)]
    assert len(told) == 2
    assert all(KEY not in text and "[$ACME_KEY]" in text for text in told)


def test_the_host_is_named_without_user_and_password() -> None:
    made = call(policy=ONCE)
    endpoint = Endpoint("acme", "m1", "https://me:pass-word@acme.test:8443/v1")
    error = play(replace(made, endpoint=endpoint), refusal(500)).failure
    assert error.message.startswith("acme (acme.test:8443): 500")


def test_an_errors_phase_says_whether_something_had_come() -> None:
    broken = StreamBroken("reset")
    assert play(call(policy=ONCE), [broken]).failure.phase == "first_token"
    assert play(call(policy=ONCE), [OK, delta("a"), StreamBroken("reset")]).failure.phase == "stream"


def test_a_refused_key_says_where_it_came_from() -> None:
    error = play(call(), refusal(401)).failure
    assert isinstance(error, AuthenticationError)
    assert error.hint == "key used: $ACME_KEY"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('"sk-key"', "it is in quotes, which were sent too"),
        ("'sk-key'", "it is in quotes, which were sent too"),
        ("Bearer sk-key", 'it starts with "Bearer", which is added to every key'),
        ("ACME_KEY=sk-key", "it looks like an assignment: leave out the name"),
        ("export KEY=sk-key", "it looks like an assignment: leave out the name"),
        ("sk key", "it contains a space"),
        ("key", ""),
    ],
)
def test_a_refused_key_that_was_pasted_with_too_much_says_so(key: str, said: str) -> None:
    endpoint = Endpoint("acme", "m1", "https://acme.test/v1", Secret(key, "$ACME_KEY"))
    error = play(replace(call(), endpoint=endpoint), refusal(401)).failure
    assert error.hint == "key used: $ACME_KEY" + (f"; {said}" if said else "")


def test_a_recordings_stand_in_for_a_key_is_not_looked_at() -> None:
    origin = "api_key in [providers.p]"
    endpoint = Endpoint("acme", "m1", "https://acme.test/v1", Secret(f"[{origin}]", origin))
    error = play(replace(call(), endpoint=endpoint), refusal(401)).failure
    assert error.hint == f"key used: {origin}"


def test_a_call_without_a_key_says_so_when_it_is_refused() -> None:
    endpoint = Endpoint("acme", "m1", "https://acme.test/v1")
    error = play(replace(call(), endpoint=endpoint), refusal(403)).failure
    assert error.hint == "no key was sent"


def test_what_is_not_found_is_asked_after() -> None:
    error = play(call(), refusal(404)).failure
    assert isinstance(error, RequestRefused)
    assert '"m1"' in error.hint
    assert "llmstream models acme" in error.hint


def test_of_an_endless_error_body_the_beginning_is_read() -> None:
    endless: list[Said] = [b"x" * 10_000] * 1000
    played = play(call(policy=ONCE), [Head(500, {}), *endless])
    assert len(played.reads) == -(-ERROR_BODY_LIMIT // 10_000)
    assert len(played.failure.message) < 3000


def test_a_slow_error_body_is_waited_for_a_little() -> None:
    clock = Clock(0.0)
    played = play(call(policy=ONCE), [After(3, Head(500, {})), b"x", b"y", b""], clock=clock)
    assert [read.deadline for read in played.reads] == [3 + ERROR_BODY_WAIT] * 3
    clock = Clock(0.0)
    played = play(call(policy=Policy(first_token=5, max_retries=0)), [Head(500, {}), b""], clock=clock)
    assert played.reads[0].deadline == 5


def test_a_broken_error_body_leaves_the_status() -> None:
    error = play(call(policy=ONCE), [Head(503, {}), StreamBroken("reset")]).failure
    assert isinstance(error, Unavailable)
    assert (error.status, error.message) == (503, "acme (acme.test): 503 Service Unavailable")


def test_no_text_of_a_server_repeats_what_it_was_sent_in_secret() -> None:
    header = "hdr-0123456789"
    asked = call(policy=Policy(max_retries=0))
    endpoint = replace(asked.endpoint, headers={"X-Extra-Token": f"Token {header}", "X-Team": "search"})
    asked = replace(asked, endpoint=endpoint)
    refused = play(asked, refusal(401, f"no such key: {KEY}, {header}, search"))
    assert "no such key: [$ACME_KEY], [X-Extra-Token], search" in refused.failure.message
    finished = play(asked, [OK, delta("a", f"{KEY} {header}"), DONE])
    [finish] = [event for event in finished.events if isinstance(event, Finish)]
    assert finish.raw == "[$ACME_KEY] [X-Extra-Token]"
