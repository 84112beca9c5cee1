"""Parts of a Target that a provider's pile of tables gives: limits, the local model, signing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from llmstream.config import paths
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint, Json
from llmstream.runnable.targets import LocalSettings

if TYPE_CHECKING:
    from llmstream.config.layers import Provider


def aws_region(provider: Provider, endpoint: Endpoint) -> str:
    """Return the region to sign requests for, empty where a key is sent instead."""
    if provider.adapter != "bedrock" or endpoint.api_key is not None:
        return ""
    named = provider.text("aws_region")
    # bedrock-runtime.us-east-1.amazonaws.com
    return named or [*endpoint.base_url.split("."), "", ""][1] or "us-east-1"


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
