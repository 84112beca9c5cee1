"""Compute figures from measured requests.

Percentiles are exact, not estimated from buckets: they are interpolated linearly between the two nearest
of the sorted values (the default of NumPy and of spreadsheets).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from llmstream.errors import UsageError
from llmstream.measure.samples import Sample
from llmstream.prompt import Json
from llmstream.record import Record, names

LATENCIES: Final = ("ttft", "itl", "e2e", "tpot")
"""The figures in seconds; each can have a limit, which for `itl` applies to a request's mean."""


class Spread(Record):
    """The distribution of values, in seconds."""

    mean: float
    p50: float
    p90: float
    p99: float
    max: float


class Whole(Record):
    """The throughput of all requests together, per second from the first one sent to the last one's end.

    Args:
        requests_per_second: successful requests.
        output_tokens_per_second: their output tokens, as reported; None if none were reported.
        goodput: successful requests within all limits.
    """

    requests_per_second: float
    output_tokens_per_second: float | None
    goodput: float


class Figures(Record):
    """The figures of one model, times in seconds; None for a figure that can't be computed.

    Args:
        provider: its name in the configuration.
        model: the model's name.
        requests: number of successful requests, on which the other figures are based; only the time
            span of `whole` includes failed ones.
        failures: number of failed requests by the name of the error class, the most frequent first.
        ttft: from sending a request to its first token.
        itl: between consecutive chunks, over all gaps of all requests.
        e2e: from sending a request to its end.
        tpot: (e2e - ttft) / (output tokens - 1), for each request.
        output_tokens_per_second: the mean of the requests' own speeds, see `Sample.tokens_per_second`.
        whole: the throughput of all requests together.
        samples: the measured requests, including failed ones.
    """

    provider: str
    model: str
    requests: int
    failures: Mapping[str, int]
    ttft: Spread | None
    itl: Spread | None
    e2e: Spread | None
    tpot: Spread | None
    output_tokens_per_second: float | None
    whole: Whole
    samples: tuple[Sample, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """Return the figures, without the samples, as a JSON object; numbers have at most six decimals."""
        made: dict[str, Json] = {"provider": self.provider, "model": self.model, "requests": self.requests}
        made["failures"] = dict(self.failures)
        for name in LATENCIES:
            spread = getattr(self, name)
            made[name] = None if spread is None else _rounded(spread)
        made["output_tokens_per_second"] = _round(self.output_tokens_per_second)
        made["whole"] = _rounded(self.whole)
        return made


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that a `share` of all values does not exceed, interpolated.

    Args:
        ordered: at least one value, sorted.
        share: from 0 to 1.
    """
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Iterable[float]) -> Spread | None:
    """Return the distribution of values, None if there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    mean = min(max(math.fsum(ordered) / len(ordered), ordered[0]), ordered[-1])
    half, nine_tenths, nearly_all = (percentile(ordered, share) for share in (0.5, 0.9, 0.99))
    return Spread(mean, half, nine_tenths, nearly_all, ordered[-1])


def limits_of(text: str) -> dict[str, float]:
    """Return the limits in a text such as ``ttft=1,itl=0.05``, in seconds.

    Raises:
        UsageError: a limit is unknown, or not a number above 0.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, sign, value = part.partition("=")
        name = name.strip()
        if not sign or name not in LATENCIES:
            hint = f"write NAME=SECONDS, with NAME one of {', '.join(LATENCIES)}"
            raise UsageError(f"{part.strip()!r} is not a limit", hint=hint)
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = math.nan
        if not 0 < found[name] < math.inf:
            raise UsageError(f"the limit {name} must be a number of seconds above 0, not {value.strip()!r}")
    return found


def figures(
    provider: str, model: str, samples: Sequence[Sample], limits: Mapping[str, float] | None = None
) -> Figures:
    """Return the figures of one model.

    Args:
        provider: its name.
        model: its name.
        samples: the measured requests, in any order.
        limits: seconds for some of the names in `LATENCIES`; the others are not limited.
    """
    good = [sample for sample in samples if sample.error is None]
    failures = Counter(type(sample.error).__name__ for sample in samples if sample.error is not None)
    speeds = [speed for sample in good if (speed := sample.tokens_per_second) is not None]
    return Figures(
        provider=provider,
        model=model,
        requests=len(good),
        failures=dict(failures.most_common()),
        ttft=spread(sample.ttft for sample in good if sample.ttft is not None),
        itl=spread(gap for sample in good for gap in sample.gaps),
        e2e=spread(sample.e2e for sample in good),
        tpot=spread(tpot for sample in good if (tpot := sample.tpot) is not None),
        output_tokens_per_second=math.fsum(speeds) / len(speeds) if speeds else None,
        whole=_whole(samples, good, limits or {}),
        samples=tuple(samples),
    )


def _whole(samples: Sequence[Sample], good: Sequence[Sample], limits: Mapping[str, float]) -> Whole:
    if not good:
        return Whole(0.0, None, 0.0)
    began, ended = min(sample.sent for sample in samples), max(sample.ended for sample in samples)
    seconds = max(ended - began, 1e-9)
    tokens = [sample.output_tokens for sample in good if sample.output_tokens is not None]
    return Whole(
        requests_per_second=len(good) / seconds,
        output_tokens_per_second=sum(tokens) / seconds if tokens else None,
        goodput=sum(_within(sample, limits) for sample in good) / seconds,
    )


def _within(sample: Sample, limits: Mapping[str, float]) -> bool:
    """Return whether a request is within all limits; a figure that is None is within any."""
    return all((value := getattr(sample, name)) is None or value <= most for name, most in limits.items())


def _rounded(record: Record) -> dict[str, Json]:
    return {name: _round(getattr(record, name)) for name in names(record)}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
