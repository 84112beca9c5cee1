"""A model's server in a process of its own, for a while: ``python -m llmstream.local.lent PATH ...``.

A server ends with the process that began it.  One that has to outlive the command which names its
address, such as a request that is shown and run later, is started here instead.
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
    """Start a model's server in a process that ends by itself, and return its address and key.

    Args:
        path: a GGUF file that was found good.
        context: size of the context in tokens, 0 for the model's own.
        threads: that compute, 0 for as many as llama.cpp finds right.
        seconds: how long the server is up.

    Returns:
        The address without a path, such as ``http://127.0.0.1:40123``, and the key it wants.

    Raises:
        LocalModelError: it didn't start.
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
            f"the server of {path.name} didn't start", hint="run the prompt without --show-request to see why"
        )
    # it is left to itself: Popen would warn of a child that nobody waits for
    process.returncode = 0
    return address, Secret(key, "key of the local model")


def main(arguments: list[str]) -> None:
    """Start a server, say its address and key on standard output, and end after a while."""
    path, context, threads, seconds = arguments
    address, key = server_for(Path(path), context=int(context), threads=int(threads)).start()
    os.write(1, f"{address} {key.reveal()}\n".encode())
    # whoever reads to the end of our output is not kept waiting
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    threading.Event().wait(float(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
