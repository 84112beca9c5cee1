"""`llmstream history`: list, show, search, export and remove stored runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from llmstream.cli.command import texts
from llmstream.cli.running.talk import OFF, history_path
from llmstream.errors import UsageError
from llmstream.render.base import encode
from llmstream.render.guard import guarded, one_line

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.history.kept import Run
    from llmstream.history.store import Store

NUMBER: Final = 20
EMPTY: Final = "the history is empty"
WORDS: Final = 60
"""Most characters of a prompt in the list."""
SIGNS: Final = {"complete": " ", "partial": "~", "failed": "!"}
AGES: Final = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}
"""Units of --older, in days."""


def listed(values: Values, words: Sequence[str], environment: Environment) -> int:
    """List the newest runs."""
    from llmstream.history.store import Store

    count = _number(values, NUMBER)
    store = Store.reading(history_path())
    if store is None:
        return _none(EMPTY, values, environment)
    with store:
        runs = store.newest(count)
        return _shown(store, runs, values, environment) if runs else _none(EMPTY, values, environment)


def found(values: Values, words: Sequence[str], environment: Environment) -> int:
    """List the runs whose prompt and answer together contain all the words."""
    from llmstream.history.search import search
    from llmstream.history.store import Store

    count = _number(values, NUMBER)
    store = Store.reading(history_path())
    if store is None:
        return _none(EMPTY, values, environment)
    text = " ".join(words)
    with store:
        found = search(store, text, count + 1)
        if not found:
            return _none(f'no run has "{text}" in its prompt or answer', values, environment)
        status = _shown(store, found[:count], values, environment)
    if len(found) > count:
        environment.say(f"showing the newest {count}; for more: -n {10 * count}")
    return status


def show(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Show one run in full: the last one, or the one whose id starts with the word."""
    from llmstream.history.store import Store

    store = Store.reading(history_path())
    if store is None:
        raise UsageError(EMPTY)
    with store:
        runs = [store.beginning(words[0])] if words else store.newest(1)
        if not runs:
            raise UsageError(EMPTY)
        if values.get("json"):
            _json_lines(store, runs, environment)
        else:
            _write(_whole(runs[0]), environment)
    return 0


def export(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Write all runs as JSON Lines, oldest first."""
    from llmstream.history.store import Store

    since = _day(str(values["since"])) if "since" in values else 0
    store = Store.reading(history_path())
    if store is not None:
        with store:
            _json_lines(store, store.since(since), environment)
    return 0


def remove(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Remove the runs with the given ids."""
    from llmstream.history.store import Store

    store = Store.writing(history_path())
    if store is None:
        raise UsageError(EMPTY)
    with store:
        # find all of them before removing any
        runs = {run.row: run for run in map(store.beginning, words)}
        _removed(store, list(runs), {run.prompt for run in runs.values()}, environment)
    return 0


def prune(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Remove old runs, all except the newest, or all."""
    from llmstream.history import removal
    from llmstream.history.store import Store

    rules = [rule for rule in ("older", "keep", "all") if values.get(rule) is not None]
    if len(rules) != 1:
        raise UsageError(
            "prune needs one option that says what to delete", hint="use --older 90d, --keep N or --all"
        )
    before = _age(str(values["older"])) if "older" in values else 0
    keep = values.get("keep", 0)
    if not isinstance(keep, int) or keep < 0:
        raise UsageError("--keep must not be negative")
    store = Store.writing(history_path())
    if store is None:
        environment.say(f"nothing to delete: {EMPTY}")
        return 0
    with store:
        rows = removal.older(store, before) if "older" in values else removal.beyond(store, keep)
        if not rows:
            environment.say("nothing to delete")
            return 0
        if not (values.get("yes") or _agreed(len(rows), environment)):
            environment.say("nothing was deleted")
            return 0
        gone = {run.prompt for run in store.runs(rows)} if "all" not in values else None
        _removed(store, rows, gone, environment)
    return 0


def _removed(store: Store, rows: Sequence[int], texts: set[str] | None, environment: Environment) -> None:
    from llmstream.cli.chat.typed import forget
    from llmstream.history.removal import remove as remove_rows

    flushed = remove_rows(store, rows)
    forget(store.path.parent, texts)
    count = f"{len(rows)} run{'s' if len(rows) != 1 else ''} deleted"
    more = (
        ""
        if flushed
        else "; another process is using the history, so the text stays in its log until that ends"
    )
    environment.say(count + more)


def _agreed(count: int, environment: Environment) -> bool:
    """Ask for confirmation on a terminal; elsewhere, an option must give it."""
    if not os.isatty(environment.stdin):
        raise UsageError(
            "prune asks for confirmation, which needs a terminal",
            hint="pass --yes to delete without asking",
        )
    try:
        environment.err.write(f"delete {count} run{'s' if count != 1 else ''}? [y/N] ".encode())
        answer = os.read(environment.stdin, 1024).decode("utf-8", "replace")
    except KeyboardInterrupt:
        # the terminal shows ^C after the question
        environment.err.write(b"\n")
        raise
    return answer.strip().lower() in ("y", "yes")


@texts
def path(environment: Environment) -> str:
    """Return the path of the history's file as text."""
    return f"{history_path()}\n"


def switch_on(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Turn the history on."""
    return _switch(environment, on=True)


def switch_off(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Turn the history off; stored runs are kept."""
    return _switch(environment, on=False)


def _switch(environment: Environment, *, on: bool) -> int:
    from llmstream.config.file.switch import set_top
    from llmstream.config.settings import config_path_of
    from llmstream.errors import ConfigError

    file = config_path_of(environment.config, environment.variables)[0]
    if file is None:
        raise ConfigError("no home folder for the configuration", hint="pass --config PATH")
    set_top(file, "history", on)
    if on:
        environment.say(f"the history is on: runs are kept in {history_path()}")
        if environment.variables.get(OFF, "0") not in ("", "0"):
            environment.say(f"note: {OFF} is set and takes precedence over it")
    else:
        environment.say("the history is off: new runs are not kept, earlier ones stay")
    return 0


def _number(values: Values, default: int) -> int:
    number = values.get("number", default)
    if not isinstance(number, int) or (number < 1 and "number" in values):
        raise UsageError("-n must be 1 or more")
    return number


def _day(text: str) -> int:
    """Return the start of a date or time, milliseconds since 1970; local time unless it has a zone."""
    from datetime import datetime

    try:
        return int(datetime.fromisoformat(text.strip()).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{text[:60]!r} is not a date", hint="for example --since 2026-01-31") from error


def _age(text: str) -> int:
    """Return the time that was this long ago, milliseconds since 1970."""
    import time

    parts = re.fullmatch(r"(\d{1,6})([hdwmy])", text.strip().lower())
    if parts is None:
        raise UsageError(
            f"{text[:60]!r} is not an age", hint="for example --older 90d (units: h, d, w, m, y)"
        )
    return int((time.time() - int(parts[1]) * AGES[parts[2]] * 86400) * 1000)


def _none(text: str, values: Values, environment: Environment) -> int:
    """Tell people that there is nothing to list; programs get an empty list."""
    if not values.get("json"):
        environment.say(text)
    return 0


def _shown(store: Store, runs: list[Run], values: Values, environment: Environment) -> int:
    if values.get("json"):
        _json_lines(store, runs, environment)
    else:
        _write("".join(map(_row, runs)), environment)
    return 0


def _json_lines(store: Store, runs: Iterable[Run], environment: Environment) -> None:
    from json import dumps

    from llmstream.render.jsonl import harmless

    for run in runs:
        line = dumps(store.exported(run), ensure_ascii=False) + "\n"
        environment.out.write(harmless(line, environment.out.isatty))


def _write(text: str, environment: Environment) -> None:
    environment.out.write(encode(guarded(text) if environment.out.isatty else text))


def _when(run: Run) -> str:
    from llmstream.history.kept import iso

    return iso(run.time)[:16].replace("T", " ")


def _row(run: Run) -> str:
    """Return a run as one row: id, time, status sign, model, first words."""
    model = one_line(f"{run.provider}/{run.model}", 30)
    return f"{run.id}  {_when(run)} {SIGNS[run.status]} {model:<24} {one_line(run.prompt, WORDS)}\n"


def _whole(run: Run) -> str:
    """Return a run for people, with the unchanged text of the answer at the end."""
    session = f", session {one_line(run.session, 60)}" if run.session is not None else ""
    head = f"{run.id}  {_when(run)}  {one_line(f'{run.provider}/{run.model}', 80)}  {run.status}{session}\n"
    error = run.details.get("error")
    lines = [head]
    if run.earlier:
        lines.append(f"{len(run.earlier)} earlier turn{'s' if len(run.earlier) != 1 else ''}\n")
    if isinstance(error, dict):
        lines.append(f"{error.get('type')}: {one_line(str(error.get('message')))}\n")
    if run.system:
        lines.append(f"\n[system]\n{run.system}\n")
    lines += [f"\n[{message['role']}]\n{message['content']}\n" for message in run.new]
    end = "" if run.text.endswith("\n") or not run.text else "\n"
    return "".join([*lines, f"\n[assistant]\n{run.text}{end}"])
