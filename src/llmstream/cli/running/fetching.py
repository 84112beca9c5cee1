"""Show the download of a model on standard error: a bar on a terminal, one line elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from llmstream.cli.environment import Environment
from llmstream.errors import Cancelled


class Fetching:
    """The two callbacks of a download, `say` and `progress`; a context manager that removes the bar."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._label = "downloading the model"
        self._update: Callable[[int, int | None], None] | None = None
        self._end: Callable[[], None] = lambda: None
        self._stopped = False

    def say(self, text: str) -> None:
        """Write a note about what is being done, which also becomes the bar's label."""
        self._label = text
        self.close()
        if self._environment.waiting:
            self._environment.waiting.clear()
        self._environment.say(text)

    def progress(self, done: int, total: int | None) -> None:
        """Show the bytes received and the total (None if unknown); end the download after `stop`."""
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
        """Make the download end at its next piece, because the thread it may run in can't be ended."""
        self._stopped = True

    def close(self) -> None:
        """Remove the bar."""
        self._end()
        self._update, self._end = None, lambda: None

    def __enter__(self) -> Fetching:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
