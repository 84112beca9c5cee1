"""The known providers: URL, environment variables, capabilities, deviations from the dialect.

The rows are data, in `catalogue.toml`.  Parsing all of them takes some milliseconds and a run needs only
one, so a row is located by its header and parsed separately; a test compares this with parsing the
complete file.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from llmstream.prompt import Json
from llmstream.record import Record

KINDS: Final = ("image", "audio", "pdf")
NO_SAMPLING: Final[Mapping[str, Mapping[str, Json]]] = MappingProxyType({})


class Row(Record):
    """One provider of the catalogue.

    Args:
        name: the name that users write before the slash.
        title: the provider's own name.
        adapter: name of its dialect's adapter.
        base_url: may contain ``{VARIABLE}`` or ``{ONE|OTHER}``, filled in from the environment; empty
            for the model in this process.
        docs: URL of the page that documents this row.
        checked: the date on which that page was last read, ISO 8601.
        model: the default model; empty if there is none.
        base_url_env: variables of the vendor's own tools that override the base URL; the first one set wins.
        api_key_env: variables for the key; the first one set wins; empty if no key is needed.
        key_optional: whether the key is optional: sent only if its variable is set.
        quirks: values of `Quirk`.
        dialect: for the model in this process, the dialect of its requests.
        streams: whether it streams token by token.
        reasoning: whether some of its models show their thinking.
        tools: whether some of its models call tools.
        images: whether some of its models accept images.
        usage_in_stream: whether it reports token counts in a stream.
        takes: kinds of attachments that its models accept; all of `KINDS` unless known otherwise.
        model_takes: kinds of attachments that the default model is known to accept in this dialect.
        sampling: model -> default options that suit it better than its server's; the user's override them.
    """

    name: str
    title: str
    adapter: str
    base_url: str
    docs: str
    checked: str
    model: str = ""
    base_url_env: tuple[str, ...] = ()
    api_key_env: tuple[str, ...] = ()
    key_optional: bool = False
    quirks: tuple[str, ...] = ()
    dialect: str = ""
    streams: bool = True
    reasoning: bool = False
    tools: bool = False
    images: bool = False
    usage_in_stream: bool = False
    takes: tuple[str, ...] = KINDS
    model_takes: tuple[str, ...] = ()
    sampling: Mapping[str, Mapping[str, Json]] = NO_SAMPLING


def known(name: str) -> bool:
    """Return whether the catalogue has a provider of this name, without parsing it."""
    return f"\n[{name}]\n" in _text()


def row(name: str) -> Row | None:
    """Return the provider of this name, None if it is not in the catalogue."""
    import tomllib

    text = _text()
    start = text.find(f"\n[{name}]\n")
    if start < 0:
        return None
    end = text.find("\n[", start + 1)
    table = tomllib.loads(text[start : end + 1 if end >= 0 else None])
    return _row(name, table[name])


def rows() -> list[Row]:
    """Return all providers in the catalogue's order."""
    import tomllib

    return [_row(name, table) for name, table in tomllib.loads(_text()).items()]


def names() -> list[str]:
    """Return all providers' names in the catalogue's order, without parsing the rows."""
    return [line[1:-1] for line in _text().split("\n") if line.startswith("[") and line.endswith("]")]


def _text() -> str:
    from pathlib import Path

    # with the leading newline, the first row is found like the others
    return "\n" + Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")


def _row(name: str, table: Mapping[str, Json]) -> Row:
    lists = {k: tuple(cast("list[str]", v)) if isinstance(v, list) else v for k, v in table.items()}
    return Row(name=name, **lists)  # type: ignore[arg-type]  # a test checks each row's types
