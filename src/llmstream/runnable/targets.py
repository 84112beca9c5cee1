"""Targets: the adapter, endpoint, options and limits to which a model's name resolves.

The library resolves names through this module, because it must not import the configuration, which
registers its resolver here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from llmstream.engine.policy import Policy
from llmstream.errors import ConfigError
from llmstream.local.settings import LocalSettings
from llmstream.prompt import NOTHING, Endpoint, Json, Options, Secret
from llmstream.record import Record


class RateLimits(Record):
    """A batch's limits for one provider, per minute; 0 means no limit.

    Args:
        rpm: requests.
        tpm: tokens of prompts and answers together.
    """

    rpm: float = 0
    tpm: float = 0


class Target(Record):
    """A provider's model, ready to be called.

    Args:
        adapter: the dialect's name in the registry.
        endpoint: the API and model; for `local` its base_url is empty until the server has started.
        options: the configured options, overridden by those of the call.
        policy: time limits and retries.
        local: the settings of a model that runs in this process, else None.
        proxy: URL of a proxy for this provider, None to use the environment's.
        ca_file: certificate authorities to trust in addition to the system's.
        client_cert: certificate and key to present to the server, as a PEM file.
        aws_region: set if requests are signed with AWS credentials.
        aws_profile: the profile of these credentials, empty for AWS's default.
        command: for the adapter `exec`, the argument list.
        factory: for the adapter `runnable`, the callable that creates the object, ``package.module:Class``.
        arguments: for the adapter `runnable`, the factory's keyword arguments.
        unlock: gets the endpoint's key when it is first needed, None if the endpoint already has it.
        file: for the adapter `replay`, the path of the recording.
        path: for the adapter `runnable`, an additional folder to import the factory from.
        steps: for the adapter `runnable`, whether the object's own steps become events.
        limits: the limits of a batch.
        defaults: the catalogue's options for this model, overridden by all others; not counted as the user's.
        takes: kinds of attachments that the model accepts, of ``image audio pdf``; None if unknown.
    """

    adapter: str
    endpoint: Endpoint
    options: Options = Options()
    policy: Policy = Policy()
    local: LocalSettings | None = None
    proxy: str | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    aws_region: str = ""
    aws_profile: str = ""
    command: tuple[str, ...] = ()
    factory: str = ""
    arguments: Mapping[str, Json] = NOTHING
    unlock: Callable[[], Secret | None] | None = None
    file: Path | None = None
    path: Path | None = None
    steps: bool = False
    limits: RateLimits = RateLimits()
    defaults: Options = Options()
    takes: tuple[str, ...] | None = None


class Resolver(Protocol):
    """Resolves a model's name."""

    def __call__(self, spec: str | None, /, *, fetch_key: bool) -> Target:
        """Return the target of a name.

        Args:
            spec: PROVIDER/MODEL, PROVIDER or an alias; None for the default model.
            fetch_key: False if the caller provides a key.
        """
        ...


_resolvers: list[Resolver] = []


def use(resolver: Resolver) -> None:
    """Make `resolve` use this resolver from now on."""
    _resolvers[:] = [resolver]


def resolve(spec: str | None, *, fetch_key: bool = True) -> Target:
    """Return the target of a model's name.

    Raises:
        ConfigError: the name is unknown, or no resolver is registered (``import llmstream`` registers one).
    """
    if not _resolvers:
        raise ConfigError("no configuration is loaded: import LLM from llmstream")
    return _resolvers[0](spec, fetch_key=fetch_key)
