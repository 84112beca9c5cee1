"""How long 100 000 000 prompts take on 1 000 workers, computed from what is measured here; prints a table.

    python tests/simulate_batch.py

Each worker asks pieces of 256 prompts, 16 at once; an answer takes 2 s (exponentially spread per piece
of work).  A limit of the provider is shared by all.  A worker fails at random, its piece is asked anew
by another, and it comes back after 60 s.  Measured on this machine: what one answer costs the
driver, which writes FILE alone, and how many bytes it is.
"""

from __future__ import annotations

import heapq
import pickle
import random
import time

from llmstream.engine.meter import Completion, Timing
from llmstream.events import Usage
from llmstream.jobs.answers import encoded, line_of
from llmstream.jobs.inputs import Asker, Common
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.rows import Row, row_of
from llmstream.prompt import Endpoint
from llmstream.runnable.targets import Target

PROMPTS, WORKERS, AT_ONCE, PIECE = 100_000_000, 1_000, 16, 256
ANSWER_SECONDS, COMES_BACK = 2.0, 60.0
LEDGER_BYTES = 160
"""Of one prompt, in the driver: measured by a run of a million."""


def measured() -> tuple[float, float, int]:
    """Return seconds to make a question, seconds to write an answer, and bytes of an answer's line."""
    asker = Asker(lambda model: [Target("openai-chat", Endpoint("p", "m", "http://nowhere"))], Common())
    ledger, count = Ledger(repeatable=True), 20_000
    began = time.perf_counter()
    for number in range(count):
        row = row_of(b'{"id": "q%d", "prompt": "question %d about rain"}' % (number, number), number + 1)
        assert isinstance(row, Row)
        ask = asker.ask(row)
        ledger.add(ask.id, ask.key)
    making = (time.perf_counter() - began) / count
    answer = Completion(
        "word " * 60, usage=Usage(20, 70, 90), timing=Timing(0.3, 2.0), provider="p", model="m"
    )
    piece = pickle.dumps([(f"q{number}", number, number, answer, None) for number in range(PIECE)])
    size = 0
    began = time.perf_counter()
    for _ in range(40):
        for id_, key, _, completion, error in pickle.loads(piece):
            size = len(encoded(line_of(id_, key, completion, error)))
    return making, (time.perf_counter() - began) / (40 * PIECE), size


def simulate(per_second: float, failures_a_day: float, driver: float) -> tuple[float, int, int]:
    """Return seconds, requests, and restarts of one job.

    Args:
        per_second: requests that the provider allows, 0 for any number.
        failures_a_day: of one worker.
        driver: seconds that the driver spends on an answer.
    """
    chance = random.Random(7)
    gap = max(PIECE / per_second if per_second else 0.0, PIECE * driver)
    left, requests, restarts, opens, end = -(-PROMPTS // PIECE), 0, 0, 0.0, 0.0
    ready = [(0.0, worker) for worker in range(WORKERS)]
    while left:
        now, worker = heapq.heappop(ready)
        opens = max(opens, now) + gap
        rounds = PIECE / AT_ONCE
        takes = max(opens - now, chance.gauss(rounds * ANSWER_SECONDS, rounds**0.5 * ANSWER_SECONDS))
        failed = chance.expovariate(failures_a_day / 86_400) if failures_a_day else float("inf")
        if failed < takes:
            restarts += 1
            requests += round(PIECE * failed / takes)
            heapq.heappush(ready, (now + failed + COMES_BACK, worker))
            continue
        left -= 1
        requests += PIECE
        end = max(end, now + takes)
        heapq.heappush(ready, (now + takes, worker))
    return end, requests, restarts


def main() -> None:
    """Print the table."""
    making, writing, size = measured()
    first = PROMPTS * making / 3600
    print(
        f"measured: {making * 1e6:.0f} us to make a question, {writing * 1e6:.0f} us and {size} bytes to write one\n"
    )
    print(
        "| provider's limit, requests/s | failures a worker and day | time, h | requests asked twice | restarts |"
    )
    print("|---|---|---|---|---|")
    for per_second in (0, 5_000, 500):
        for failures in (0, 1, 24):
            seconds, requests, restarts = simulate(per_second, failures, writing)
            again = (requests - PROMPTS) / PROMPTS
            limit = f"{per_second}" if per_second else "none"
            print(f"| {limit} | {failures} | {seconds / 3600:.1f} | {max(0.0, again):.3%} | {restarts} |")
    print(f"\nbefore it: {first:.1f} h to check the input; FILE {PROMPTS * size / 1e9:.0f} GB; ", end="")
    print(f"the driver's ledger {PROMPTS * LEDGER_BYTES / 1e9:.0f} GB")


if __name__ == "__main__":
    main()
