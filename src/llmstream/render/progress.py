"""Show the progress of a download: a bar on a terminal, one line elsewhere.

rich is imported only when a bar is drawn, because importing it is slow.
"""

from __future__ import annotations

from collections.abc import Callable

from llmstream.render.base import Writer, encode
from llmstream.render.guard import one_line


def progress(
    writer: Writer, label: str, *, draw: bool, color: bool = True
) -> tuple[Callable[[int, int | None], None], Callable[[], None]]:
    """Start showing a download.

    Args:
        writer: standard error.
        label: what is downloaded, one line.
        draw: whether to draw a bar if `writer` is a terminal; False for TERM=dumb.
        color: whether the bar may have colours.

    Returns:
        A function to call with the bytes received and the total (None if unknown), and one that ends
        the bar and restores the terminal; the second must always be called.
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

    # its own file, so that the encoding doesn't depend on the locale
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
