"""Shows the fetch of a model on standard error: a bar on a terminal, one line elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from llmstream.cli.environment import Environment
from llmstream.errors import Cancelled


class Fetching:
    """The two callbacks that a fetch is given; a context manager that takes the bar away again."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._label = "downloading the model"
        self._update: Callable[[int, int | None], None] | None = None
        self._end: Callable[[], None] = lambda: None
        self._stopped = False

    def say(self, text: str) -> None:
        """Say what is going on; it labels the bar, too."""
        self._label = text
        self.close()
        if self._environment.waiting:
            self._environment.waiting.clear()
        self._environment.say(text)

    def progress(self, done: int, total: int | None) -> None:
        """Show how many bytes have come, of how many; ends the fetch when it was stopped."""
        if self._stopped:
            raise Cancelled("the download was stopped")
        environment = self._environment
        if environment.quiet or not environment.err.isatty or environment.dumb:
            return
        if self._update is None:
            if environment.waiting:
                environment.waiting.stop()
            from llmstream.render.progress import progress

            self._update, self._end = progress(environment.err, "", draw=True, color=environment.colored)
        self._update(done, total)

    def stop(self) -> None:
        """Have the fetch end at its next piece: nobody can end the thread that it may run in."""
        self._stopped = True

    def close(self) -> None:
        """Take the bar away."""
        self._end()
        self._update, self._end = None, lambda: None

    def __enter__(self) -> Fetching:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
