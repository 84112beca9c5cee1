"""Turn a row into a question: its id, messages, options, targets and key."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from llmstream.errors import LLMStreamError, UsageError
from llmstream.jobs.keys import canonical_options, key_of
from llmstream.jobs.places import Places
from llmstream.jobs.rows import BadRow, Row
from llmstream.prompt import Attachment, Message, Options, Prompt
from llmstream.record import Record, replace
from llmstream.runnable.options import options_from
from llmstream.runnable.prompts import prompt_of
from llmstream.runnable.targets import Target

Id: TypeAlias = str | int | float
Choose: TypeAlias = Callable[[str | None], Sequence[Target]]
"""Returns the target of a model's name and its fallbacks; None means the job's own model."""

NO_OPTIONS: Final = Options()
MOST_NAMES: Final = 8
LONGEST_NAME: Final = 40
"""Most fields named in a hint, and characters of each."""
MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""Exceptions caused by messages of an unexpected form."""


class Ask:
    """One question, ready to be asked.

    Args:
        id: the given id, or the line's number as text.
        key: the key of what is asked, as a number (keys.py).
        number: the line's number, from 1.
        prompt: the prompt.
        options: the row's own options; the target has the rest.
        targets: the model, then its fallbacks.
    """

    __slots__ = ("id", "key", "number", "options", "prompt", "targets")

    def __init__(
        self, id: Id, key: int, number: int, prompt: Prompt, options: Options, targets: Sequence[Target]
    ) -> None:
        self.id = id
        self.key = key
        self.number = number
        self.prompt = prompt
        self.options = options
        self.targets = targets

    @property
    def name(self) -> Id:
        """The name of its line of the output: the id."""
        return self.id


class Common(Record):
    """Defaults for every row.

    Args:
        template: PROMPT of the command line, None if there is none.
        system: system prompt, empty for none.
        attachments: files sent with each prompt.
    """

    template: Places | None = None
    system: str = ""
    attachments: tuple[Attachment, ...] = ()


class Asker:
    """Makes questions of rows.

    Args:
        choose: finds the targets of a model's name; called once for each name.
        common: defaults for every row.
    """

    def __init__(self, choose: Choose, common: Common) -> None:
        self._choose = choose
        self._common = common
        self._targets: dict[str | None, tuple[Sequence[Target], str, str]] = {}

    def ask(self, row: Row) -> Ask:
        """Return a row's question.

        Raises:
            BadRow: it is invalid; the message names the line and the problem.
        """
        fields = row.fields
        id_: Id | None = None
        try:
            if fields is None:
                id_ = str(row.number)
                messages, options, model = self._bare(row.line), NO_OPTIONS, None
            else:
                id_ = _id_of(fields, row.number)
                messages = self._messages(fields)
                options = _options_of(fields)
                model = _text_of(fields, "model")
            targets, name, common_options = self.chosen(model)
            if options is not NO_OPTIONS:
                first = targets[0]
                merged = options.over(first.options)
                common_options = canonical_options(merged, first.endpoint.extra_body)
            key = key_of(messages, name, common_options)
        except LLMStreamError as error:
            raise BadRow(row.number, error.message, row.data, id_, error.hint) from error
        except MALFORMED as error:
            raise BadRow(row.number, f"messages are malformed: {error!r}", row.data, id_) from error
        return Ask(id_, key, row.number, Prompt(messages), options, targets)

    def chosen(self, model: str | None) -> tuple[Sequence[Target], str, str]:
        """Return a model's targets, its full name, and its options in canonical form.

        Raises:
            ConfigError: the model is unknown, or its key is missing.
        """
        found = self._targets.get(model)
        if found is None:
            targets = self._choose(model)
            first = targets[0]
            options = canonical_options(first.options, first.endpoint.extra_body)
            found = targets, f"{first.endpoint.provider}/{first.endpoint.model}", options
            self._targets[model] = found
        return found

    def _bare(self, line: str) -> tuple[Message, ...]:
        template = self._common.template
        text = line
        if template is not None:
            text = _filled(template, {"line": line}) if template.names else f"{template.fill({})}\n\n{line}"
        if not text.strip():
            raise UsageError("the prompt is empty")
        return self._around((Message("user", text),), None)

    def _messages(self, fields: Mapping[str, object]) -> tuple[Message, ...]:
        template = self._common.template
        given = _given_messages(fields)
        prompt = _text_of(fields, "prompt")
        if template is not None and template.names:
            messages = (*given, Message("user", _filled(template, fields)))
        else:
            if given and prompt is not None:
                raise UsageError('has both "prompt" and "messages"; keep one')
            if not given and prompt is None:
                hint = "pass a prompt that names a field, for example {" + next(iter(fields), "text") + "}"
                raise UsageError('has neither "prompt" nor "messages"', hint=f"{_listed(fields)}\n{hint}")
            messages = given or (Message("user", prompt or ""),)
            if template is not None:
                messages = _before_last(messages, template.fill({}))
        if not any(message.content.strip() or message.attachments for message in messages):
            raise UsageError("the prompt is empty")
        return self._around(messages, _text_of(fields, "system"))

    def _around(self, messages: tuple[Message, ...], system: str | None) -> tuple[Message, ...]:
        common = self._common
        if common.attachments:
            at = _last_user(messages)
            with_files = replace(messages[at], attachments=(*messages[at].attachments, *common.attachments))
            messages = (*messages[:at], with_files, *messages[at + 1 :])
        if system is None and not any(message.role == "system" for message in messages):
            system = common.system
        return (Message("system", system), *messages) if system else messages


def tokens_of(messages: Sequence[Message]) -> int:
    """Return a rough count of the tokens of a prompt: four characters each."""
    return sum([len(message.content) for message in messages]) // 4 + 1


def _id_of(fields: Mapping[str, object], number: int) -> Id:
    given = fields.get("id")
    if given is None:
        return str(number)
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise UsageError("id must be text or a number")
    if isinstance(given, float) and not math.isfinite(given):
        raise UsageError("id is too large a number")
    return given


def _text_of(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} must be text")
    return value


def _options_of(fields: Mapping[str, object]) -> Options:
    given = fields.get("options")
    if given is None:
        return NO_OPTIONS
    if not isinstance(given, Mapping):
        raise UsageError("options must be an object")
    return options_from(given) if given else NO_OPTIONS


def _given_messages(fields: Mapping[str, object]) -> tuple[Message, ...]:
    given = fields.get("messages")
    if given is None:
        return ()
    if not isinstance(given, list) or not given:
        raise UsageError("messages must be a list of objects with role and content")
    return prompt_of(given).messages


def _filled(template: Places, fields: Mapping[str, object]) -> str:
    try:
        return template.fill(fields)
    except KeyError as error:
        raise UsageError(
            f'no field "{error.args[0]}", which the prompt needs', hint=_listed(fields)
        ) from error


def _listed(fields: Mapping[str, object]) -> str:
    """Return the names of a line's fields, for a hint."""
    names = [f"{name}"[:LONGEST_NAME] for name in fields]
    more = ", ..." if len(names) > MOST_NAMES else ""
    return f"its fields: {', '.join(names[:MOST_NAMES]) or 'none'}{more}"


def _last_user(messages: Sequence[Message]) -> int:
    turns = [at for at, message in enumerate(messages) if message.role == "user"]
    if not turns:
        raise UsageError("messages have no user message")
    return turns[-1]


def _before_last(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    at = _last_user(messages)
    said = replace(messages[at], content=f"{text}\n\n{messages[at].content}")
    return (*messages[:at], said, *messages[at + 1 :])
