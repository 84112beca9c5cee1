"""Make a Plan from a command's options, for every command that asks a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.cli.parsing.table import OPTIONS
from llmstream.cli.running.stdin import StandardInput, prompt_text
from llmstream.cli.running.templated import put_under, template_of, text_of
from llmstream.config.settings import Overrides, Settings
from llmstream.errors import UsageError
from llmstream.prompt import Attachment, Message, Options, Prompt
from llmstream.record import replace
from llmstream.runnable.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.cli.running.fetching import Fetching
    from llmstream.cli.running.talk import Talk
    from llmstream.config.templates import Template
    from llmstream.runnable.targets import Target

MACHINE: Final = ("events", "events_version", "json")
"""Options that make standard output machine-readable."""


def asked(
    values: Values,
    words: Sequence[str],
    environment: Environment,
    fetching: Fetching,
    talk: Talk | None = None,
) -> Plan:
    """Return the plan of a prompt's command line.

    Args:
        values: the options; a conversation or a template adds values that are missing.
        words: the prompt's words.
        environment: standard input, variables, and the configuration's path.
        fetching: shows warnings and the progress of downloads.
        talk: the run's place in the history, None for a run that has none.

    Raises:
        LLMStreamError: the command line or the configuration is invalid, or a file can't be read.
    """
    environment.check_stdout()
    settings = settings_of(environment, fetching)
    if talk is not None:
        talk.begin(settings, fetching.say)
    template = template_of(values, environment) if "template" in values or "param" in values else None
    if template is not None:
        put_under(values, template)
    overrides = overrides_of(values, template)
    targets = targets_of(values, settings, overrides, fetching)
    earlier = talk.before if talk is not None else ()
    made = planned(values, targets, words, environment, fetching, overrides, template, earlier)
    if values.get("record") and not values.get("show_request"):
        made = _recorded(made, Path(str(values["record"])), fetching)
    return made


def planned(
    values: Values,
    targets: Sequence[Target],
    words: Sequence[str],
    environment: Environment,
    fetching: Fetching,
    overrides: Overrides,
    template: Template | None = None,
    earlier: Sequence[Message] = (),
) -> Plan:
    """Return the plan for these targets; this reads the prompt."""
    return Plan(
        targets=targets,
        prompt=prompt_of(values, words, environment, fetching, template, earlier),
        options=overrides.options or Options(),
        stream=values.get("stream") is not False,
        steps=_steps(values, targets, fetching),
        version="v1" if values.get("events_version") == "v1" else "v2",
        live=environment.out.isatty and not any(map(values.get, MACHINE)),
        say=fetching.say,
        progress=fetching.progress,
        ready=fetching.close,
    )


def _recorded(plan: Plan, file: Path, fetching: Fetching) -> Plan:
    """Return a plan whose run is recorded into a file."""
    from functools import partial

    from llmstream.transport.recording import recorded
    from llmstream.transport.tape.writer import Recording

    return replace(plan, around=partial(recorded, recording=Recording(file, fetching.say)))


def _steps(values: Values, targets: Sequence[Target], fetching: Fetching) -> bool | None:
    """Return whether to report steps, None to leave it to the configuration."""
    if not values.get("steps"):
        return None
    if not any(target.factory or target.file for target in targets):
        fetching.say('warning: --steps has no effect: only providers with adapter = "runnable" report steps')
    return True


def settings_of(environment: Environment, fetching: Fetching) -> Settings:
    """Load the configuration, show its warnings, and set the environment's Markdown settings.

    Raises:
        ConfigError: the file can't be read or is invalid.
    """
    settings = Settings.load(environment.config, environment.variables)
    document = settings.file.document
    environment.markdown = document.get("markdown") is not False
    environment.markdown_theme = str(document.get("markdown_theme") or "")
    for warning in settings.warnings:
        fetching.say(f"warning: {warning}")
    return settings


def targets_of(values: Values, settings: Settings, overrides: Overrides, fetching: Fetching) -> list[Target]:
    """Return the target of the options' model, then those of its fallbacks.

    Raises:
        ConfigError: a model is unknown or ambiguous, or its provider's configuration is incomplete.
        MissingKey: the first model has no key, and there is no fallback.
    """
    model = values.get("model")
    specs = [settings.choice(str(model) if model is not None else None).spec, *listed(values, "fallback")]
    specs = [full_name(settings, spec, fetching) for spec in specs]
    others = [settings.later(spec, overrides) for spec in specs[1:]]
    for spec in specs[1:]:
        if settings.lacks_key(spec):
            fetching.say(f"warning: the fallback {spec} has no API key")
    # a request that is only shown needs no key, and with a fallback a missing key is not fatal
    if others and settings.lacks_key(specs[0]):
        return [settings.later(specs[0], overrides), *others]
    return [settings.target(specs[0], overrides, fetch_key=not values.get("show_request")), *others]


def prompt_of(
    values: Values,
    words: Sequence[str],
    environment: Environment,
    fetching: Fetching,
    template: Template | None = None,
    earlier: Sequence[Message] = (),
) -> Prompt:
    """Return the prompt: system prompt, earlier messages, and a message of files, words, stdin, attachments.

    Raises:
        LLMStreamError: the prompt is empty, or a part of it can't be read.
    """
    files, beside = listed(values, "file"), listed(values, "attach")
    source = StandardInput(environment.stdin, fetching.say, use=not values.get("no_stdin"))
    attached: tuple[Attachment, ...] = ()
    before = ""
    if files or beside:
        from llmstream.runnable.files import attachments, with_files

        before = with_files("", files, fetching.say, lambda: source.take("-f"))
        attached = attachments(beside, lambda: source.take("-a"))
    more = bool(files or beside or values.get("edit"))
    if template is not None:
        text = text_of(template, values, words, source, more=more)
    else:
        text = prompt_text(words, source, more=more)
    if values.get("edit"):
        from llmstream.cli.running.editor import edited

        text = edited(text, environment.variables)
    text = "\n\n".join(filter(None, (before, text)))
    system = values.get("system")
    messages = [Message("system", str(system))] if system else []
    return Prompt((*messages, *earlier, Message("user", text, attached)))


def listed(values: Values, key: str) -> list[str]:
    """Return the values of a repeatable option."""
    found = values.get(key) or []
    assert isinstance(found, list)
    return found


def full_name(settings: Settings, spec: str, fetching: Fetching) -> str:
    """Return the full name of a model given by a part of its name, and tell the user.

    Raises:
        ConfigError: several models match, or the name is probably mistyped.
    """
    if settings.knows(spec):
        return spec
    from llmstream.config.lists.known import spec_of

    found = spec_of(settings, spec)
    if found != spec:
        fetching.say(f'using {found} for "{spec}"')
    return found


def overrides_of(values: Values, template: Template | None = None) -> Overrides:
    """Return the settings that options override: those with `into` "options" or "limits" in the table.

    Args:
        values: the options.
        template: supplies model options that `values` doesn't set; None for none.

    Raises:
        UsageError: an option's value is not valid.
    """
    from llmstream.config.option_text import parse_option
    from llmstream.runnable.options import options_from

    table: dict[str, object] = dict(template.options) if template is not None else {}
    if template is not None and isinstance(template.schema, dict):
        table["schema"] = template.schema
    table |= dict(map(parse_option, listed(values, "option")))
    limits: dict[str, float] = {}
    for option in OPTIONS:
        if option.key not in values or option.name == "option":
            continue
        if option.into == "options":
            table[option.key] = values[option.key]
        elif option.into == "limits":
            limits[option.limit] = _limit(option.name, option.limit, values[option.key])
    if "schema" in values:
        from llmstream.cli.running.inputs import schema_of

        table["schema"] = schema_of(str(values["schema"]))
    retries = limits.pop("retries", None)
    return Overrides(
        options=options_from(table) if table else None,
        limits=limits,
        max_retries=None if retries is None else int(retries),
    )


def _limit(name: str, limit: str, value: object) -> float:
    """Return a limit's value; raise UsageError if the configuration would not accept it."""
    from llmstream.config.file.kinds import count, seconds

    flaw = (count if limit == "retries" else seconds)(value)
    if flaw is not None:
        raise UsageError(f"--{name} {flaw}")
    return float(str(value))
