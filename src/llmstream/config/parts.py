"""Parts of a Target that a provider's pile of tables gives: limits, the local model, signing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from llmstream.config import paths
from llmstream.engine.policy import Policy
from llmstream.local.settings import LocalSettings
from llmstream.prompt import Endpoint, Json

if TYPE_CHECKING:
    from llmstream.config.layers import Provider


def aws_region(provider: Provider, endpoint: Endpoint) -> str:
    """Return the region to sign requests for, empty where a key is sent instead."""
    if provider.adapter != "bedrock" or endpoint.api_key is not None:
        return ""
    # bedrock-runtime.us-east-1.amazonaws.com, vpce-0a1b.bedrock-runtime.us-gov-west-1.vpce.amazonaws.com
    in_address = re.search(r"[./]([a-z]{2}(?:-[a-z]+)+-\d)\.", endpoint.base_url)
    named = (provider.text("aws_region"), in_address[1] if in_address else "")
    known = (provider.environment.get(variable, "") for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    return next(filter(None, (*named, *known)), "us-east-1")


def policy(provider: Provider, limits: Mapping[str, float], retries: int | None) -> Policy:
    """Return the limits: those of flags over those of the provider.

    Args:
        provider: the provider.
        limits: what flags say, by name.
        retries: what a flag says, None when it says nothing.
    """
    given = {**provider.table("timeout"), **limits}
    if retries is None:
        retries = provider.number("max_retries", Policy().max_retries)
    return Policy(**_floats(given), max_retries=retries)


def _floats(limits: Mapping[str, Json | float]) -> dict[str, float]:
    return {name: float(cast(float, value)) for name, value in limits.items()}


def local(provider: Provider) -> LocalSettings:
    """Return how the model in this process is run."""
    return LocalSettings(
        folder=paths.models_folder(),
        context=provider.number("context", 0),
        threads=provider.number("threads", 0),
    )
