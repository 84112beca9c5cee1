"""One provider's settings as layers of tables, the strongest first.

Keeping the layers apart instead of merging them lets `config show --origin` report the origin of each
value, at no cost to a plain run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast
from urllib.parse import urlsplit

from llmstream.adapters import catalogue
from llmstream.adapters.catalogue import Row
from llmstream.adapters.registry import SPECIAL
from llmstream.config.file import table as keys
from llmstream.config.file.load import ConfigFile
from llmstream.errors import ConfigError
from llmstream.nearest import nearest, quoted
from llmstream.prompt import Json
from llmstream.record import Record

OLLAMA_PORT: Final = 11434


class Layer(Record):
    """One table of settings and its origin.

    Args:
        origin: the file's path, ``$VARIABLE``, ``catalogue``, ``flag`` or ``default``.
        table: settings by the names of the configuration file.
        variables: setting -> the environment variable that gave it.
    """

    origin: str
    table: Mapping[str, object]
    variables: Mapping[str, str] = {}


class Provider:
    """One provider's settings.

    Args:
        name: as the user writes it before the slash.
        layers: strongest first.
        environment: the environment variables.
        row: the catalogue row that it is based on, None without one.
    """

    __slots__ = ("environment", "layers", "name", "row")

    def __init__(
        self, name: str, layers: tuple[Layer, ...], environment: Mapping[str, str], row: Row | None
    ) -> None:
        self.name = name
        self.layers = layers
        self.environment = environment
        self.row = row

    def text(self, key: str) -> str:
        """Return a setting that is text, "" when it isn't set."""
        value = self._first(key)
        return value if isinstance(value, str) else ""

    def words(self, key: str) -> tuple[str, ...]:
        """Return a setting that is a list of texts, empty when it isn't set."""
        found = self._first(key)
        return tuple(cast("list[str]", found)) if isinstance(found, list) else ()

    def number(self, key: str, default: int) -> int:
        """Return a setting that is a whole number, `default` when it isn't set."""
        value = self._first(key)
        return value if isinstance(value, int) else default

    def switch(self, key: str, default: bool = False) -> bool:
        """Return a setting that is true or false, `default` when it isn't set."""
        value = self._first(key)
        return value if isinstance(value, bool) else default

    def table(self, key: str) -> dict[str, Json]:
        """Return a setting that is a table, merged from all layers."""
        merged: dict[str, Json] = {}
        for layer in reversed(self.layers):
            merged.update(cast("Mapping[str, Json]", layer.table.get(key, {})))
        return merged

    def _first(self, key: str) -> object:
        return next((layer.table[key] for layer in self.layers if key in layer.table), None)

    @property
    def adapter(self) -> str:
        """The adapter's name, which may also be `local`, `exec`, `runnable` or `replay`."""
        return self.text("adapter")

    @property
    def dialect(self) -> str:
        """The API that the provider speaks: the adapter; for `local` the setting `dialect` (openai-chat)."""
        return (self.text("dialect") or "openai-chat") if self.adapter == "local" else self.adapter

    @property
    def quirks(self) -> frozenset[str]:
        """Known deviations; the catalogue's are ignored when the file sets another adapter."""
        for layer in self.layers:
            if "quirks" in layer.table and layer.table.get("adapter", self.adapter) == self.adapter:
                return frozenset(cast("list[str]", layer.table["quirks"]))
        return frozenset()

    def model(self) -> str:
        """Return the default model; for `exec`, `runnable` and `replay` what the provider runs or reads.

        Raises:
            ConfigError: the provider has no default model.
        """
        model = self.text("model")
        if not model and self.adapter in ("exec", "runnable", "replay"):
            return (self.words("command") or (self.text("factory") or self.text("file"),))[0]
        if not model:
            what = f"no model given, and {self.name} has no default model"
            raise ConfigError(what, hint=f"write {self.name}/MODEL", provider=self.name, phase="config")
        return model

    @property
    def wants_key(self) -> bool:
        """Whether the adapter talks to a server that may need a key."""
        return self.adapter not in SPECIAL

    @property
    def key_settings(self) -> Mapping[str, object]:
        """The settings that give the key, from the strongest layer that has any.

        The variable of a catalogue row is left out for a provider that is based on another provider's row
        and has its base URL elsewhere, so that one provider's key isn't sent to another.
        """
        for layer in self.layers:
            found = {key: layer.table[key] for key in keys.KEY_SETTINGS if key in layer.table}
            if found and not (layer.origin == "catalogue" and self._elsewhere()):
                return found
        return {}

    @property
    def key_optional(self) -> bool:
        """Whether requests can be sent without a key: the provider allows it and the file configures none.

        Bedrock, for example, also accepts AWS credentials.
        """
        own = self.layers[:-1] if self.row is not None else self.layers
        said = any(key in layer.table for layer in own for key in keys.KEY_SETTINGS)
        optional = self.row.key_optional if self.row is not None else self.adapter == "bedrock"
        return optional and not said

    def _elsewhere(self) -> bool:
        row = self.row
        if row is None or row.name == self.name or not row.api_key_env:
            return False
        home, there = _origin(row.base_url), _origin(self.text("base_url"))
        _, brace, domain = home[1].rpartition("}")
        if brace:
            # the part after the last variable is the vendor's domain, such as .amazonaws.com
            return there[0] != home[0] or not there[1].endswith(domain)
        return bool(home[1]) and there != home

    def base_url(self) -> str:
        """Return the API's URL, variables filled in, no trailing slash; "" if `wants_key` is False.

        Raises:
            ConfigError: none is set, a variable in it isn't set, or the result is not a URL.
        """
        if not self.wants_key:
            return ""
        template = self.text("base_url")
        if not template:
            what = f"no base_url is set for {self.name}"
            hint = f"set it under [providers.{self.name}] in the configuration"
            raise ConfigError(what, hint=hint, provider=self.name, phase="config")
        return self._filled(template).rstrip("/")

    def _filled(self, template: str) -> str:
        if "{" not in template or self.row is None or template != self.row.base_url:
            return template
        from llmstream.config.file.kinds import url

        filled = template
        for choice in _variables(template):
            names = choice.split("|")
            said = self.text("aws_region") if "AWS_REGION" in names else ""
            value = said or next((self.environment[n] for n in names if self.environment.get(n)), "")
            if not value:
                what = f"the URL of {self.name} needs ${names[0]}, which is not set"
                hint = f"set {names[0]}, or base_url under [providers.{self.name}] in the configuration"
                raise ConfigError(what, hint=hint, provider=self.name, phase="config")
            filled = filled.replace(f"{{{choice}}}", value.strip().rstrip("/"))
        flaw = url(filled)
        if flaw is not None:
            made_with = " and ".join("$" + choice.replace("|", " or $") for choice in _variables(template))
            what = f"the URL of {self.name} (built from {made_with}) {flaw}"
            raise ConfigError(what, provider=self.name, phase="config")
        return filled


def provider(name: str, file: ConfigFile, environment: Mapping[str, str], spec: str = "") -> Provider:
    """Return a provider's settings.

    Args:
        name: its name.
        file: the configuration file.
        environment: the environment variables.
        spec: what the user typed, for the message; "" for the name alone.

    Raises:
        ConfigError: the provider is unknown, or a vendor's variable is not a valid base URL.
    """
    table = file.providers.get(name)
    row = catalogue.row(cast(str, table.get("preset", name)) if table else name)
    if table is None and row is None:
        raise _unknown(name, spec or name, file)
    piled = []
    if table is not None:
        piled.append(Layer(str(file.path), table))
    if row is not None:
        piled += _of_row(row, name, environment)
    return Provider(name, tuple(piled), environment, row)


def _of_row(row: Row, name: str, environment: Mapping[str, str]) -> Iterator[Layer]:
    # the vendor's variable doesn't apply to other providers that are based on this row
    moved = next((v for v in row.base_url_env if environment.get(v)), None) if row.name == name else None
    if moved is not None:
        value = address(environment[moved], row, moved)
        yield Layer(f"${moved}", {"base_url": value}, {"base_url": moved})
    yield Layer("catalogue", row_table(row))


def row_table(row: Row) -> dict[str, object]:
    """Return a catalogue row's settings under their names in the configuration file."""
    table: dict[str, object] = {
        "adapter": row.adapter,
        "base_url": row.base_url,
        "model": row.model,
        "dialect": row.dialect,
        "quirks": list(row.quirks),
    }
    return {**{k: v for k, v in table.items() if v}, "api_key_env": list(row.api_key_env) or ""}


def address(value: str, row: Row, variable: str) -> str:
    """Return the base URL in a vendor's variable.

    Ollama's may lack scheme and port, and may be an address that the server listens on.

    Raises:
        ConfigError: it is not a valid base URL.

    Source: github.com/ollama/ollama, envconfig/config.go, `Host`, 2026-11-21.
    """
    from llmstream.config.file.kinds import base_url

    full = _ollama(value.strip(" \"'")) if row.adapter == "ollama" else value.strip()
    flaw = base_url(full)
    if flaw is not None:
        raise ConfigError(f"${variable} {flaw}", provider=row.name, phase="config")
    return full.rstrip("/")


def _ollama(value: str) -> str:
    scheme, sign, rest = value.partition("://")
    if not sign:
        scheme, rest = "http", value
    place, slash, path = rest.partition("/")
    host, colon, port = place.rpartition(":")
    if not colon or "]" in port:
        host, port = place, {"http": "80", "https": "443"}.get(scheme, "") if sign else ""
    # 0.0.0.0 and [::] mean all addresses to a server; a client must name one
    host = "127.0.0.1" if host in ("", "0.0.0.0") else "[::1]" if host in ("[::]", "[::0]") else host  # noqa: S104
    return f"{scheme}://{host}:{port or OLLAMA_PORT}{slash}{path}"


def _variables(template: str) -> list[str]:
    return [part.partition("}")[0] for part in template.split("{")[1:]]


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def _unknown(name: str, spec: str, file: ConfigFile) -> ConfigError:
    known = [*file.providers, *file.aliases, *catalogue.names()]
    close = nearest(name, known)
    what = f"unknown provider {quoted(name)}" + (f" in {quoted(spec)}" if spec != name else "")
    if close is not None:
        return ConfigError(f'{what}; did you mean "{close}"?', phase="config")
    by_model = [row.name for row in catalogue.rows() if row.model == spec]
    if by_model:
        return ConfigError(f'{what}; did you mean "{by_model[0]}/{spec}"?', phase="config")
    return ConfigError(what, hint="write PROVIDER/MODEL; `llmstream providers` lists them", phase="config")
