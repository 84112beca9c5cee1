"""Shows how far a download is: a bar on a terminal, one line elsewhere.

The only renderer beside Markdown and tables that draws with rich, which is loaded when a bar is
begun and not before: it costs more time than a whole answer's first token.
"""

from __future__ import annotations

from collections.abc import Callable

from llmstream.render.base import Writer, encode
from llmstream.render.guard import one_line


def progress(
    writer: Writer, label: str, *, draw: bool, color: bool = True
) -> tuple[Callable[[int, int | None], None], Callable[[], None]]:
    """Begin to show a download.

    Args:
        writer: standard error.
        label: what is fetched, one line.
        draw: whether a bar may be drawn; only ever done on a terminal.  False for TERM=dumb.
        color: whether the bar may have colours.

    Returns:
        A function that is told how many bytes are there and how many there will be (None when
        that isn't known), and one that ends the bar and gives the terminal back as it was; call
        it in any case.
    """
    if draw and writer.isatty:
        return _bar(writer, one_line(label), color)
    writer.write(encode(f"llmstream: {one_line(label)}\n"))
    return lambda done, total: None, lambda: None


def _bar(
    writer: Writer, label: str, color: bool
) -> tuple[Callable[[int, int | None], None], Callable[[], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    # the console's own file: what rich writes must not depend on the locale's encoding
    stream = open(writer.fd, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(file=stream, force_terminal=True, no_color=not color),
    )
    task = bar.add_task(label, total=None)
    bar.start()

    def update(done: int, total: int | None) -> None:
        bar.update(task, completed=done, total=total)

    def close() -> None:
        bar.stop()
        stream.close()

    return update, close
