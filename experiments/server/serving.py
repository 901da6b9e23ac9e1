"""``graphkd serve`` in a process of its own, and what it takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass
class Server:
    """A server that answers.

    Args:
        process: of the command.
        port: on loopback.
        workers: that it was told to have.
    """

    process: subprocess.Popen[str]
    port: int
    workers: int

    def answering(self) -> list[int]:
        """Processes that answer: the command itself, or its workers."""
        if self.workers == 1:
            return [self.process.pid]
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in _line(pid)]

    def resident(self) -> float:
        """Megabytes (10^6 bytes) of the processes that answer, together."""
        return sum(1024 * _status(pid, "VmRSS") for pid in self.answering()) / 1e6

    def cpu(self) -> float:
        """Seconds of processor time of the processes that answer."""
        ticks = os.sysconf("SC_CLK_TCK")
        stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.answering())
        return sum((int(stat[11]) + int(stat[12])) / ticks for stat in stats)


@contextmanager
def serving(bundle: Path, *args: str, workers: int = 1, runtime: str = "native") -> Iterator[Server]:
    """Starts the command on a free port, waits for all workers, and ends it."""
    asked = [sys.executable, "-m", "graphkd", "serve", str(bundle), "--port", "0", "--runtime", runtime]
    asked += ["--workers", str(workers), *args]
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD})
    assert process.stdout is not None
    line = process.stdout.readline()
    server = Server(process, int(line.rpartition(":")[2]), workers)
    try:
        while len(server.answering()) < workers:
            time.sleep(0.1)
        for _ in range(20):
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/v2/health/ready").read()
        time.sleep(2.0 if workers > 1 else 0.0)  # the slower one has still to import
        yield server
    finally:
        process.terminate()
        process.wait(60)


def _line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def _status(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
