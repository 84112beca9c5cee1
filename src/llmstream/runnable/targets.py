"""What a model's name stands for: adapter, endpoint, options and limits of one provider.

The library asks for a Target by name; which names there are is for the configuration to say, a
floor above, so it hands its resolver in here.  Without one the built-in catalogue alone is known.
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
    """What a batch may use of a provider a minute; 0 for any number.

    Args:
        rpm: requests.
        tpm: tokens, of prompts and answers together.
    """

    rpm: float = 0
    tpm: float = 0


class Target(Record):
    """One provider's model, ready to be called.

    Args:
        adapter: name of the dialect, as the registry has it.
        endpoint: where and what to ask; for `local` its base_url is empty until it has started.
        options: the configured ones, under those of the call.
        policy: limits.
        local: set when the model runs in this process.
        proxy: URL of a proxy for this provider, None for the environment's.
        ca_file: certificates to trust beside the system's.
        client_cert: certificate and key to show the server, as PEM.
        aws_region: set when requests are signed with AWS's own credentials.
        aws_profile: whose these are, empty for AWS's own choice.
        command: of the adapter `exec`: the argument list.
        factory: of the adapter `runnable`: what makes the object, ``package.module:Class``.
        arguments: of the adapter `runnable`: the factory's keyword arguments.
        unlock: gets the endpoint's key when it is needed and not before, None when it has it.
        file: of the adapter `replay`: the recording that answers.
        path: of the adapter `runnable`: a folder from which the factory is imported too.
        steps: of the adapter `runnable`: the object's own steps are wanted as events.
        limits: what a batch may use a minute.
        defaults: the catalogue's own for this model, under all others; no part of what the user asked for.
        takes: kinds of attachments that can be sent: ``image audio pdf``; None where nothing is known.
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
    """Finds what a model's name stands for."""

    def __call__(self, spec: str | None, /, *, fetch_key: bool) -> Target:
        """Return the target; None stands for the default model.

        Args:
            spec: PROVIDER/MODEL, PROVIDER or an alias.
            fetch_key: False where the caller brings a key of its own.
        """
        ...


_resolvers: list[Resolver] = []


def use(resolver: Resolver) -> None:
    """Have `resolve` ask this resolver from now on."""
    _resolvers[:] = [resolver]


def resolve(spec: str | None, *, fetch_key: bool = True) -> Target:
    """Return what a model's name stands for.

    Raises:
        ConfigError: nobody knows, or no resolver was handed in (``import llmstream`` does).
    """
    if not _resolvers:
        raise ConfigError("no configuration is loaded: import LLM from llmstream")
    return _resolvers[0](spec, fetch_key=fetch_key)
