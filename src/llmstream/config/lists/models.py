"""A provider's own list of models, asked for at most once a day."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from llmstream.adapters.base import Adapter
from llmstream.adapters.registry import SPECIAL, adapter
from llmstream.config import paths
from llmstream.config.settings import Settings
from llmstream.errors import ConfigError, LLMStreamError
from llmstream.prompt import Message, Options, Prompt
from llmstream.runnable.targets import Target
from llmstream.transport.http.common import Connection
from llmstream.transport.http.documents import fetch_document
from llmstream.wire.document import parse

FRESH: Final = 24 * 3600.0
PATIENCE: Final = 30.0


def models_of(settings: Settings, name: str, *, refresh: bool = False) -> list[str]:
    """Return a provider's models, sorted.

    Args:
        settings: the configuration.
        name: of the provider.
        refresh: ask the provider whatever the cache says.

    Raises:
        ConfigError: the provider is unknown, or has no such list.
        LLMStreamError: it could not be asked.
    """
    if settings.provider(name).adapter == "local":
        from llmstream.local.models import installed

        return [model.name for model in installed(paths.models_folder())]
    # its default model need not be known to ask which there are
    target = settings.target(f"{name}/-")
    dialect = None if target.adapter in SPECIAL else adapter(target.adapter)
    url = dialect.models_url(target.endpoint) if dialect else None
    if dialect is None or url is None:
        raise ConfigError(f"{name} ({target.adapter}) has no list of models", provider=name)
    kept = paths.cache_folder() / "models" / f"{name}.json"
    if not refresh and (cached := _cached(kept, url)) is not None:
        return cached
    document = _asked(dialect, target, url)
    found = sorted(set(dialect.models(document)))
    with suppress(OSError, LLMStreamError):
        paths.write_private(kept, json.dumps({"url": url, "at": time.time(), "models": found}))
    return found


def _asked(dialect: Adapter, target: Target, url: str) -> object:
    """Return the provider's answer, asked with the headers of its other requests."""
    endpoint = target.endpoint
    request = dialect.request(Prompt((Message("user", "-"),)), Options(), endpoint, stream=False)
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    route = Connection(
        target.proxy, target.ca_file, target.client_cert, target.aws_region, target.aws_profile
    )
    try:
        head, body = fetch_document(url, headers, route, connect=target.policy.connect, seconds=PATIENCE)
        if head.status >= 300:
            raise dialect.error(head.status, head.headers, body)
        return parse(body.decode("utf-8", "replace"))
    except LLMStreamError as error:
        error.provider = endpoint.provider
        error.message = f"{endpoint.provider} ({urlsplit(url).netloc}), list of models: {error.message}"
        if endpoint.api_key is not None:
            error.message = endpoint.api_key.redact(error.message)
        raise


def _cached(path: Path, url: str) -> list[str] | None:
    try:
        kept = json.loads(path.read_text("utf-8"))
        fresh = kept["url"] == url and 0 <= time.time() - kept["at"] < FRESH
        return [str(name) for name in kept["models"]] if fresh else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
