"""The checks of `llmstream doctor`: each reports the state of one thing and how to correct a problem."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from llmstream.cli.running.network_checks import Check, certificates, proxies
from llmstream.errors import (
    AuthenticationError,
    ConfigError,
    HistoryError,
    LLMStreamError,
    MissingKey,
    TimeLimitPassed,
)

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.config.settings import Settings

PATIENCE: Final = 5.0
"""Time limit for each provider in seconds; all are checked at the same time."""
QUOTED: Final = re.compile(r"\s*\d* \| ")
"""A line of a configuration file in a message, or the caret below it."""


def configuration(environment: Environment) -> tuple[Check, Settings | None]:
    """Check the configuration file; return the settings, too, None if it is invalid."""
    from llmstream.config.paths import why_absent
    from llmstream.config.settings import Settings, config_path_of

    path, named = config_path_of(environment.config, environment.variables)
    try:
        settings = Settings.load(environment.config, environment.variables)
    except ConfigError as error:
        # `config check` also shows the lines of the file
        detail = "; ".join(line for line in error.message.split("\n") if not QUOTED.match(line))
        return Check("configuration", "fail", detail, "fix it: llmstream config edit"), None
    if settings.warnings:
        return Check("configuration", "warn", str(path), "; ".join(settings.warnings)), settings
    why = "" if named else "no file" if path is None else why_absent(path).replace("not found", "no file")
    if why not in ("", "no file"):
        detail = f"can't read {path}: {why}; using defaults"
        return Check(
            "configuration", "warn", detail, "give this user access to it, or set another HOME"
        ), settings
    return Check("configuration", "ok", "no file; using defaults" if why else str(path)), settings


def chosen(settings: Settings, words: tuple[str, ...]) -> list[str]:
    """Return the providers to check: those named, else those of the default selection.

    The default selection has the default model's provider, the configured providers, and those of the
    catalogue whose key variable is set.

    Raises:
        ConfigError: a named provider is unknown, or an alias refers to itself.
    """
    if words:
        names = [settings.split(word)[0] for word in words]
        for name in names:
            settings.provider(name)
        return list(dict.fromkeys(names))
    from llmstream.adapters import catalogue

    default = settings.split(settings.choice().spec)[0]
    variables = settings.environment
    by_key = [row.name for row in catalogue.rows() if any(map(variables.get, row.api_key_env))]
    known = settings.names()
    return [name for name in dict.fromkeys([default, *settings.file.providers, *by_key]) if name in known]


def key(settings: Settings, name: str) -> Check | None:
    """Check whether a provider has a key; None if it needs none."""
    try:
        state = settings.key_state(name)
        if not state.wanted:
            return None
        if state.found:
            return Check(f"key {name}", "ok", f"from {state.origin}")
        settings.target(f"{name}/-")
    except MissingKey as error:
        return Check(f"key {name}", "fail", error.message, error.hint)
    except LLMStreamError as error:
        return Check(
            f"key {name}", "fail", error.message, error.hint or "fix the configuration: llmstream config edit"
        )
    return Check(f"key {name}", "ok", "found")


def providers(settings: Settings, names: list[str], *, offline: bool) -> list[Check]:
    """Check all providers at the same time: reachable, key accepted, model known."""
    if offline:
        return [Check(f"provider {name}", "ok", "not checked (--offline)", skipped=True) for name in names]
    found: dict[str, Check] = {}
    threads = []
    for name in names:
        # daemon threads, because one may be stuck in a name look-up
        thread = threading.Thread(
            target=lambda n: found.update({n: provider(settings, n)}), args=(name,), daemon=True
        )
        thread.start()
        threads.append(thread)
    deadline = time.monotonic() + PATIENCE + 0.5
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer in {PATIENCE:.0f} s"
    hint = "check the network, base_url and proxy"
    return [found.get(name) or Check(f"provider {name}", "fail", late, hint) for name in names]


def provider(settings: Settings, name: str) -> Check:
    """Check one provider by fetching its list of models."""
    from llmstream.config.lists.models import models_of

    called = f"provider {name}"
    try:
        if settings.provider(name).adapter == "local":
            return Check(called, "ok", "runs in this process")
        if _is_default(settings, name):
            target = settings.target(settings.choice().spec)
            model = target.endpoint.model
        else:
            # "-", because the provider may have no default model
            target = settings.target(f"{name}/-")
            model = settings.provider(name).text("model")
        flaw = _program(target.command, settings.environment)
        if flaw is not None:
            return Check(called, "fail", flaw, "fix command in the configuration: llmstream config edit")
        if not target.endpoint.base_url or target.command or target.factory:
            return Check(called, "ok", "not checked: no server to connect to", skipped=True)
        models = models_of(settings, name, refresh=True, seconds=PATIENCE)
    except AuthenticationError as error:
        return Check(called, "fail", error.message, error.hint or "check the key")
    except MissingKey:
        hint = f'see "key {name}" above'
        return Check(called, "fail", "not checked: no API key", hint, skipped=True)
    except TimeLimitPassed as error:
        return Check(called, "fail", error.message, "check the network, base_url and proxy")
    except ConfigError as error:
        return Check(called, "fail", error.message, error.hint)
    except LLMStreamError as error:
        unlisted = error.status in (404, 405, 501)
        detail = "reachable, but has no list of models" if unlisted else error.message
        return Check(called, "warn" if unlisted else "fail", detail, error.hint or "check base_url")
    if model and models and not _listed(model, models):
        return Check(
            called, "warn", f"doesn't list the model {model}", f"choose one from: llmstream models {name}"
        )
    return Check(called, "ok", f"reachable; model {model}" if model else "reachable")


def _is_default(settings: Settings, name: str) -> bool:
    return settings.split(settings.choice().spec)[0] == name


def _listed(model: str, models: list[str]) -> bool:
    """Return whether a model is in a list, where it may have a path before it or a tag after it."""
    return any(one == model or one.endswith(f"/{model}") or one.partition(":")[0] == model for one in models)


def _program(command: tuple[str, ...], variables: Mapping[str, str]) -> str | None:
    if not command:
        return None
    import shutil

    found = shutil.which(command[0], path=variables.get("PATH"))
    return None if found else f"{command[0]} not found on PATH"


def terminal(environment: Environment) -> Check:
    """Check what the terminal can show, and how chat reads from it."""
    from importlib.util import find_spec

    editing = (
        "prompt_toolkit" if find_spec("prompt_toolkit") else "readline" if find_spec("readline") else "none"
    )
    if not environment.out.isatty:
        return Check("terminal", "ok", f"standard output is not a terminal; line editing in chat: {editing}")
    kind = environment.variables.get("TERM", "")
    if environment.dumb:
        detail = f"TERM is {kind or 'not set'}: no Markdown, no colours"
        return Check("terminal", "warn", detail, "set TERM, for example TERM=xterm-256color")
    columns = os.get_terminal_size(environment.out.fd).columns
    return Check("terminal", "ok", f"{kind}, {columns} columns; line editing in chat: {editing}")


def local_model(settings: Settings) -> Check:
    """Check the model that runs in this process."""
    from importlib.util import find_spec

    from llmstream.config import paths
    from llmstream.local.models import installed

    wanted = _is_default(settings, "local")
    if find_spec("xllamacpp") is None:
        hint = "pip install 'llmstream-cli[local]', or set a default model"
        detail = "not installed (extra local)"
        return Check("local model", "fail" if wanted else "ok", detail, hint if wanted else "")
    models = [model.name for model in installed(paths.models_folder())]
    detail = ", ".join(models) or "none downloaded yet; the first use downloads smollm2 (93 MB)"
    return Check("local model", "ok", detail)


def history(environment: Environment, settings: Settings | None) -> Check:
    """Check the history, without changing it."""
    from llmstream.cli.running.talk import history_path, keeps
    from llmstream.history.store import Store

    path = history_path()
    off = settings is not None and not keeps({}, environment, settings)
    more = "; turned off" if off else ""
    try:
        store = Store.reading(path)
        if store is None:
            return Check("history", "ok", f"empty ({path}){more}")
        with store:
            count = store.query("SELECT count(*) FROM runs")[0][0]
    except HistoryError as error:
        return Check("history", "warn", error.message, error.hint or "see llmstream history path")
    size = path.stat().st_size / 1e6
    return Check("history", "ok", f"{count} run{'s' if count != 1 else ''}, {size:.1f} MB ({path}){more}")


def all_checks(environment: Environment, words: tuple[str, ...], *, offline: bool) -> Iterator[Check]:
    """Yield the results of all checks.

    Args:
        environment: the streams and variables.
        words: the named providers, none for the default selection.
        offline: whether to send no requests.

    Raises:
        ConfigError: a named provider is unknown.
    """
    first, settings = configuration(environment)
    names = chosen(settings, words) if settings is not None else []
    yield first
    if settings is not None:
        yield from (check for name in names if (check := key(settings, name)) is not None)
    yield proxies(environment.variables)
    yield certificates(environment.variables)
    if settings is not None:
        yield from providers(settings, names, offline=offline)
        yield local_model(settings)
    yield terminal(environment)
    yield history(environment, settings)
