"""Random bytes for the guard, as long as LLMSTREAM_FUZZ_SECONDS says (0.5 unless set).

Hypothesis looks for small counterexamples; this one tries many long inputs, cut anywhere.  The
seed is in the failure's message.
"""

from __future__ import annotations

import os
import random
import re
import time

from llmstream.render.guard import Guard, guarded

SECONDS = float(os.environ.get("LLMSTREAM_FUZZ_SECONDS", "0.5"))
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]")
SPICE = ["\r", "\n", "\x1b", "\x9b", "\u202e", "\U0001f3f4", "\U000e0067", "\ud83d", "\u200d", "a", " "]


def random_text(source: random.Random) -> str:
    """Return noise of one of three kinds: bytes, code points, or dangerous characters in a row."""
    kind, size = source.randrange(3), source.randrange(200)
    if kind == 0:
        return source.randbytes(size).decode("utf-8", "surrogateescape")
    if kind == 1:
        return "".join(chr(source.randrange(0x110000)) for _ in range(size))
    return "".join(source.choices(SPICE, k=size))


def test_random_text_in_no_escape_out_however_it_is_cut() -> None:
    ends = time.monotonic() + SECONDS
    tried = 0
    while not tried or time.monotonic() < ends:
        seed = random.randrange(1 << 32)
        source = random.Random(seed)
        text = random_text(source)
        cuts = sorted(source.randrange(len(text) + 1) for _ in range(source.randrange(8)))
        guard, shown = Guard(), ""
        for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            shown += guard.feed(text[begin:end])
        shown += guard.close()
        assert not OBEYED.search(shown), f"seed {seed}"
        assert shown == guarded(text), f"seed {seed}"
        tried += 1
