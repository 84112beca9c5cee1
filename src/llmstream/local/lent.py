"""Run a model's server in its own process for a while: ``python -m llmstream.local.lent PATH ...``.

A server ends with the process that started it. `--show-request` prints a request to be run after
llmstream has ended, so the server for it gets a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from llmstream.errors import LocalModelError
from llmstream.local.server import server_for
from llmstream.prompt import Secret


def lend(path: Path, *, context: int, threads: int, seconds: float) -> tuple[str, Secret]:
    """Start a model's server in a process that ends by itself, and return its URL and key.

    Args:
        path: a GGUF file, already checked.
        context: size of the context in tokens; 0 for the model's own, but 8192 at most.
        threads: number of threads; 0 for llama.cpp's default.
        seconds: how long the server runs.

    Returns:
        The URL without a path, such as ``http://127.0.0.1:40123``, and its key.

    Raises:
        LocalModelError: it did not start.
    """
    arguments = [str(path), str(context), str(threads), str(seconds)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Ctrl-C in our terminal is not meant for it
        start_new_session=os.name == "posix",
    )
    assert process.stdout is not None
    try:
        with process.stdout as said:
            address, _, key = said.readline().strip().partition(" ")
    except BaseException:
        process.kill()
        process.wait()
        raise
    if not key:
        process.wait()
        raise LocalModelError(
            f"the server for {path.name} didn't start",
            hint="run the prompt without --show-request to see why",
        )
    # nobody waits for the process, and Popen would warn about that
    process.returncode = 0
    return address, Secret(key, "key of the local model")


def main(arguments: list[str]) -> None:
    """Start a server, print its URL and key on one line, and end after the given seconds."""
    path, context, threads, seconds = arguments
    address, key = server_for(Path(path), context=int(context), threads=int(threads)).start()
    os.write(1, f"{address} {key.reveal()}\n".encode())
    # close the pipe, so that its reader sees the end of the output
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    threading.Event().wait(float(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
