"""A wrong value, wherever it stands, is read sensibly or told in a message of ours: a sample of all of them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

from wrong_values import cases, fault_of

SECONDS = float(os.environ.get("LLMSTREAM_FUZZ_SECONDS", "2"))


def test_no_wrong_value_is_an_internal_error(record_property: Callable[[str, object], None]) -> None:
    seed = int(os.environ.get("LLMSTREAM_FUZZ_SEED", "0")) or random.randrange(1, 2**32)
    record_property("seed", seed)
    chosen = cases()
    assert len(chosen) > 10_000, "the recordings aren't read"
    random.Random(seed).shuffle(chosen)
    end, tried = time.monotonic() + SECONDS, 0
    for case in chosen:
        fault = fault_of(case)
        assert fault is None, f"LLMSTREAM_FUZZ_SEED={seed}, try {tried}: {case.told}: {fault}"
        tried += 1
        if tried > 20 and time.monotonic() > end:
            break
    record_property("tried", tried)
