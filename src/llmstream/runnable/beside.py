"""The additions to every prompt of an `LLM`: a system prompt, text files, attachments."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Final, cast

from llmstream.errors import UsageError
from llmstream.prompt import Attachment, Message, Prompt
from llmstream.record import Record, names, replace

if TYPE_CHECKING:
    from llmstream.runnable.files import Place


class Beside(Record):
    """The additions to every prompt.

    Args:
        system: the system prompt, None for none.
        files: paths of text files.
        attachments: paths, URLs, or Attachments.
    """

    system: str | None = None
    files: tuple[Place, ...] = ()
    attachments: tuple[Place | Attachment, ...] = ()

    def taken_from(self, options: Mapping[str, object]) -> tuple[Beside, dict[str, object]]:
        """Return these additions overridden by a call's options, and the remaining options.

        Raises:
            UsageError: one has the wrong type.
        """
        if not any(name in options for name in FIELDS):
            return self, dict(options)
        rest = {name: value for name, value in options.items() if name not in FIELDS}
        given = {name: options[name] for name in FIELDS if options.get(name) is not None}
        return replace(self, **_checked(given)), rest

    def on(self, prompt: Prompt) -> Prompt:
        """Return a prompt with these additions, files and attachments in its last user message.

        The prompt's own system message takes precedence.

        Raises:
            UsageError: a file can't be read, is too large, or is not of a known kind.
            LLMStreamError: an attachment's URL can't be fetched.
        """
        if self.files or self.attachments:
            prompt = self._with_files(prompt)
        if self.system and not prompt.system:
            prompt = Prompt((Message("system", self.system), *prompt.messages))
        return prompt

    def _with_files(self, prompt: Prompt) -> Prompt:
        from llmstream.runnable.files import attachments, with_files

        messages = list(prompt.messages)
        at = max((i for i, message in enumerate(messages) if message.role == "user"), default=None)
        if at is None:
            at = len(messages)
            messages.append(Message("user", ""))
        last = messages[at]
        text = with_files(last.content, self.files, _warn)
        beside = (*attachments(self.attachments), *last.attachments)
        messages[at] = replace(last, content=text, attachments=beside)
        return Prompt(tuple(messages))


FIELDS: Final = names(Beside())


def beside(system: object = None, files: object = None, attachments: object = None) -> Beside:
    """Return the additions to every prompt.

    Args:
        system: text, None for none.
        files: a path or a list of paths.
        attachments: a path, a URL or an Attachment, or a list of them.

    Raises:
        UsageError: one has another type.
    """
    given = {"system": system, "files": files, "attachments": attachments}
    return Beside(**_checked({name: value for name, value in given.items() if value is not None}))  # type: ignore[arg-type]  # checked by name


def _checked(given: Mapping[str, object]) -> dict[str, object]:
    checked: dict[str, object] = {}
    for name, value in given.items():
        if name == "system":
            if not isinstance(value, str):
                raise UsageError(f"system must be text, not {type(value).__name__}")
            checked[name] = value
        else:
            checked[name] = _places(name, value)
    return checked


def _places(name: str, value: object) -> tuple[Place | Attachment, ...]:
    kinds = (str, PathLike) if name == "files" else (str, PathLike, Attachment)
    listed = [value] if isinstance(value, kinds) else value
    if not isinstance(listed, Sequence) or not all(isinstance(one, kinds) for one in listed):
        raise UsageError(f"{name} must be a path or a list of paths, not {type(value).__name__}")
    return tuple(cast("Sequence[Place | Attachment]", listed))


def _warn(said: str) -> None:
    warnings.warn(said.removeprefix("warning: "), stacklevel=2)
