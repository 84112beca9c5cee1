"""Import the object that `factory` names.

Importing a module runs its code.  So only the user's own configuration file can name one (config checks
that, and the additional folder), and the current folder is never searched, so that a stray file in it
can't replace a library.
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
        name: ``package.module:NAME``, where NAME is a class, a function or a finished object.
        path: an additional folder to import the module from, empty for none.
    """

    name: str
    path: str = ""


def found_of(factory: Factory) -> object:
    """Return the object that a factory names.

    Raises:
        ConfigError: the module is missing or can't be imported, or does not contain the name.
    """
    name, _, path = factory.name.partition(":")
    _search(factory.path)
    try:
        with _current_folder_left_out():
            found: object = import_module(name)
            for part in path.split("."):
                # may import more, because LangChain's packages are lazy
                here, found = found, getattr(found, part, _MISSING)
                if found is _MISSING:
                    break
    except ModuleNotFoundError as error:
        missing = error.name or name
        what = f"no module {quoted(missing)}"
        if not f"{name}.".startswith(f"{missing}."):
            what = f"can't import the module {quoted(name)}: {what}"
        hint = (
            f"install it where llmstream is installed ({sys.prefix}); the current folder is not searched, "
            'but path = "/ABSOLUTE/FOLDER" in the provider\'s table adds another folder'
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
    """Return the error for a factory that can't be used."""
    return ConfigError(what, hint=hint, phase="config")


@contextmanager
def _current_folder_left_out() -> Generator[None, None, None]:
    """Exclude the current folder from imports in this block; an interactive Python searches it first."""
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
    """Return whether this process is the command rather than a program that uses the library."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return getattr(spec, "name", "") == "llmstream.__main__" or Path(sys.argv[0]).stem == "llmstream"


@cache
def _keep_to_ourselves() -> None:
    """In the command, exclude the current folder for good, and send what objects print to standard error.

    Objects may import more when called, and standard output is reserved for the answer.
    """
    if Path(sys.argv[0]).name == "__main__.py" and not sys.flags.safe_path:
        # `python -m` puts the current folder first
        del sys.path[:1]
    sys.stdout = sys.stderr
