"""Measures the command beside a bare httpx script, against one fake endpoint, in turn.

    python tests/bench/run.py [--quick] [--rounds N] [--peer NAME='COMMAND {base_url} {tokens}']

Prints Markdown tables of medians: time and CPU to the wire (start of the process to the complete request
at the server, or to TLS's first message), CPU a token above the one-token run, CPU an answer above the
one-answer run, peak memory; then the ratios that the project has set itself as goals.  It asserts nothing.
"""

from __future__ import annotations

import argparse
import math
import os
import select
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

HERE = Path(__file__).parent
CONFIG = """\
default = "bench"
[providers.bench]
adapter = "openai-completions"
base_url = "{base_url}"
model = "m"
api_key_env = ""
max_retries = 0
"""
ANSWERS = 300
"""Answers of one process, in a loop."""
LONGEST = 60
"""Seconds after which a request that has not come is given up."""


class Endpoint:
    """The fake endpoint's process.

    Args:
        folder: for the certificate; without the program openssl there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "server.pem"
        command = [sys.executable, str(HERE / "endpoint.py")]
        if openssl := shutil.which("openssl"):
            subprocess.run(
                [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", self.authority, "-out", folder / "certificate.pem", "-days", "2", "-subj", "/CN=x",
                 "-addext", "subjectAltName=IP:127.0.0.1"],
                check=True, capture_output=True,
            )  # fmt: skip
            with self.authority.open("a") as file:
                file.write((folder / "certificate.pem").read_text())
            command.append(str(self.authority))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.output = self.process.stdout.fileno()
        self._came = b""
        http, https, hung_up = self.line().split()
        self.http = f"http://127.0.0.1:{http}/v1"
        self.https = f"https://127.0.0.1:{https}/v1" if https != "0" else ""
        self.hung_up = f"https://127.0.0.1:{hung_up}/v1"

    def line(self) -> str:
        """Return its next line."""
        while b"\n" not in self._came:
            if not select.select([self.output], [], [], LONGEST)[0]:
                raise SystemExit("no request came")
            self._came += os.read(self.output, 1 << 16)
        line, _, self._came = self._came.partition(b"\n")
        return line.decode()


class Client(NamedTuple):
    """A command; {tokens} and {answers} in it are filled in."""

    command: list[str]
    variables: Mapping[str, str] = MappingProxyType({})
    fails: bool = False


class Figures(NamedTuple):
    """What one run took: ms and CPU ms to the wire, CPU seconds in all, peak MiB."""

    wire: float
    wire_cpu: float
    cpu: float
    peak: float


def clients(endpoint: Endpoint, folder: Path, peers: list[str]) -> dict[str, Client]:
    """Return all clients by name."""
    made: dict[str, Client] = {}
    cases = {
        "": (endpoint.http, {}, False),
        ", https": (endpoint.https, {"SSL_CERT_FILE": str(endpoint.authority)}, False),
        ", https, the system's authorities": (endpoint.hung_up, {}, True),
    }
    for case, (base_url, variables, fails) in cases.items():
        if not base_url:
            continue
        config = folder / f"{len(made)}.toml"
        config.write_text(CONFIG.format(base_url=base_url))
        ours = [sys.executable, "-m", "llmstream", "--config", str(config), "--max-tokens", "{tokens}"]
        script = [sys.executable, str(HERE / "bare_httpx.py"), base_url, "{tokens}"]
        made["httpx script" + case] = Client(script, variables, fails)
        made["llmstream" + case] = Client([*ours, "hi"], variables, fails)
        if not case:
            made["llmstream --async"] = Client([*ours, "--async", "hi"])
            made["llmstream --events"] = Client([*ours, "--events", "hi"])
            made["httpx, answers"] = Client([*script, "{answers}"])
            library = [sys.executable, str(HERE / "invoke.py"), base_url, "{tokens}", "{answers}"]
            made["LLM.invoke, answers"] = Client(library)
    for peer in peers:
        name, _, command = peer.partition("=")
        made[name] = Client(shlex.split(command.replace("{base_url}", endpoint.http)))
    return made


def measure(endpoint: Endpoint, client: Client, tokens: int, answers: int = 1) -> Figures:
    """Run a client once."""
    filled = {"{tokens}": str(tokens), "{answers}": str(answers)}
    argv = [filled.get(word, word.replace("{tokens}", str(tokens))) for word in client.command]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment["LLMSTREAM_NO_HISTORY"] = "1"
    began = time.monotonic_ns()
    child = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if client.fails else None, env={**environment, **client.variables},
    )  # fmt: skip
    assert child.stdout is not None
    wire = (int(endpoint.line()) - began) / 1e6
    wire_cpu = cpu_so_far(child.pid) * 1000
    while os.read(child.stdout.fileno(), 1 << 16):
        pass
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode and not client.fails:
        raise SystemExit(f"{shlex.join(argv)} ended with {child.returncode}")
    for _ in range(answers - 1):
        endpoint.line()
    return Figures(wire, wire_cpu, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def cpu_so_far(pid: int) -> float:
    """Return the CPU seconds that a running process has used, nan where the system doesn't say."""
    if sys.platform != "linux":
        return math.nan
    # the number of another process's clock, as clock_getcpuclockid(3) makes it
    return time.clock_gettime((~pid << 3) | 2)


class Table:
    """All figures, by client, tokens and answers."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int, int], list[Figures]] = {}

    def add(self, name: str, tokens: int, answers: int, figures: Figures) -> None:
        """Take note of a run."""
        self._rows.setdefault((name, tokens, answers), []).append(figures)

    def median(self, name: str, figure: str, tokens: int = 1, answers: int = 1) -> float:
        """Return the median of one figure."""
        values: list[float] = [getattr(one, figure) for one in self._rows[name, tokens, answers]]
        return statistics.median(values)

    def a_token(self, name: str, size: int) -> float:
        """Return the CPU microseconds of a token."""
        return (self.median(name, "cpu", size) - self.median(name, "cpu")) / size * 1e6

    def an_answer(self, name: str) -> float:
        """Return the CPU microseconds of an answer of one token."""
        more = self.median(name, "cpu", 1, ANSWERS) - self.median(name, "cpu")
        return more / (ANSWERS - 1) * 1e6


def goals(table: Table, names: list[str], size: int) -> list[tuple[str, str, float, float]]:
    """Return what the project has set itself: what, the goal, our figure, the other one."""

    def wire(ours: str, other: str, figure: str = "wire") -> tuple[float, float]:
        return table.median(ours, figure), table.median(other, figure)

    ours, script, system = "llmstream", "httpx script", ", https, the system's authorities"
    rows = [
        ("ms to wire", "0.75", *wire(ours, script)),
        ("CPU ms to wire, --async beside --sync", "1.15", *wire("llmstream --async", ours, "wire_cpu")),
        ("ms to wire" + system, "0.85", *wire(ours + system, script + system)),
        ("us CPU a token", "0.35", table.a_token(ours, size), table.a_token(script, size)),
        ("us CPU a token, --events beside plain", "1.15", table.a_token("llmstream --events", size),
         table.a_token(ours, size)),
        ("us CPU an answer, invoke", "450 us", table.an_answer("LLM.invoke, answers"),
         table.an_answer("httpx, answers")),
    ]  # fmt: skip
    if "llmstream, https" in names:
        rows.insert(2, ("ms to wire, https", "0.85", *wire("llmstream, https", "httpx script, https")))
    return rows


def show(table: Table, names: list[str], sizes: list[int]) -> None:
    """Print the tables."""
    streams = [name for name in names if "https" not in name and "answers" not in name]
    print(
        "| client | ms to wire | CPU ms to wire |",
        *(f"us CPU/token, {size} |" for size in sizes),
        "peak MiB |",
    )
    print("|---|---|---|" + "---|" * (len(sizes) + 1))
    for name in names:
        if "answers" in name:
            continue
        cells = [f"{table.median(name, 'wire'):.0f}", f"{table.median(name, 'wire_cpu'):.0f}"]
        for size in sizes:
            cells.append(f"{table.a_token(name, size):.1f}" if name in streams else "")
        cells.append(f"{table.median(name, 'peak', sizes[-1] if name in streams else 1):.0f}")
        print("| " + " | ".join([name, *cells]) + " |")
    print("\n| what | goal | ours | beside | ratio |\n|---|---|---|---|---|")
    for what, goal, ours, other in goals(table, names, sizes[-1]):
        print(f"| {what} | {goal} | {ours:.1f} | {other:.1f} | {ours / other:.2f} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer tokens and rounds")
    parser.add_argument("--rounds", type=int, help="how often each is run (15, with --quick 5)")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    options = parser.parse_args()
    sizes = [20_000] if options.quick else [20_000, 100_000]
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        endpoint = Endpoint(Path(folder))
        found = clients(endpoint, Path(folder), options.peer)
        order = list(found)
        for _ in range(options.rounds or (5 if options.quick else 15)):
            # nobody is always the first: what went before changes the clock of the processor
            order = [*order[1:], order[0]]
            for name in order:
                table.add(name, 1, 1, measure(endpoint, found[name], 1))
            for name, client in found.items():
                if "answers" in name:
                    table.add(name, 1, ANSWERS, measure(endpoint, client, 1, ANSWERS))
                    continue
                for size in sizes if "https" not in name else ():
                    table.add(name, size, 1, measure(endpoint, client, size))
        endpoint.process.kill()
        endpoint.process.wait()
    show(table, list(found), sizes)


if __name__ == "__main__":
    main()
