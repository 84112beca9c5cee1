"""What an exception of somebody else's library means: its status, its words, when to try again."""

from __future__ import annotations

import pytest

from llmstream import errors
from llmstream.errors import Cancelled, LLMStreamError
from llmstream.foreign.errors import Discretion, said_by


class Told(Exception):
    """An exception with attributes, as libraries raise them."""

    def __init__(self, text: str = "", **attributes: object) -> None:
        super().__init__(text)
        self.__dict__.update(attributes)


class Response:
    """A response as an exception carries it."""

    def __init__(self) -> None:
        self.status_code = 429
        self.headers = {"Retry-After": "7", "x": "y"}


def meant(error: BaseException, *, begun: bool = False) -> LLMStreamError:
    """Return what an exception means."""
    return Discretion({"nested": {"api_key": "sk-0123456789"}}, {}).error_of(error, begun=begun)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Told("no", response=Response()), errors.Unavailable),
        (Told("no", response={"ResponseMetadata": {"HTTPStatusCode": 403}}), errors.AuthenticationError),
        (Told("no", response={}), errors.LocalModelError),
        (Told("no", code=404), errors.RequestRefused),
        (Told("no", status_code="404"), errors.LocalModelError),
    ],
)
def test_a_status_is_found_wherever_libraries_put_it(error: Exception, kind: type[LLMStreamError]) -> None:
    assert type(meant(error)) is kind


def test_when_to_try_again_is_taken_from_the_answers_head() -> None:
    found = meant(Told("no", response=Response()))
    assert found.retry_after == 7


def test_an_error_of_ours_stays_as_it_is() -> None:
    ours = Cancelled("stop")
    assert meant(ours) is ours


def test_a_nested_key_is_hidden_and_the_traceback_that_repeats_it_left_out() -> None:
    found = meant(Told("wrong key sk-0123456789"))
    assert "sk-0123456789" not in found.message
    assert found.__cause__ is None


class ValidationError(Exception):
    """As pydantic's: its text has the values."""

    def errors(self) -> list[dict[str, object]]:
        """Return what is wrong."""
        return [{"loc": ("a", 0), "msg": "too short"}, {"msg": "all wrong"}]


def test_complaints_are_told_without_the_values() -> None:
    assert said_by(ValidationError("input: secret")) == "ValidationError: a.0: too short; all wrong"


def test_a_body_says_more_than_the_exception_and_one_without_words_is_its_name() -> None:
    assert said_by(Told("short", body={"error": {"message": "long"}})) == "Told: long"
    assert said_by(Told()) == "Told"
