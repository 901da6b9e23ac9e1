"""A command, watched: seconds, CPU seconds and the highest memory of it and its children (Linux)."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

STEP = 0.02
"""Seconds between two looks."""


@dataclass(frozen=True)
class Watched:
    """What a command took.

    Args:
        seconds: from its start to its end.
        cpu_seconds: of all its threads.
        megabytes: the most, at a look, that all its processes have to themselves; mapped files are not among it.
        resident: the most that the kernel counted for one process, mapped files included.
        output: all that it printed.
        status: of its end.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float
    resident: float
    output: str
    status: int


def watch(command: Sequence[str], stop: Callable[[], bool] = lambda: False) -> Watched:
    """Runs a command; once ``stop`` says so, kills it with SIGKILL."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    most = resident = 0
    while process.poll() is None:
        found = [_status(pid) for pid in (process.pid, *_children(process.pid))]
        most = max(most, sum(own for own, _ in found))
        resident = max(resident, *(highest for _, highest in found))
        if stop():
            process.send_signal(signal.SIGKILL)
        time.sleep(STEP)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    output = process.stdout.read() if process.stdout else ""
    seconds = time.perf_counter() - start
    return Watched(seconds, used, most / 1e6, resident / 1e6, output, process.wait())


def _children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        found = [Path(f"/proc/{pid}/task/{task}/children").read_text().split() for task in tasks]
    except OSError:
        return []
    direct = [int(child) for each in found for child in each]
    return [*direct, *(below for child in direct for below in _children(child))]


def _status(pid: int) -> tuple[int, int]:
    """Bytes that are no mapped file, and the highest resident ones."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines if line.endswith(" kB")}
    return sizes.get("RssAnon", 0) + sizes.get("RssShmem", 0), sizes.get("VmHWM", 0)
