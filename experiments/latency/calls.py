"""Calls timed one by one; of several repeats the one with the lowest median, the others being other people's."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Times:
    """Microseconds."""

    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return " | ".join(
            f"{value:.2f}" if value < 10 else f"{value:.0f}" for value in (self.p50, self.p95, self.p99)
        )


def timed(call: Callable[[int], object], repeats: int, seconds: float = 0.5) -> Times:
    """``call(0), call(1), …`` for so long, warmed up, ``repeats`` times."""
    found = []
    for i in range(200):
        call(i)
    for _ in range(repeats):
        times, end, i = [], time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            start = time.perf_counter_ns()
            call(i)
            times.append(time.perf_counter_ns() - start)
            i += 1
        found.append(Times(*(float(value) / 1000 for value in np.percentile(times, [50, 95, 99]))))
    return min(found, key=lambda times: times.p50)


def from_c(bundle: Path, repeats: int, non_zeros: int, flags: list[str]) -> dict[str, Times]:
    """The benchmark in the exported file itself."""
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/bench"
        source = str(bundle / "c" / "student.c")
        asked = ["cc", "-O3", *flags, "-ffp-contract=fast", "-DGRAPHKD_BENCH", source, "-o", program, "-lm"]
        subprocess.run(asked, check=True)
        found: dict[str, Times] = {}
        for _ in range(repeats):
            done = subprocess.run([program, str(non_zeros)], capture_output=True, text=True, check=True)
            for name, *numbers in re.findall(r"(.+?) +p50 (\S+) +p95 (\S+) +p99 (\S+)", done.stdout):
                times = Times(*map(float, numbers))
                found[name] = min(found.get(name, times), times, key=lambda times: times.p50)
    return found
