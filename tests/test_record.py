"""Records: frozen values with named fields, and nothing of a dataclass missing that we use."""

from __future__ import annotations

import copy
import pickle

import pytest

from llmstream.engine.meter import Latency, Timing
from llmstream.events import TextDelta, Usage
from llmstream.prompt import Endpoint, Message, Secret
from llmstream.record import Record, names, replace, values


class Point(Record):
    """A value with a default."""

    x: int
    y: int = 2


def test_fields_are_given_by_place_or_name_and_may_have_defaults() -> None:
    assert (Point(1).x, Point(1).y) == (1, 2)
    assert Point(x=1, y=2) == Point(1, 2)
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, z=3)  # type: ignore[call-arg]


def test_a_record_can_not_be_changed() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="Point is frozen: 'x'"):
        point.x = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del point.x
    with pytest.raises(AttributeError):
        point.z = 3  # type: ignore[attr-defined,unused-ignore]
    assert not hasattr(point, "__dict__")


def test_records_are_equal_when_type_and_fields_are() -> None:
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(1, 3)
    assert Latency() != Timing()
    assert TextDelta("a") != "a"
    assert len({Point(1), Point(1, 2), Point(2)}) == 2


def test_what_holds_something_unhashable_is_not_hashable() -> None:
    with pytest.raises(TypeError):
        hash(Endpoint("p", "m", "u", headers={}))


def test_a_record_shows_its_fields() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert repr(TextDelta("a")) == "TextDelta(text='a')"


def test_a_records_repr_shows_no_key() -> None:
    assert "sk-hidden" not in repr(Endpoint("p", "m", "u", Secret("sk-hidden", "$KEY")))


def test_records_can_be_matched_by_place() -> None:
    match Point(1, 5):
        case Point(1, y):
            assert y == 5
        case _:
            pytest.fail("no match")


def test_copies_and_pickles_are_equal() -> None:
    usage = Usage(1, 2, 3, cost=0.5)
    assert copy.deepcopy(usage) == usage
    assert pickle.loads(pickle.dumps(usage)) == usage


def test_names_values_and_replace() -> None:
    assert names(Point(1)) == ("x", "y")
    assert values(Point(1)) == (1, 2)
    assert replace(Point(1), y=9) == Point(1, 9)
    assert replace(Message("user", "a"), content="b") == Message("user", "b")
    with pytest.raises(TypeError):
        replace(Point(1), z=3)
