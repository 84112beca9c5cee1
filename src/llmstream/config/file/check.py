"""Check a parsed configuration and report every problem at once.

A problem is identified by its path in the document; `positions` finds the line and column of a path
afterwards, so that a valid file doesn't pay for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from llmstream.adapters import catalogue
from llmstream.adapters.registry import SPECIAL
from llmstream.config.file import kinds
from llmstream.config.file import table as keys
from llmstream.nearest import did_you_mean, quoted, typo_of
from llmstream.record import Record
from llmstream.runnable.options import misspelt


class Flaw(Record):
    """One problem: its place, as a path of keys, and a sentence that describes it."""

    path: tuple[str, ...]
    text: str


def flaws(document: Mapping[str, object]) -> Iterator[Flaw]:
    """Yield every problem in a configuration file's content.

    Args:
        document: as tomllib returns it.
    """
    for name, value in document.items():
        if name == "default":
            yield from _model((name,), value, document)
        elif name in keys.TOP:
            yield from _plain((name,), keys.TOP[name].kind, value)
        elif name == "aliases":
            yield from table((name,), value, lambda path, each: _model(path, each, document))
        elif name == "providers":
            yield from table((name,), value, _provider)
        else:
            yield _unknown((name,), [*keys.TOP, *keys.TOP_TABLES], _at_home(name, value))


def _model(path: tuple[str, ...], value: object, document: Mapping[str, object]) -> Iterator[Flaw]:
    yield from _plain(path, kinds.text, value)
    if kinds.text(value) is not None:
        return
    name = str(value)
    aliases, providers = (_names(document.get(key)) for key in ("aliases", "providers"))
    if name in aliases:
        if path[-1] == name and path[0] == "aliases":
            yield Flaw(path, f"the alias {quoted(name)} refers to itself")
        return
    provider = name.partition("/")[0]
    if provider not in providers and not catalogue.known(provider):
        right = did_you_mean(provider, [*providers, *aliases, *catalogue.names()])
        yield Flaw(path, f"{path[-1]} names an unknown provider {quoted(provider)}{right}")


def _names(table: object) -> list[str]:
    return list(table) if isinstance(table, dict) else []


def _provider(path: tuple[str, ...], value: object) -> Iterator[Flaw]:
    if "/" in path[-1] or not path[-1].strip():
        yield Flaw(path, f"a provider name must not be empty or contain a slash: {quoted(path[-1])}")
    if not isinstance(value, dict):
        yield Flaw(path, f"{path[-1]} must be a table [providers.{path[-1]}], not {kinds.kind_of(value)}")
        return
    for name, item in value.items():
        here = (*path, name)
        known = keys.PROVIDER.get(name)
        if known is not None:
            yield from _plain(here, known.kind, item)
        elif name in keys.TABLES:
            yield from table(here, item, _INSIDE[name])
        else:
            yield _unknown(here, [*keys.PROVIDER, *keys.TABLES], f" in [providers.{path[-1]}]")
    yield from _incomplete(path, value)


def _incomplete(path: tuple[str, ...], table: Mapping[str, object]) -> Iterator[Flaw]:
    name, adapter = path[-1], table.get("adapter")
    needed = _NEEDS.get(adapter) if isinstance(adapter, str) else None
    if needed is not None and needed not in table:
        yield Flaw(path, f"[providers.{name}] needs {needed} (adapter {adapter})")
    if needed is not None:
        for useless in ("base_url", "headers", *keys.KEY_SETTINGS):
            if table.get(useless):
                instead = _INSTEAD[str(adapter)]
                yield Flaw((*path, useless), f"the adapter {adapter} doesn't take {useless}: {instead}")
    if "preset" in table or adapter in SPECIAL or catalogue.known(name):
        return
    if "adapter" not in table and not _meant(table, "adapter") and not _meant(table, "preset"):
        known = did_you_mean(name, catalogue.names())
        yield Flaw(path, f"[providers.{name}] needs adapter or preset{known}")
    if "base_url" not in table and not _meant(table, "base_url"):
        yield Flaw(path, f"[providers.{name}] needs base_url")


def _meant(table: Mapping[str, object], key: str) -> bool:
    """Return whether a table has a misspelt form of the key, which is reported separately."""
    return any(typo_of(name, [key]) for name in table if name not in keys.PROVIDER)


_NEEDS: Mapping[str, str] = {"exec": "command", "runnable": "factory", "replay": "file"}
_INSTEAD: Mapping[str, str] = {
    "exec": "put it into the command or its environment",
    "runnable": "put it into options, under the factory's own name for it",
    "replay": "a recording sends no request",
}


def _inside(path: tuple[str, ...], value: object) -> Iterator[Flaw]:
    inner = path[-2]
    known = keys.INSIDE[inner].get(path[-1])
    if known is None:
        yield _unknown(path, keys.INSIDE[inner], f" in {inner}")
    else:
        yield from _plain(path, known.kind, value, f"{inner}.{path[-1]}")


def option(path: tuple[str, ...], value: object) -> Iterator[Flaw]:
    """Yield the problems of a model option of a provider or template."""
    meant = misspelt(path[-1])
    if meant is not None:
        yield Flaw(path, f'unknown option "{path[-1]}"; did you mean "{meant}"?')
    flaw = kinds.option(path[-1], value)
    if flaw is not None:
        yield Flaw(path, f"option {path[-1]} {flaw}")


def _header(path: tuple[str, ...], value: object) -> Iterator[Flaw]:
    name = path[-1]
    if not name or not all(c.isascii() and (c.isalnum() or c in "!#$%&'*+-.^_`|~") for c in name):
        yield Flaw(path, f"{quoted(name)} is not a valid HTTP header name")
    yield from _plain(path, kinds.header, value, f"header {quoted(name)}")


def _body(path: tuple[str, ...], value: object) -> Iterator[Flaw]:
    yield from _plain(path, kinds.json, value, f"extra_body.{path[-1]}")


_INSIDE: Mapping[str, Callable[[tuple[str, ...], object], Iterator[Flaw]]] = {
    "headers": _header,
    "options": option,
    "extra_body": _body,
    "timeout": _inside,
    "limits": _inside,
}


def _plain(path: tuple[str, ...], kind: kinds.Complaint, value: object, called: str = "") -> Iterator[Flaw]:
    flaw = kind(value)
    if flaw is not None:
        yield Flaw(path, f"{called or path[-1]} {flaw}")


def table(
    path: tuple[str, ...], value: object, inside: Callable[[tuple[str, ...], object], Iterator[Flaw]]
) -> Iterator[Flaw]:
    """Yield the problems of a table: that it is not one, or what `inside` yields for each of its values."""
    if not isinstance(value, dict):
        remedy = f"; write timeout = {{ total = {value} }}" if _is_seconds(path, value) else ""
        yield Flaw(path, f"{path[-1]} must be a table, not {kinds.kind_of(value)}{remedy}")
        return
    for name, item in value.items():
        yield from inside((*path, name), item)


def _is_seconds(path: tuple[str, ...], value: object) -> bool:
    """Return whether a value is one number for all limits, as other clients have it."""
    return path[-1] == "timeout" and type(value) in (int, float)


def _unknown(path: tuple[str, ...], right: Mapping[str, object] | list[str], where: str) -> Flaw:
    guess = "" if where.startswith(":") else did_you_mean(path[-1], right)
    return Flaw(path, f"unknown key {quoted(path[-1])}{where}{guess}")


def _at_home(name: str, value: object) -> str:
    if name in keys.PROVIDER or name in keys.TABLES:
        return ": it belongs under [providers.NAME]"
    looks_like_one = isinstance(value, dict) and any(
        key in keys.PROVIDER or key in keys.TABLES for key in value
    )
    return (
        f": write [providers.{name}]"
        if isinstance(value, dict) and (looks_like_one or catalogue.known(name))
        else ""
    )
