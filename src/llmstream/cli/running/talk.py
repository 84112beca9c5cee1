"""A run's place in the history: the conversation that it continues, and where it is stored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from llmstream.errors import Cancelled, ContextTooLong, LLMStreamError, UsageError
from llmstream.render.notes import note_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.config.settings import Settings
    from llmstream.history.conversations import Conversation
    from llmstream.history.sink import HistorySink, Place
    from llmstream.prompt import Message
    from llmstream.runnable.plan import Plan

OFF: Final = "LLMSTREAM_NO_HISTORY"


class Kept(Protocol):
    """The interface between a run and its place in the history."""

    def sink(self, plan: Plan, run_id: str | None) -> HistorySink | None:
        """Return the sink that stores a run, None if it is not to be stored."""
        ...

    def reader_gone(self) -> None:
        """Store the answer received until the reader closed the output."""
        ...

    def explain(self, error: LLMStreamError) -> None:
        """If the conversation is too long for the model, set the error's hint to the remedy."""
        ...


class Talk(Kept):
    """The place of one run in the history.

    Args:
        values: the options; the conversation's model and system prompt are added if they are not set.
        environment: the streams and variables.
    """

    def __init__(self, values: Values, environment: Environment) -> None:
        self._values = values
        self._environment = environment
        self.keeps = False
        self.conversation: Conversation | None = None
        self.before: tuple[Message, ...] = ()
        self._sink: HistorySink | None = None

    def begin(self, settings: Settings, say: Callable[[str], None]) -> None:
        """Find the conversation named by the options and tell the user which one it is.

        Raises:
            UsageError: there is no conversation to continue, or the options name two.
            HistoryError: the history can't be read.
        """
        self.keeps = keeps(self._values, self._environment, settings)
        if "session" in self._values or self._values.get("continue"):
            self.conversation = chosen(self._values)
            if self.conversation.provider:
                self._go_on(self.conversation, say)

    def _go_on(self, conversation: Conversation, say: Callable[[str], None]) -> None:
        from llmstream.history.conversations import messages
        from llmstream.runnable.files import attached_again

        self.before = messages(conversation.turns, attached_again)
        self._values.setdefault("model", f"{conversation.provider}/{conversation.model}")
        if conversation.system is not None:
            self._values.setdefault("system", conversation.system)
        say(f"continuing {conversation.described()}")

    def sink(self, plan: Plan, run_id: str | None) -> HistorySink | None:
        """Return the sink that stores a run, None if it is not to be stored.

        Args:
            plan: the run's plan.
            run_id: the id of its events, None if it has none.
        """
        if not self.keeps:
            return None
        from llmstream.history.sink import Place

        conversation = self.conversation
        place = Place()
        if conversation is not None:
            place = Place(conversation.id or None, conversation.session, conversation.rows)
        self._sink = history_sink(plan, len(self.before), place, self._environment, run_id)
        return self._sink

    def reader_gone(self) -> None:
        """Store the answer received until the reader closed the output."""
        if self._sink is not None:
            self._sink.close(Cancelled("the output's reader closed it"), time.monotonic())

    def explain(self, error: LLMStreamError) -> None:
        """If the conversation is too long for the model, set the error's hint to the remedy."""
        if isinstance(error, ContextTooLong) and self.conversation is not None:
            error.hint = too_long(len(self.conversation.turns))


def too_long(turns: int) -> str:
    """Return the hint for a conversation that no longer fits the model's context."""
    earlier = f"{turns} earlier turn{'s' if turns != 1 else ''}"
    return (
        f"the conversation has {earlier}, all sent with each prompt\n"
        "start a new one (without -c or --session), or use a model with a longer context: -m MODEL"
    )


def keeps(values: Values, environment: Environment, settings: Settings) -> bool:
    """Return whether to store a run, from its options, the environment and the configuration."""
    if values.get("no_history") or environment.variables.get(OFF, "0") not in ("", "0"):
        return False
    return settings.file.document.get("history") is not False


def chosen(values: Values) -> Conversation:
    """Return the conversation named by -c or --session; an empty one for a new session.

    Raises:
        UsageError: there is no conversation to continue, the session's name is empty, or both options are
            given.
        HistoryError: the history can't be read.
    """
    from llmstream.history import conversations

    name = values.get("session")
    if name is None:
        found = conversations.last(history_path())
        if found is None:
            raise UsageError("no conversation to continue", hint="run it without -c to start one")
        return found
    if values.get("continue"):
        raise UsageError("-c and --session can't be combined; use one of them")
    if not str(name).strip():
        raise UsageError("the session name is empty")
    return conversations.named(history_path(), str(name)) or conversations.Conversation("", str(name))


def history_path() -> Path:
    """Return the path of the history's file, existing or not."""
    from llmstream.config import paths
    from llmstream.history.opening import NAME

    return paths.data_folder() / NAME


def made_path() -> Path:
    """Return the path of the history's file after creating its folder, accessible to the user alone.

    Raises:
        ConfigError: the folder can't be created.
    """
    from llmstream.config import paths

    path = history_path()
    if not paths.present(path):
        paths.private_folder(path.parent).chmod(0o700)
    return path


def history_sink(
    plan: Plan, before: int, place: Place, environment: Environment, run_id: str | None
) -> HistorySink:
    """Return the sink that stores a run.

    Args:
        plan: the run's plan.
        before: number of messages of earlier turns in its prompt.
        place: where the run belongs in the history.
        environment: where problems are reported.
        run_id: the id of its events, None if it has none.
    """
    from llmstream.history.sink import Asked, HistorySink

    target, prompt = plan.targets[0], plan.prompt
    asked = Asked(
        provider=target.endpoint.provider,
        model=target.endpoint.model,
        system=prompt.system or None,
        new=prompt.turns[before:],
        options=plan.options.over(target.options),
        run_id=run_id,
    )

    def say(text: str) -> None:
        environment.say(f"warning: {text}", once=True)

    def tell(path: Path) -> None:
        if environment.err.isatty and not environment.quiet:
            text = f"runs are kept in {path}; to turn this off: llmstream history off"
            environment.err.write(note_line(text, width=environment.width_of(environment.err)))

    return HistorySink(made_path, asked, place, say=say, tell=tell)
