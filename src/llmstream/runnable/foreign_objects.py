"""Makes the objects that `factory` names, and asks them in whichever way they know.

Importing a module runs its code: only the configuration file names one, which must be the user's
own (the floor of configuration sees to that), and the current folder is never searched, so
that a file that lies about in it can't take a library's place.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from llmstream.errors import ConfigError
from llmstream.nearest import did_you_mean, quoted
from llmstream.prompt import Json
from llmstream.runnable.foreign_chunks import Discretion, document_of, is_chunk, joined, said_by
from llmstream.wire.document import Document

KEPT: Final = 8
"""Most objects that are kept to be asked again, for each event loop."""
Asking: TypeAlias = Callable[[Json], object]


class Objects:
    """The objects of one event loop, or of all threads without one, by what they were made with.

    One is made once and asked again, since making it may mean to load a model or open connections.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], _Place] = OrderedDict()

    def get(self, factory: str, arguments: Mapping[str, Json]) -> object:
        """Return the object; made now if it isn't there.

        Raises:
            ConfigError: as `make`.
        """
        key = factory, json.dumps(arguments, sort_keys=True, default=repr)
        with self._lock:
            place = self._kept.setdefault(key, _Place())
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        with place.lock:
            if not place.made:
                place.made.append(make(factory, arguments))
            return place.made[0]


class _Place:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: list[object] = []


_without_loop = Objects()
_of_loops: WeakKeyDictionary[object, Objects] = WeakKeyDictionary()


def objects_of(loop: object | None) -> Objects:
    """Return the objects of an event loop: what holds connections of one is of no use to another."""
    return _without_loop if loop is None else _of_loops.setdefault(loop, Objects())


def make(factory: str, arguments: Mapping[str, Json]) -> object:
    """Return a new object.

    Args:
        factory: ``package.module:Class``, or the name of a function or of a finished object.
        arguments: for the class or function.

    Raises:
        ConfigError: there is no such module or class, or it can't be made with these arguments.
    """
    found = _found(factory)
    if isinstance(found, type) or (callable(found) and not _can_be_asked(found)):
        return _called(found, arguments)
    if arguments:
        raise _refused(f"it is a finished object and takes no options: {', '.join(arguments)}")
    return found


def _called(maker: Callable[..., object], arguments: Mapping[str, Json]) -> object:
    if inspect.isroutine(maker) and _is_the_model(maker, arguments):
        return partial(maker, **arguments)
    try:
        return maker(**arguments)
    except Exception as error:  # noqa: BLE001  # it runs any code
        with_what = f" with {', '.join(arguments)}" if arguments else ""
        hidden = Discretion(arguments, os.environ)
        made = _refused(f"it can't be made{with_what}: {hidden.hide(said_by(error))}")
        raise made from hidden.error_of(error, begun=False).__cause__


def _is_the_model(function: Callable[..., object], arguments: Mapping[str, Json]) -> bool:
    """Return whether a function wants a prompt: then it makes no model but is one."""
    try:
        signature = inspect.signature(function)
        signature.bind("", **arguments)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(**arguments)
    except TypeError:
        return True
    return False


def _can_be_asked(found: object) -> bool:
    return any(callable(getattr(found, name, None)) for name in ("stream", "astream", "invoke", "ainvoke"))


def _found(factory: str) -> object:
    name, _, path = factory.partition(":")
    try:
        with current_folder_left_out():
            found: object = import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        what = f"there is no module {quoted(missing)}"
        if not f"{name}.".startswith(f"{missing}."):
            what = f"the module {quoted(name)} can't be imported: {what}"
        hint = f"is it installed beside llmstream, in {sys.prefix}? The current folder is not searched"
        raise _refused(what, hint) from error
    except Exception as error:  # importing runs any code
        raise _refused(f"the module {quoted(name)} can't be imported: {said_by(error)}") from error
    for part in path.split("."):
        here = found
        try:
            found = getattr(here, part)
        except AttributeError as error:
            near = did_you_mean(part, [one for one in dir(here) if not one.startswith("_")])
            raise _refused(f"the module {quoted(name)} has no {quoted(part)}{near}") from error
    return found


def _refused(what: str, hint: str = "") -> ConfigError:
    return ConfigError(what, hint=hint, phase="config")


def in_command() -> bool:
    """Return whether this process is the command's, and not a program that uses the library."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return getattr(spec, "name", "") == "llmstream.__main__" or Path(sys.argv[0]).name == "llmstream"


@cache
def _keep_to_ourselves() -> None:
    """In the command: leave the current folder out for good, and let nobody else write the answer's stream.

    Objects import more when they are asked, and what they print goes to standard error.
    """
    if Path(sys.argv[0]).name == "__main__.py" and not sys.flags.safe_path:
        # `python -m` has put it first
        del sys.path[:1]
    sys.stdout = sys.stderr


@contextmanager
def current_folder_left_out() -> Generator[None, None, None]:
    """Import without the current folder, which `python -m` and an interactive Python search first."""
    if in_command():
        _keep_to_ourselves()
    before = list(sys.path)
    sys.path[:] = filter(None, before)
    try:
        yield
    finally:
        if "" in before:
            sys.path.insert(before.index(""), "")


def asking(model: object, *, stream: bool, on_loop: bool) -> tuple[Asking, bool]:
    """Return how an object is asked, and whether that is native to an event loop.

    Args:
        model: the object.
        stream: chunk by chunk, as far as it can.
        on_loop: an event loop is there to ask it on.

    Raises:
        ConfigError: it has no way of being asked.
    """
    kinds = ("stream", "invoke") if stream else ("invoke", "stream")
    for kind in kinds:
        for name in (f"a{kind}", kind) if on_loop else (kind, f"a{kind}"):
            method = getattr(model, name, None)
            if callable(method):
                return method, name.startswith("a")
    if callable(model):
        return model, inspect.iscoroutinefunction(model) or inspect.isasyncgenfunction(model)
    what = f"an object of class {type(model).__name__} has neither stream nor invoke, and is no function"
    raise _refused(what)


def bound(model: object, options: Mapping[str, Json]) -> object:
    """Return a model that knows of tools.

    Raises:
        ConfigError: it can't be told of any.
    """
    if not options:
        return model
    bind = getattr(model, "bind_tools", None)
    if not callable(bind):
        raise _refused(f"an object of class {type(model).__name__} takes no tools: it has no bind_tools")
    tools = options.get("tools") or []
    made: object = bind(tools, **{name: value for name, value in options.items() if name != "tools"})
    return made


def documents(value: object, *, stream: bool) -> Iterator[Document]:
    """Yield what a call brought, one document a chunk.

    Args:
        value: a chunk, or chunks as they come.
        stream: False joins them.
    """
    if (is_chunk(value) and not isinstance(value, Iterator)) or not isinstance(value, Iterable):
        yield document_of(value, whole=True)
        return
    chunks = map(document_of, value)
    try:
        yield from chunks if stream else joined(chunks)
    finally:
        close = getattr(value, "close", None)
        if callable(close):
            close()
