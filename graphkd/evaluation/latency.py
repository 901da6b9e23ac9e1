"""Latency measurement of single calls, with warm-up and interleaved contenders."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)

TURNS = 5
"""Number of turns per contender; interleaving spreads interference from other processes over all of them."""

WARM_UP = 0.2
"""Warm-up time as a fraction of a turn's time; it has at least one call, which is not measured."""

Call = Callable[[int], object]
"""Function to measure; its argument is the number of previous calls, for using different rows in each call."""


@dataclass(frozen=True)
class Times:
    """Percentiles of the time per call in microseconds.

    Args:
        p50: the median.
        p95: 95th percentile.
        p99: 99th percentile.
        calls: number of measured calls.

    >>> times = Times.of([1000, 2000, 3000])
    >>> times.p50, times.calls
    (2.0, 3)
    """

    p50: float
    p95: float
    p99: float
    calls: int

    @classmethod
    def of(cls, nanoseconds: list[int]) -> Times:
        """Computes percentiles of single calls with linear interpolation."""
        p50, p95, p99 = (float(value) / 1000 for value in np.percentile(nanoseconds, [50, 95, 99]))
        return cls(p50, p95, p99, len(nanoseconds))


def latency(contenders: Mapping[Name, Call], seconds: float, turns: int = TURNS) -> dict[Name, Times]:
    """Measures every call of every contender separately.

    Contenders take turns; each turn begins with calls that warm up caches and threads and are not measured. A call
    that takes longer than a turn runs once in it.

    Args:
        contenders: by name.
        seconds: measured time per contender, over all its turns.
        turns: number of turns, from 1.

    Returns:
        Percentiles by name, over all calls of all turns.

    >>> times = latency({"sum": lambda number: sum(range(10))}, seconds=0.001)
    >>> times["sum"].calls > 0, times["sum"].p50 <= times["sum"].p99
    (True, True)
    """
    measured: dict[Name, list[int]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, call in contenders.items():
            _repeat(call, len(measured[name]), WARM_UP * seconds / turns)
            measured[name] += _repeat(call, len(measured[name]), seconds / turns)
    return {name: Times.of(times) for name, times in measured.items()}


def _repeat(call: Call, before: int, seconds: float) -> list[int]:
    """Repeats a call for ``seconds``, at least once, and returns the nanoseconds of each."""
    times: list[int] = []
    end = time.perf_counter_ns() + int(seconds * 1e9)
    while not times or time.perf_counter_ns() < end:
        start = time.perf_counter_ns()
        call(before + len(times))
        times.append(time.perf_counter_ns() - start)
    return times
