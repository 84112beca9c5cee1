"""Parts of a Target made from a provider's layers: limits, the local model, signing."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from llmstream.adapters.catalogue import KINDS
from llmstream.config import paths
from llmstream.config.keys.find import expanded
from llmstream.engine.policy import Policy
from llmstream.errors import ConfigError
from llmstream.local.settings import LocalSettings
from llmstream.prompt import Endpoint, Json, Options
from llmstream.runnable.options import options_from
from llmstream.runnable.targets import RateLimits

NO_OPTIONS: Final = Options()

if TYPE_CHECKING:
    from pathlib import Path

    from llmstream.config.layers import Provider


def aws_region(provider: Provider, endpoint: Endpoint) -> str:
    """Return the AWS region to sign requests for, "" when a key is sent or nothing is signed."""
    if provider.adapter != "bedrock" or endpoint.api_key is not None:
        return ""
    # bedrock-runtime.us-east-1.amazonaws.com, vpce-0a1b.bedrock-runtime.us-gov-west-1.vpce.amazonaws.com
    in_address = re.search(r"[./]([a-z]{2}(?:-[a-z]+)+-\d)\.", endpoint.base_url)
    named = (provider.text("aws_region"), in_address[1] if in_address else "")
    known = (provider.environment.get(variable, "") for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    return next(filter(None, (*named, *known)), "us-east-1")


def policy(provider: Provider, limits: Mapping[str, float], retries: int | None) -> Policy:
    """Return the timeouts and retries; those of flags override the provider's.

    Args:
        provider: the provider.
        limits: timeouts set by flags, in seconds, by name.
        retries: number of retries set by a flag, None if it wasn't given.
    """
    given = {**provider.table("timeout"), **limits}
    if retries is None:
        retries = provider.number("max_retries", Policy().max_retries)
    return Policy(**_floats(given), max_retries=retries)


def _floats(limits: Mapping[str, Json | float]) -> dict[str, float]:
    return {name: float(cast(float, value)) for name, value in limits.items()}


def local(provider: Provider) -> LocalSettings:
    """Return the settings of the model in this process."""
    return LocalSettings(
        folder=paths.models_folder(),
        context=provider.number("context", 0),
        threads=provider.number("threads", 0),
    )


def limits(provider: Provider) -> RateLimits:
    """Return the rate limits of a batch: requests and tokens per minute."""
    return RateLimits(**_floats(provider.table("limits")))


def defaults(provider: Provider, model: str) -> Options:
    """Return the catalogue's default options for a model; most models have none."""
    row = provider.row
    known = row.sampling.get(model) if row is not None and row.adapter == provider.adapter else None
    return options_from(known) if known else NO_OPTIONS


def takes(provider: Provider) -> tuple[str, ...] | None:
    """Return the kinds of attachments that the provider accepts, None if it isn't known to refuse any."""
    row = provider.row
    known = row is not None and row.adapter == provider.adapter and row.takes != KINDS
    return row.takes if row is not None and known else None


def folder(provider: Provider, beside: Path | None) -> Path | None:
    """Return the additional folder to import a factory from, None for none.

    Raises:
        ConfigError: it can't be found, is not a folder, belongs to another user (except root), or other
            users can write to it.
    """
    named = provider.text("path")
    if not named or provider.adapter != "runnable":
        return None
    path = expanded(named, beside)
    try:
        status = path.stat()
    except OSError as error:
        raise ConfigError(f"can't import from {path}: {error.strerror}", phase="config") from error
    if not stat.S_ISDIR(status.st_mode):
        raise ConfigError(f"can't import from {path}: not a folder", phase="config")
    if sys.platform != "win32" and status.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"refusing to import from {path}: it belongs to another user (id {status.st_uid})",
            hint="copy what you trust into a folder of yours, and name that one",
            phase="config",
        )
    if sys.platform != "win32" and status.st_mode & 0o022:
        raise ConfigError(
            f"refusing to import from {path}: other users can write to it",
            hint=f"remove their access: chmod go-w {path}",
            phase="config",
        )
    return path


def recording(provider: Provider, beside: Path | None) -> Path | None:
    """Return the path of the recording to answer from, None unless the adapter is `replay`."""
    named = provider.text("file")
    return expanded(named, beside) if named and provider.adapter == "replay" else None
