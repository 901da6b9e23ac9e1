"""How long calls take: one by one, in turns, warmed up."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)

TURNS = 5
"""Of every contender: a spell in which the machine is busy with something else meets all of them alike."""

WARM_UP = 0.2
"""Of the seconds of a turn, spent on calls that do not count; at least one call is."""

Call = Callable[[int], object]
"""What is timed, told how many calls there were before, so that it can take other rows each time."""


@dataclass(frozen=True)
class Times:
    """Microseconds per call.

    Args:
        p50: the median.
        p95: 95th percentile.
        p99: 99th percentile.
        calls: that were timed.
    """

    p50: float
    p95: float
    p99: float
    calls: int

    @classmethod
    def of(cls, nanoseconds: list[int]) -> Times:
        """Percentiles of single calls, interpolated between neighbours."""
        p50, p95, p99 = (float(value) / 1000 for value in np.percentile(nanoseconds, [50, 95, 99]))
        return cls(p50, p95, p99, len(nanoseconds))


def latency(contenders: Mapping[Name, Call], seconds: float, turns: int = TURNS) -> dict[Name, Times]:
    """Times every call of every contender by itself.

    Contenders take turns; each turn begins with calls that warm caches and threads up and do not count. A call
    that takes longer than a turn is made once in it.

    Args:
        contenders: by name.
        seconds: that each of them is timed for, in all its turns.
        turns: from 1.

    Returns:
        By name, over all calls of all turns.
    """
    found: dict[Name, list[int]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, call in contenders.items():
            _repeat(call, len(found[name]), WARM_UP * seconds / turns)
            found[name] += _repeat(call, len(found[name]), seconds / turns)
    return {name: Times.of(times) for name, times in found.items()}


def _repeat(call: Call, before: int, seconds: float) -> list[int]:
    """Nanoseconds of each call, made for so long, at least once."""
    times: list[int] = []
    end = time.perf_counter_ns() + int(seconds * 1e9)
    while not times or time.perf_counter_ns() < end:
        start = time.perf_counter_ns()
        call(before + len(times))
        times.append(time.perf_counter_ns() - start)
    return times
