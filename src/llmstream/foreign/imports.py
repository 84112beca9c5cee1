"""Finds the object that `factory` names, in one of the user's modules.

Importing a module runs its code: only the configuration file names one, which must be the user's
own (the floor of configuration sees to that, and to the folder that it names), and the current
folder is never searched, so that a file that lies about in it can't take a library's place.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

from llmstream.errors import ConfigError
from llmstream.foreign.errors import said_by
from llmstream.nearest import did_you_mean, quoted
from llmstream.record import Record

_MISSING: Final = object()


class Factory(Record):
    """What makes an object.

    Args:
        name: ``package.module:Class``, or the name of a function or of a finished object.
        path: a folder from which the module is imported too, empty for none.
    """

    name: str
    path: str = ""


def found_of(factory: Factory) -> object:
    """Return the object that a factory names.

    Raises:
        ConfigError: there is no such module, or nothing of that name in it.
    """
    name, _, path = factory.name.partition(":")
    _search(factory.path)
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
        what = f"no module {quoted(missing)}"
        if not f"{name}.".startswith(f"{missing}."):
            what = f"can't import the module {quoted(name)}: {what}"
        hint = (
            f"is it installed beside llmstream, in {sys.prefix}? The current folder is not searched; "
            'path = "/ABSOLUTE/FOLDER" in the provider adds one'
        )
        raise refused(what, hint) from error
    except Exception as error:  # importing runs any code
        raise refused(f"can't import the module {quoted(name)}: {said_by(error)}") from error
    if found is _MISSING:
        near = did_you_mean(part, [one for one in dir(here) if not one.startswith("_")])
        raise refused(f"the module {quoted(name)} has no {quoted(part)}{near}")
    return found


def _search(folder: str) -> None:
    """Add a folder to the end of the module search path."""
    if folder and folder not in sys.path:
        sys.path.append(folder)


def refused(what: str, hint: str = "") -> ConfigError:
    """Return the error of a factory that can't be used."""
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
