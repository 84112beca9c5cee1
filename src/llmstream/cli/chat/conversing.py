"""A chat's state: its turns, the settings of the next one, and its place in the history."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from llmstream.cli.exits import Exit
from llmstream.cli.running.asked import full_name, overrides_of, settings_of, targets_of
from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.outputs import outputs
from llmstream.cli.running.pump import Run
from llmstream.cli.running.talk import Kept, chosen, history_path, history_sink, keeps, too_long
from llmstream.engine.meter import Meter
from llmstream.errors import ContextTooLong, HistoryError, LLMStreamError
from llmstream.history import running
from llmstream.history.sink import Place
from llmstream.prompt import Attachment, Message, Options, Prompt
from llmstream.record import replace
from llmstream.render.base import Tee
from llmstream.runnable.plan import Plan
from llmstream.tracing.tracer import uuid7

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.engine.meter import Completion
    from llmstream.events import FinishReason
    from llmstream.history.sink import HistorySink
    from llmstream.render.base import Sink
    from llmstream.runnable.targets import Target


class Exchange(NamedTuple):
    """One answered turn.

    Args:
        said: the user's message.
        answer: the text of the answer, which may be partial.
        row: its row in the history, 0 if it is not stored.
    """

    said: tuple[Message, ...]
    answer: str
    row: int


class Conversing(Kept):
    """A conversation in progress.

    Args:
        values: the options of the command line.
        environment: the streams and variables.

    Raises:
        LLMStreamError: the options or the configuration are invalid, or there is no conversation to continue.
    """

    def __init__(self, values: Values, environment: Environment) -> None:
        self.environment = environment
        self.exchanges: list[Exchange] = []
        self.unanswered: tuple[Message, ...] | None = None
        """The last turn if it has no answer, for another try."""
        self.last: Completion | None = None
        self.totals = Totals(0, 0, 0)
        self.files: list[str] = []
        self.attached: list[Attachment] = []
        self._values = dict(values)
        self._chat = uuid7()
        self._mark: int | None = None
        self._sink: HistorySink | None = None
        self._meter = Meter(time.monotonic())
        environment.check_stdout()
        self.settings = settings_of(environment, self._fetching())
        self.keeps = keeps(values, environment, self.settings)
        self._place = Place(chat=self._chat)
        if "session" in values or values.get("continue"):
            self._go_on()
        self._overrides = overrides_of(self._values)
        self.targets = self._targets()

    def _go_on(self) -> None:
        from llmstream.history.conversations import messages
        from llmstream.runnable.files import attached_again

        found = chosen(self._values)
        self._place = replace(self._place, conversation=found.id or None, session=found.session)
        if not found.provider:
            return
        for turn in found.turns:
            *said, _ = messages([turn], attached_again)
            self.exchanges.append(Exchange(tuple(said), turn.text, turn.row))
        self._values.setdefault("model", f"{found.provider}/{found.model}")
        if found.system is not None:
            self._values.setdefault("system", found.system)
        self.say(f"continuing {found.described()}")

    @property
    def system(self) -> str:
        """The system prompt, empty for none."""
        return str(self._values.get("system") or "")

    @system.setter
    def system(self, text: str) -> None:
        """Set the system prompt of the following turns."""
        self._values["system"] = text

    @property
    def model(self) -> str:
        """The current model, as PROVIDER/MODEL."""
        endpoint = self.targets[0].endpoint
        return f"{endpoint.provider}/{endpoint.model}"

    @model.setter
    def model(self, spec: str) -> None:
        """Set the model of the following turns.

        Raises:
            LLMStreamError: the model is unknown or can't be used; the current one is kept.
        """
        before = self._values.get("model")
        self._values["model"] = full_name(self.settings, spec, self._fetching())
        try:
            self.targets = self._targets()
        except LLMStreamError:
            self._values["model"] = before
            raise

    def _targets(self) -> list[Target]:
        values: Values = {key: value for key, value in self._values.items() if value is not None}
        return targets_of(values, self.settings, self._overrides, self._fetching())

    def say(self, text: str) -> None:
        """Write a note on standard error, unless --quiet."""
        self.environment.say(text)

    def _fetching(self) -> Fetching:
        return Fetching(self.environment)

    def ask(self, text: str) -> int:
        """Send a turn with the files added for it; show the answer and return the run's exit status."""
        content = "\n\n".join([*self.files, *([text] if text else [])])
        said = (Message("user", content, tuple(self.attached)),)
        self.files, self.attached = [], []
        return self.send(said)

    def send(self, said: tuple[Message, ...]) -> int:
        """Send messages after all earlier turns; show the answer and return the run's exit status."""
        environment, fetching = self.environment, self._fetching()
        environment.begin()
        began = time.monotonic()
        self._meter = Meter(began)
        self._sink = None
        system = [Message("system", self.system)] if self.system else []
        before = [m for one in self.exchanges for m in (*one.said, Message("assistant", one.answer))]
        plan = Plan(
            targets=self.targets,
            prompt=Prompt((*system, *before, *said)),
            options=self._overrides.options or Options(),
            say=fetching.say,
            progress=fetching.progress,
            ready=fetching.close,
        )

        def sinks(made: Plan | None) -> Sink:
            shown = outputs(self._values, made, environment, began, talk=self)
            return Tee([self._meter, shown])

        status = Run(environment, fetching, sinks, began, self).carry_out(lambda: plan)
        self._ended(said, status)
        return status

    def _ended(self, said: tuple[Message, ...], status: int) -> None:
        """Add the turn to the conversation if it has an answer; otherwise it is not sent again."""
        self.last = self._meter.completion(time.monotonic())
        if status and self.last.finish_reason == "unknown":
            ended: FinishReason = "cancelled" if status == Exit.INTERRUPTED else "error"
            self.last = replace(self.last, finish_reason=ended)
        self.totals = self.totals.and_(self.last)
        kept = self._sink.kept if self._sink is not None else None
        if kept is not None:
            self._place = replace(self._place, conversation=kept.conversation)
            self._mark = self._mark or running.hold(history_path().parent, self._chat)
        self.unanswered = None if self.last.text else said
        if self.last.text:
            self.exchanges.append(Exchange(said, self.last.text, kept.row if kept else 0))

    def sink(self, plan: Plan, run_id: str | None) -> HistorySink | None:
        """Return the sink that stores a turn in the history, None if it is not to be stored."""
        if not self.keeps:
            return None
        before = 2 * len(self.exchanges)
        rows = tuple(one.row for one in self.exchanges if one.row)
        place = replace(self._place, earlier=rows)
        self._sink = history_sink(plan, before, place, self.environment, run_id)
        return self._sink

    def reader_gone(self) -> None:
        """Store the answer received until the reader closed the output."""
        from llmstream.errors import Cancelled

        if self._sink is not None:
            self._sink.close(Cancelled("the output's reader closed it"), time.monotonic())

    def explain(self, error: LLMStreamError) -> None:
        """If the conversation is too long for the model, set the error's hint to the remedy."""
        if isinstance(error, ContextTooLong) and self.exchanges:
            error.hint = too_long(len(self.exchanges))

    def take_back(self) -> tuple[Message, ...] | None:
        """Remove the last turn and return its messages; None if there is none."""
        if self.unanswered is not None:
            said, self.unanswered = self.unanswered, None
            return said
        if not self.exchanges:
            return None
        last = self.exchanges.pop()
        if last.row and self.keeps:
            self._mark_taken_back([last.row])
        return last.said

    def clear(self) -> None:
        """Start a new conversation, which takes over the session's name if there is one."""
        self.exchanges, self.unanswered = [], None
        self.files, self.attached = [], []
        self._place = replace(self._place, conversation=None)

    def _mark_taken_back(self, rows: list[int]) -> None:
        from llmstream.history.store import Store

        try:
            store = Store.writing(history_path())
            if store is not None:
                with store:
                    for row in rows:
                        store.take_back(row)
        except HistoryError as error:
            self.say(f"warning: {error.message}")

    def close(self) -> None:
        """Mark the chat as ended, so that other commands can continue its conversation."""
        if self._mark is not None:
            running.release(history_path().parent, self._chat, self._mark)
            self._mark = None


class Totals(NamedTuple):
    """Totals of a chat.

    Args:
        turns: number of answers, including partial ones.
        input_tokens: as reported by the provider.
        output_tokens: as reported by the provider.
    """

    turns: int
    input_tokens: int
    output_tokens: int

    def and_(self, completion: Completion) -> Totals:
        """Return the totals with one more run added."""
        usage = completion.usage
        return Totals(
            self.turns + bool(completion.text),
            self.input_tokens + (usage.input_tokens or 0),
            self.output_tokens + (usage.output_tokens or 0),
        )
