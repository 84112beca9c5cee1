"""Measures the command beside a bare httpx script, against one fake endpoint, in turn.

    python tests/bench/run.py [--quick] [--peer NAME='COMMAND {base_url} {tokens}']

Prints a Markdown table of medians: time to wire (start of the process to the complete request at
the server), CPU a token above the one-token run, peak memory.  It asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
CONFIG = """\
default = "bench"
[providers.bench]
adapter = "openai-completions"
base_url = "{base_url}"
model = "m"
api_key_env = ""
"""


class Endpoint:
    """The fake endpoint's process."""

    def __init__(self) -> None:
        command = [sys.executable, str(HERE / "endpoint.py")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.output = self.process.stdout
        self.base_url = f"http://127.0.0.1:{int(self.output.readline())}/v1"

    def arrived(self) -> int:
        """Return when the request was complete, in monotonic nanoseconds."""
        return int(self.output.readline())


def commands(base_url: str, config: str, peers: list[str]) -> dict[str, list[str]]:
    """Return each client's command, with {tokens} to be filled in."""
    ours = [sys.executable, "-m", "llmstream", "--config", config, "--max-tokens", "{tokens}"]
    made = {
        "httpx script": [sys.executable, str(HERE / "bare_httpx.py"), base_url, "{tokens}"],
        "llmstream": [*ours, "hi"],
        "llmstream --async": [*ours, "--async", "hi"],
        "llmstream --events": [*ours, "--events", "hi"],
    }
    for peer in peers:
        name, _, command = peer.partition("=")
        made[name] = shlex.split(command.replace("{base_url}", base_url))
    return made


def measure(endpoint: Endpoint, command: list[str], tokens: int) -> tuple[float, float, float]:
    """Run once and return ms to wire, CPU seconds and peak MiB."""
    argv = [word.replace("{tokens}", str(tokens)) for word in command]
    began = time.monotonic_ns()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert child.stdout is not None
    while os.read(child.stdout.fileno(), 1 << 16):
        pass
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{shlex.join(argv)} ended with {child.returncode}")
    wire = (endpoint.arrived() - began) / 1e6
    return wire, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer tokens and rounds")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    options = parser.parse_args()
    sizes, rounds = ([20_000], 3) if options.quick else ([20_000, 100_000], 7)
    endpoint = Endpoint()
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(CONFIG.format(base_url=endpoint.base_url))
        config.flush()
        found = commands(endpoint.base_url, config.name, options.peer)
        figures: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
        for _ in range(rounds):
            for tokens in (1, *sizes):
                for name, command in found.items():
                    figures.setdefault((name, tokens), []).append(measure(endpoint, command, tokens))
    endpoint.process.kill()
    endpoint.process.wait()

    def median(name: str, tokens: int, column: int) -> float:
        return statistics.median(row[column] for row in figures[name, tokens])

    print(
        "| client | ms to wire | " + " | ".join(f"us CPU/token, {size}" for size in sizes) + " | peak MiB |"
    )
    print("|---|---|" + "---|" * (len(sizes) + 1))
    for name in found:
        alone = median(name, 1, 1)
        costs = " | ".join(f"{(median(name, size, 1) - alone) / size * 1e6:.1f}" for size in sizes)
        print(f"| {name} | {median(name, 1, 0):.0f} | {costs} | {median(name, sizes[-1], 2):.0f} |")


if __name__ == "__main__":
    main()
