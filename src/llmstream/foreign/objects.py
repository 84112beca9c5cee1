"""Make the objects that factories name, and determine how to call them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Final, Literal, TypeAlias, cast

from llmstream.foreign.errors import Discretion, said_by
from llmstream.foreign.graph import LastMessage, answering_graph, has_messages, inner
from llmstream.foreign.imports import Factory, found_of, refused
from llmstream.foreign.steps import Answer, LastStep
from llmstream.prompt import Json
from llmstream.record import Record, replace

KEPT: Final = 8
"""Most objects kept for later calls."""
METHODS: Final = ("stream", "astream", "invoke", "ainvoke")
"""An object with one of these methods can be used as a model."""
ASYNC: Final = ("_astream", "_agenerate", "_acall", "astream", "ainvoke")
"""A LangChain model that supports event loops natively overrides one of these methods."""
Model: TypeAlias = object
"""Anything with one of `METHODS`."""


class Watch(Record):
    """Which events are wanted from an object while it answers.

    Args:
        steps: the version of `astream_events` to use for its steps' events, empty for no events.
        live: whether the output is displayed, so that all text is wanted as it arrives.
    """

    steps: str = ""
    live: bool = False


class Way(Record):
    """How an object is called.

    Args:
        ask: the method to call.
        several: whether it yields chunks rather than returning one value.
        native: whether it must be called on an event loop, which it does not block.
        form: the input it accepts: a state with messages, a list of messages, or a text.
        answer: set if `ask` yields the events of its steps: takes the number of input messages, and
            returns what finds the answer among the events.
    """

    ask: Callable[[Json], object]
    several: bool
    native: bool
    form: Literal["state", "messages", "text"] = "messages"
    answer: Callable[[int], Answer] | None = None


def way_to(
    factory: Factory,
    arguments: Mapping[str, Json],
    bound: Mapping[str, Json],
    hidden: Discretion,
    *,
    stream: bool,
    loop: object | None,
    watch: Watch,
) -> Way:
    """Return how to call the object that a factory makes; it is kept for later calls with equal arguments.

    Args:
        factory: what makes the object.
        arguments: keyword arguments of the class or function.
        bound: options bound to the finished object, such as tools.
        hidden: hides the keys among the arguments.
        stream: whether to yield chunks, if the object can.
        loop: the event loop that the object will be called on, None for a thread; each loop has its own
            objects, because connections belong to one loop.
        watch: which events are wanted.

    Raises:
        ConfigError: the module or class is missing, the object can't be made with these arguments or
            does not accept the bound options, or it is not a model.
    """
    found = found_of(factory)
    made_with, told = dict(arguments), dict(bound)
    if "stop" in made_with and callable(getattr(found, "bind", None)):
        # few of LangChain's classes accept it as an argument, but all can bind it
        told["stop"] = made_with.pop("stop")
    with _lock:
        place = _place(loop, factory, json.dumps(made_with, sort_keys=True, default=repr))
    with place.lock:
        if place.model is None:
            place.model = _made(found, made_with, hidden)
    model = _told(place.model, told)
    way = _watched(model, watch) or _way(model, stream=stream, on_loop=loop is not None)
    return replace(way, form=_form(model, factory))


class _Place:
    """Holds one object; locked while it is made, which may include loading a model."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.model: Model | None = None


_lock = threading.Lock()


@lru_cache(maxsize=KEPT)
def _place(loop: object | None, factory: Factory, arguments: str) -> _Place:
    return _Place()


def _made(found: object, arguments: Mapping[str, Json], hidden: Discretion) -> Model:
    if _is_model(found) and not isinstance(found, type):
        if arguments:
            raise refused(f"it is a finished object; remove options: {', '.join(arguments)}")
        return found
    try:
        # raises an error if it can't be called
        made = cast("Callable[..., object]", found)(**arguments)
    except Exception as error:  # noqa: BLE001  # may raise anything
        with_what = f" with {', '.join(arguments)}" if arguments else ""
        unmade = refused(f"it can't be made{with_what}: {hidden.hide(said_by(error))}")
        raise unmade from hidden.shown(error)
    if not _is_model(made):
        raise refused(f"an object of class {type(made).__name__} has neither stream nor invoke")
    return made


def _is_model(value: object) -> bool:
    return any(callable(getattr(value, name, None)) for name in METHODS)


def _watched(model: Model, watch: Watch) -> Way | None:
    """Return how to get the events of an object's steps, None if it has none or none are needed."""
    events = getattr(model, "astream_events", None)
    graph = answering_graph(model)
    if not callable(events) or not (watch.steps or graph):
        return None
    answer = partial(LastMessage, graph, live=watch.live) if graph else LastStep
    return Way(partial(events, version=watch.steps or "v2"), True, True, answer=answer)


def _form(model: Model, factory: Factory) -> Literal["state", "messages", "text"]:
    if has_messages(model):
        return "state"
    chats = any(hasattr(inner(model), name) for name in ("bind_tools", "_generate"))
    return "messages" if chats or "Chat" in factory.name.rpartition(":")[2] else "text"


def _way(told: Model, *, stream: bool, on_loop: bool) -> Way:
    blocks = _only_imitates(told) or not on_loop
    for kind in ("stream", "invoke") if stream else ("invoke", "stream"):
        for name in (kind, f"a{kind}") if blocks else (f"a{kind}", kind):
            method = getattr(told, name, None)
            if callable(method):
                native = name[0] == "a" or iscoroutinefunction(method) or isasyncgenfunction(method)
                return Way(method, kind == "stream", native)
    raise AssertionError("a model has one of the methods")


def _only_imitates(model: Model) -> bool:
    """Return whether a LangChain model inherits its async methods from LangChain's base classes.

    Those run the blocking method in the loop's executor, whose threads ``asyncio.run`` waits for at its end:
    forever on Python 3.11, five minutes on later ones.
    """
    classes = type(model).__mro__
    owners = [kind.__module__ for kind in classes if any(name in vars(kind) for name in ASYNC)]
    base = all(owner.partition(".")[0] == "langchain_core" for owner in owners)
    return base and any("_generate" in vars(kind) for kind in classes)


def _told(model: Model, bound: Mapping[str, Json]) -> Model:
    """Return the model with tools and other options bound to it.

    Raises:
        ConfigError: the model can't bind them.
    """
    if not bound:
        return model
    name = "bind_tools" if "tools" in bound else "bind"
    bind = getattr(model, name, None)
    if not callable(bind):
        raise refused(
            f"an object of class {type(model).__name__} doesn't accept {', '.join(bound)}: it has no {name}"
        )
    told: Model = bind(**bound)
    return told
