"""A provider's own list of models, cached for a day."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Final

from llmstream.adapters.base import Adapter
from llmstream.adapters.opening import check
from llmstream.adapters.registry import SPECIAL, adapter
from llmstream.config import paths
from llmstream.config.lists.details import Details, details_of
from llmstream.config.settings import Settings
from llmstream.engine.placing import host, placed, refused
from llmstream.errors import ConfigError, LLMStreamError
from llmstream.prompt import Message, Options, Prompt
from llmstream.record import names as names_of
from llmstream.runnable.targets import Target
from llmstream.transport.http.common import Connection
from llmstream.transport.http.documents import fetch_document
from llmstream.wire.document import parse
from llmstream.wire.message import WireMessage
from llmstream.wire.sniff import refuse_page

FRESH: Final = 24 * 3600.0
PATIENCE: Final = 30.0


def models_of(
    settings: Settings, name: str, *, refresh: bool = False, seconds: float = PATIENCE
) -> list[str]:
    """Return the sorted names of a provider's models; arguments and errors as for `of_one`."""
    return list(of_one(settings, name, refresh=refresh, seconds=seconds))


def of_one(
    settings: Settings, name: str, *, refresh: bool = False, seconds: float = PATIENCE
) -> dict[str, Details]:
    """Return a provider's models, sorted by name, with their details.

    Args:
        settings: the configuration.
        name: the provider.
        refresh: ignore the cached list and fetch a new one.
        seconds: time limit for the request.

    Raises:
        ConfigError: the provider is unknown, has no list of models, or its configuration is incomplete.
        MissingKey: it needs a key and has none.
        LLMStreamError: the list could not be fetched.
    """
    if settings.provider(name).adapter == "local":
        from llmstream.local.models import installed

        return {model.name: Details() for model in installed(paths.models_folder())}
    # "-", because the provider may have no default model
    target = settings.target(f"{name}/-")
    dialect = None if target.adapter in SPECIAL else adapter(target.adapter)
    url = dialect.models_url(target.endpoint) if dialect else None
    if dialect is None or url is None:
        raise ConfigError(f"{name} ({target.adapter}) has no list of models", provider=name)
    kept = paths.cache_folder() / "models" / f"{name}.json"
    if not refresh and (cached := _cached(kept, url)) is not None:
        return cached
    document = _asked(dialect, target, url, seconds)
    found = details_of(document, sorted(set(dialect.models(document))))
    if not found:
        # not stored, because a local server may load its first model at any time
        return found
    details = {model: one.to_dict() for model, one in found.items() if one != Details()}
    # names last: the completion scripts read what follows "models"
    content = {"url": url, "at": time.time(), "details": details, "models": list(found)}
    with suppress(OSError, LLMStreamError):
        paths.write_private(kept, json.dumps(content))
    return found


def of_all(
    settings: Settings, *, refresh: bool = False
) -> tuple[dict[str, dict[str, Details]], list[LLMStreamError]]:
    """Return the models of every provider that is ready, and the errors of those that failed.

    All providers are asked at the same time.

    Args:
        settings: the configuration.
        refresh: as for `of_one`.

    Raises:
        LLMStreamError: providers failed and none of the others has a model; the first error.
    """
    names = ready(settings)
    answers: Queue[tuple[str, dict[str, Details] | LLMStreamError]] = Queue()

    def ask(name: str) -> None:
        try:
            answers.put((name, of_one(settings, name, refresh=refresh)))
        except LLMStreamError as error:
            answers.put((name, error))

    # daemon threads, so that Ctrl-C ends the command at once
    for name in names:
        Thread(target=ask, args=(name,), daemon=True).start()
    found = dict(answers.get() for _ in names)
    failures = [one for name in names if isinstance(one := found[name], LLMStreamError)]
    if failures and not any(isinstance(one, dict) and one for one in found.values()):
        raise failures[0]
    return {name: one for name in names if not isinstance(one := found[name], LLMStreamError)}, failures


def ready(settings: Settings) -> list[str]:
    """Return the providers whose list can be fetched now; of one service's dialects only the first."""
    default = settings.split(settings.choice().spec)[0]
    found: dict[str, str] = {}
    for name in dict.fromkeys([default, *settings.names()]):
        try:
            provider = settings.provider(name)
            state = settings.key_state(name)
            needless = not state.wanted and (name in settings.file.providers or name == default)
            if provider.adapter in SPECIAL:
                if provider.adapter == "local":
                    found.setdefault("local", name)
            elif state.found or needless:
                found.setdefault(provider.base_url(), name)
        except ConfigError:
            continue
    return list(found.values())


def _asked(dialect: Adapter, target: Target, url: str, seconds: float) -> object:
    """Fetch and return the provider's document, with the headers of its other requests."""
    endpoint = target.endpoint
    request = dialect.request(Prompt((Message("user", "-"),)), Options(), endpoint, stream=False)
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    route = Connection(
        target.proxy, target.ca_file, target.client_cert, target.aws_region, target.aws_profile
    )
    try:
        head, body = fetch_document(
            url, headers, route, connect=min(target.policy.connect or seconds, seconds), seconds=seconds
        )
        if head.status >= 300:
            raise refused(dialect, endpoint, head.status, head.headers, body)
        refuse_page(body, head.headers.get("content-type", ""))
        document = parse(body.decode("utf-8-sig", "replace"))
        if isinstance(document, dict) and not dialect.models(document):
            check(WireMessage("", ""), document, "data", "models")
        return document
    except LLMStreamError as error:
        placed(error, endpoint, f"{endpoint.provider} ({host(url)}), list of models")
        raise


def _cached(path: Path, url: str) -> dict[str, Details] | None:
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["url"] != url or not 0 <= time.time() - kept["at"] < FRESH:
            return None
        details = kept["details"]
        return {str(name): _detail(details.get(name, {})) for name in kept["models"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _detail(kept: Mapping[str, object]) -> Details:
    context, inputs, options = (kept.get(key) for key in names_of(Details()))
    return Details(
        context if isinstance(context, int) else None,
        tuple(map(str, inputs)) if isinstance(inputs, list) else (),
        tuple(map(str, options)) if isinstance(options, list) else (),
    )
