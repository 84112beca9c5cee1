"""Makes the objects that `factory` names, and knows how they can be asked.

Importing a module runs its code: only the configuration file names one, which must be the user's
own (the floor of configuration sees to that), and the current folder is never searched, so
that a file that lies about in it can't take a library's place.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib import import_module
from inspect import isasyncgenfunction, iscoroutinefunction
from pathlib import Path
from typing import Final, TypeAlias, cast

from llmstream.errors import ConfigError
from llmstream.foreign.errors import Discretion, said_by
from llmstream.nearest import did_you_mean, quoted
from llmstream.prompt import Json
from llmstream.record import Record

KEPT: Final = 8
"""Most objects that are kept to be asked again."""
METHODS: Final = ("stream", "astream", "invoke", "ainvoke")
"""What makes an object a model."""
ASYNC: Final = ("_astream", "_agenerate", "_acall", "astream", "ainvoke")
"""Where a LangChain model is native to an event loop, it has one of these of its own."""
Model: TypeAlias = object
"""Anything with one of `METHODS`."""
_MISSING: Final = object()


class Way(Record):
    """How an object is asked.

    Args:
        ask: its method.
        several: it gives chunks, not one value.
        native: it leaves an event loop its time.
    """

    ask: Callable[[Json], object]
    several: bool
    native: bool


def way_to(
    factory: str,
    arguments: Mapping[str, Json],
    bound: Mapping[str, Json],
    hidden: Discretion,
    *,
    stream: bool,
    loop: object | None,
) -> Way:
    """Return how to ask the object that a factory makes, once for equal arguments.

    Args:
        factory: ``package.module:Class``, or the name of a function or of a finished object.
        arguments: for the class or function.
        bound: what the object is told when it is there.
        hidden: knows the keys among the arguments.
        stream: chunk by chunk, as far as it can.
        loop: the event loop that it is asked on, None for a thread: what holds connections of one
            is of no use to another.

    Raises:
        ConfigError: there is no such module or class, it can't be made with these arguments, or
            what it makes is no model.
    """
    found = _found(factory)
    made_with, told = dict(arguments), dict(bound)
    if "stop" in made_with and callable(getattr(found, "bind", None)):
        # few of LangChain's classes can be made with it, and all can be told
        told["stop"] = made_with.pop("stop")
    with _lock:
        place = _place(loop, factory, json.dumps(made_with, sort_keys=True, default=repr))
    with place.lock:
        if place.model is None:
            place.model = _made(found, made_with, hidden)
    return _way(place.model, told, stream=stream, on_loop=loop is not None)


class _Place:
    """Where an object is kept; making one may mean to load a model."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.model: Model | None = None


_lock = threading.Lock()


@lru_cache(maxsize=KEPT)
def _place(loop: object | None, factory: str, arguments: str) -> _Place:
    return _Place()


def _made(found: object, arguments: Mapping[str, Json], hidden: Discretion) -> Model:
    if _is_model(found) and not isinstance(found, type):
        if arguments:
            raise _refused(f"it is a finished object and takes no options: {', '.join(arguments)}")
        return found
    try:
        # what can't be called says so
        made = cast("Callable[..., object]", found)(**arguments)
    except Exception as error:  # noqa: BLE001  # it runs any code
        with_what = f" with {', '.join(arguments)}" if arguments else ""
        refused = _refused(f"it can't be made{with_what}: {hidden.hide(said_by(error))}")
        raise refused from hidden.shown(error)
    if not _is_model(made):
        raise _refused(f"an object of class {type(made).__name__} has neither stream nor invoke")
    return made


def _is_model(value: object) -> bool:
    return any(callable(getattr(value, name, None)) for name in METHODS)


def _way(model: Model, bound: Mapping[str, Json], *, stream: bool, on_loop: bool) -> Way:
    told = _told(model, bound)
    blocks = _only_imitates(model) or not on_loop
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
        raise _refused(f"an object of class {type(model).__name__} takes no {', '.join(bound)}: no {name}")
    told: Model = bind(**bound)
    return told


def _found(factory: str) -> object:
    """Return what a factory's name stands for."""
    name, _, path = factory.partition(":")
    try:
        with _current_folder_left_out():
            found: object = import_module(name)
            for part in path.split("."):
                # may import more: LangChain's packages are lazy
                here, found = found, getattr(found, part, _MISSING)
                if found is _MISSING:
                    break
    except ModuleNotFoundError as error:
        missing = error.name or name
        what = f"there is no module {quoted(missing)}"
        if not f"{name}.".startswith(f"{missing}."):
            what = f"the module {quoted(name)} can't be imported: {what}"
        hint = f"is it installed beside llmstream, in {sys.prefix}? The current folder is not searched"
        raise _refused(what, hint) from error
    except Exception as error:  # importing runs any code
        raise _refused(f"the module {quoted(name)} can't be imported: {said_by(error)}") from error
    if found is _MISSING:
        near = did_you_mean(part, [one for one in dir(here) if not one.startswith("_")])
        raise _refused(f"the module {quoted(name)} has no {quoted(part)}{near}")
    return found


def _refused(what: str, hint: str = "") -> ConfigError:
    return ConfigError(what, hint=hint, phase="config")


@contextmanager
def _current_folder_left_out() -> Generator[None, None, None]:
    """Import without the current folder, which `python -m` and an interactive Python search first."""
    if _in_command():
        _keep_to_ourselves()
    before = list(sys.path)
    sys.path[:] = filter(None, before)
    try:
        yield
    finally:
        if "" in before:
            sys.path.insert(before.index(""), "")


def _in_command() -> bool:
    """Return whether this process is the command's, and not a program that uses the library."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return getattr(spec, "name", "") == "llmstream.__main__" or Path(sys.argv[0]).stem == "llmstream"


@cache
def _keep_to_ourselves() -> None:
    """In the command: leave the current folder out for good, and let nobody else write the answer's stream.

    Objects import more when they are asked, and what they print goes to standard error.
    """
    if Path(sys.argv[0]).name == "__main__.py" and not sys.flags.safe_path:
        # `python -m` has put it first
        del sys.path[:1]
    sys.stdout = sys.stderr
