"""Makes the objects that factories name, and determines how to call them."""

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
"""Limit on the objects that are kept for later calls."""
METHODS: Final = ("stream", "astream", "invoke", "ainvoke")
"""Methods, one of which makes an object a model."""
ASYNC: Final = ("_astream", "_agenerate", "_acall", "astream", "ainvoke")
"""Where a LangChain model is native to an event loop, it has one of these of its own."""
Model: TypeAlias = object
"""Anything with one of `METHODS`."""


class Watch(Record):
    """How closely an object is watched while it answers.

    Args:
        steps: the version of the events of its steps that are wanted, empty for none.
        live: people watch, who are shown all that it says as it comes.
    """

    steps: str = ""
    live: bool = False


class Way(Record):
    """How an object is called.

    Args:
        ask: the method to call.
        several: it yields chunks, not one value.
        native: it does not block an event loop.
        form: the input it takes: a state with messages, messages as such, or a text.
        answer: set when `ask` gives the events of its steps: finds the answer among them, of an
            object that was asked with so many messages.
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
    """Return how to ask the object that a factory makes, once for equal arguments.

    Args:
        factory: what makes it.
        arguments: for the class or function.
        bound: what is bound to the object once it exists.
        hidden: knows the keys among the arguments.
        stream: chunk by chunk, as far as it can.
        loop: the event loop that it is asked on, None for a thread: what holds connections of one
            is of no use to another.
        watch: how closely it is watched.

    Raises:
        ConfigError: there is no such module or class, it can't be made with these arguments, or
            what it makes is no model.
    """
    found = found_of(factory)
    made_with, told = dict(arguments), dict(bound)
    if "stop" in made_with and callable(getattr(found, "bind", None)):
        # few of LangChain's classes can be made with it, and all can be told
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
    """Where an object is kept; making one may mean to load a model."""

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
        # what can't be called says so
        made = cast("Callable[..., object]", found)(**arguments)
    except Exception as error:  # noqa: BLE001  # it runs any code
        with_what = f" with {', '.join(arguments)}" if arguments else ""
        unmade = refused(f"it can't be made{with_what}: {hidden.hide(said_by(error))}")
        raise unmade from hidden.shown(error)
    if not _is_model(made):
        raise refused(f"an object of class {type(made).__name__} has neither stream nor invoke")
    return made


def _is_model(value: object) -> bool:
    return any(callable(getattr(value, name, None)) for name in METHODS)


def _watched(model: Model, watch: Watch) -> Way | None:
    """Return how to ask for the events of an object's steps, None where it has none or none are needed."""
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
    """Return whether a LangChain model has nothing for event loops but what its base class has.

    That has the blocking method run by the loop's own threads, for whose end the loop waits for ever.
    """
    classes = type(model).__mro__
    owners = [kind.__module__ for kind in classes if any(name in vars(kind) for name in ASYNC)]
    base = all(owner.partition(".")[0] == "langchain_core" for owner in owners)
    return base and any("_generate" in vars(kind) for kind in classes)


def _told(model: Model, bound: Mapping[str, Json]) -> Model:
    """Return a model that knows of tools and of whatever else is told to it when it is there."""
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
