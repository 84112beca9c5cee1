"""Resolve a name such as ``work/gpt-5-mini`` to a Target.

Flags override the environment, which overrides the file, which overrides the catalogue and the defaults.
A provider's settings are layers, the strongest first (`layers.py`); from them and the flags, the Target is
made here.  The variables of a vendor's own tools (``OPENAI_BASE_URL``) belong to that vendor's catalogue row:
they change its default, but never override what the file sets.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from llmstream.config import layers, parts, paths
from llmstream.config.file.load import ConfigFile, load
from llmstream.config.keys import find as secrets
from llmstream.errors import ConfigError
from llmstream.nearest import quoted
from llmstream.prompt import Endpoint, Options, Secret
from llmstream.record import Record, replace
from llmstream.runnable.options import options_from
from llmstream.runnable.targets import Target

if TYPE_CHECKING:
    from llmstream.config.keys.find import KeyState
    from llmstream.config.layers import Provider

DEFAULT_MODEL: Final = "local"
MODEL_VARIABLE: Final = "LLMSTREAM_MODEL"
CONFIG_VARIABLE: Final = "LLMSTREAM_CONFIG"


class Overrides(Record):
    """Settings from flags, which override all others.

    Args:
        options: model options; None in a field leaves it to the configuration.
        limits: seconds, by the names in `timeout`: connect, first_token, idle, total.
        max_retries: attempts after the first, None to leave it to the configuration.
    """

    options: Options | None = None
    limits: Mapping[str, float] = {}
    max_retries: int | None = None


class Choice(Record):
    """The chosen model and what chose it.

    Args:
        spec: as written: PROVIDER, PROVIDER/MODEL or an alias.
        origin: ``--model``, ``$LLMSTREAM_MODEL``, the file's path, or ``default``.
    """

    spec: str
    origin: str


class Settings:
    """The configuration of one process: file, environment and catalogue.

    `file` is the configuration file, `environment` the environment variables.
    """

    def __init__(self, file: ConfigFile, environment: Mapping[str, str]) -> None:
        self.file = file
        self.environment = environment

    @classmethod
    def load(cls, config_path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the configuration file and return the settings.

        Args:
            config_path: ``--config``; None for ``$LLMSTREAM_CONFIG``, else the user's own file.
            environment: None for the process's.

        Raises:
            ConfigError: the file can't be read or is invalid.
        """
        variables = os.environ if environment is None else environment
        path, named = config_path_of(config_path, variables)
        return cls(load(path, required=named), variables)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Messages for the user about the configuration file."""
        return self.file.warnings

    @property
    def aliases(self) -> Mapping[str, str]:
        """The file's aliases."""
        return self.file.aliases

    def choice(self, flag: str | None = None) -> Choice:
        """Return the model of `flag` (``--model``), $LLMSTREAM_MODEL or the file, else the built-in one."""
        if flag is not None:
            return Choice(flag, "--model")
        if self.environment.get(MODEL_VARIABLE):
            return Choice(self.environment[MODEL_VARIABLE], f"${MODEL_VARIABLE}")
        default = self.file.setting("default")
        if default:
            return Choice(default, str(self.file.path))
        return Choice(DEFAULT_MODEL, "default")

    def split(self, spec: str) -> tuple[str, str]:
        """Return provider and model of a name after resolving aliases; the model is "" when there is none.

        Raises:
            ConfigError: an alias refers to itself.
        """
        provider, _, model = self._followed(spec).partition("/")
        return provider, model

    def _followed(self, spec: str) -> str:
        seen = [spec]
        while spec in self.aliases:
            spec = self.aliases[spec]
            if spec in seen:
                raise ConfigError(f'the alias "{spec}" refers to itself', phase="config")
            seen.append(spec)
        return spec

    def provider(self, name: str) -> Provider:
        """Return a provider's settings.

        Raises:
            ConfigError: neither the file nor the catalogue has it (the message suggests a similar name), or
                a vendor's variable is not a valid base URL.
        """
        return layers.provider(name, self.file, self.environment)

    def target(self, spec: str, overrides: Overrides | None = None, *, fetch_key: bool = True) -> Target:
        """Return the target that `spec` names, ready to be called.

        Args:
            spec: PROVIDER, PROVIDER/MODEL or an alias; the model's name may contain slashes.
            overrides: settings from flags.
            fetch_key: False if only the key's origin is needed: the target then has a placeholder
                with that origin, even if the variable isn't set.

        Raises:
            ConfigError: an alias refers to itself, unknown provider, no model, no base URL, a key that
                can't be read, or a missing certificate file or import folder.
            MissingKey: the provider needs a key and there is none.
        """
        name, model = self.split(spec)
        if not name.strip():
            said = f"{quoted(spec)} has no provider" if spec.strip() else "the model name is empty"
            hint = "write PROVIDER/MODEL, or PROVIDER for its default model"
            raise ConfigError(said, hint=hint, phase="config")
        if not model and "/" in self._followed(spec):
            raise ConfigError(
                f"{quoted(spec)} has no model after the slash",
                hint=f"write {name}/MODEL, or {name} for its default; `llmstream models {name}` lists them",
                phase="config",
            )
        provider = layers.provider(name, self.file, self.environment, spec)
        key = self._key(provider, fetch=fetch_key) if provider.wants_key else None
        endpoint = Endpoint(
            provider=name,
            model=model or provider.model(),
            base_url=provider.base_url(),
            api_key=key,
            headers=cast("Mapping[str, str]", provider.table("headers")),
            extra_body=provider.table("extra_body"),
            quirks=provider.quirks,
        )
        return self._complete(provider, endpoint, overrides or Overrides())

    def _key(self, provider: Provider, *, fetch: bool) -> Secret | None:
        return secrets.find_key(
            provider.name,
            provider.key_settings,
            self.environment,
            folder=self._folder,
            kept=self._kept(provider.name),
            fetch=fetch,
            optional=provider.key_optional,
        )

    def _complete(self, provider: Provider, endpoint: Endpoint, overrides: Overrides) -> Target:
        foreign = provider.adapter == "runnable"
        # a factory's arguments have names of its own, so they are not checked as model options
        options = Options() if foreign else options_from(provider.table("options"))
        ca_file, client_cert = provider.text("ca_file"), provider.text("client_cert")
        return Target(
            adapter=provider.dialect,
            endpoint=endpoint,
            options=overrides.options.over(options) if overrides.options else options,
            policy=parts.policy(provider, overrides.limits, overrides.max_retries),
            local=parts.local(provider) if provider.adapter == "local" else None,
            proxy=provider.text("proxy") or None,
            ca_file=self._certificates(ca_file) if ca_file else None,
            client_cert=self._certificates(client_cert) if client_cert else None,
            aws_region=parts.aws_region(provider, endpoint),
            aws_profile=provider.text("aws_profile"),
            command=provider.words("command") if provider.adapter == "exec" else (),
            factory=provider.text("factory") if foreign else "",
            arguments=provider.table("options") if foreign else {},
            path=parts.folder(provider, self._folder),
            steps=provider.switch("steps"),
            file=parts.recording(provider, self._folder),
            limits=parts.limits(provider),
            defaults=parts.defaults(provider, endpoint.model),
            takes=parts.takes(provider),
        )

    def _certificates(self, file: str) -> Path:
        path = secrets.expanded(file, self._folder)
        if not path.is_file():
            raise ConfigError(f"ca_file or client_cert: {path} is not a file", phase="config")
        return path

    @property
    def _folder(self) -> Path | None:
        return self.file.path.parent if self.file.path else None

    def _kept(self, provider: str) -> Path | None:
        from llmstream.config.keys.kept import kept_file

        return kept_file(self._folder, provider) if self._folder else None

    def key_state(self, name: str) -> KeyState:
        """Return where a provider's key would come from, without fetching it.

        Raises:
            ConfigError: as for `provider`.
        """
        provider = self.provider(name)
        if not provider.wants_key:
            return secrets.KeyState(wanted=False, found=False, origin="")
        return secrets.key_state(
            name,
            provider.key_settings,
            self.environment,
            folder=self._folder,
            kept=self._kept(name),
            optional=provider.key_optional,
        )

    def lacks_key(self, spec: str) -> bool:
        """Return whether the provider in a name needs a key and has none.

        Raises:
            ConfigError: as for `provider`, or an alias refers to itself.
        """
        state = self.key_state(self.split(spec)[0])
        return state.wanted and not state.found

    def names(self) -> list[str]:
        """Return the names of all providers: the file's, then the rest of the catalogue's."""
        from llmstream.adapters import catalogue

        return list(dict.fromkeys([*self.file.providers, *catalogue.names()]))

    def later(self, spec: str, overrides: Overrides | None = None) -> Target:
        """Return a target that fetches its key on first use, for a fallback that may never be used.

        Raises:
            ConfigError: as for `target`, except for the key, whose errors are raised on first use.
        """
        found = self.target(spec, overrides, fetch_key=False)
        if found.endpoint.api_key is None:
            return found
        return replace(found, unlock=lambda: self.target(spec, overrides).endpoint.api_key)

    def knows(self, spec: str) -> bool:
        """Return whether the provider in a name exists, without reading the whole catalogue.

        Raises:
            ConfigError: an alias refers to itself.
        """
        return self.is_provider(self.split(spec)[0])

    def is_provider(self, name: str) -> bool:
        """Return whether a provider has exactly this name; aliases are ignored."""
        from llmstream.adapters import catalogue

        return name in self.file.providers or catalogue.known(name)


def config_path_of(flag: Path | None, environment: Mapping[str, str]) -> tuple[Path | None, bool]:
    """Return the configuration file's path, and whether it must exist because the user named it."""
    if flag is not None:
        return flag, True
    named = environment.get(CONFIG_VARIABLE)
    return (Path(named), True) if named else (paths.config_file(), False)


def library_target(spec: str | None, /, *, fetch_key: bool = True) -> Target:
    """Return the target of `spec` in the user's configuration; None is the default model.

    Raises:
        ConfigError: as for `Settings.load` and `Settings.target`.
        MissingKey: as for `Settings.target`.
    """
    settings = Settings.load()
    return settings.target(settings.choice(spec).spec, fetch_key=fetch_key)
