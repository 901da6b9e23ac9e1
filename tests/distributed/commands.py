"""``graphkd distill`` in two forked processes, as ``torchrun`` starts them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from graphkd.cli import main
from tests.conftest import STAGE
from tests.distributed.pair import SIZE, Store, ready


@dataclass
class Done:
    """How a process ended: its exit status, or the negative number of a signal; and what it wrote."""

    returncode: int | None
    stdout: str
    stderr: str


class Command:
    """The command at work in both processes.

    Args:
        args: of ``graphkd``; a function gives each rank its own.
        cwd: where the processes are; the cache and what they write lie beside it.
        store: of torchrun; a new one by default.
        seconds: that a process may be silent.
        call: what is called with them.
    """

    def __init__(
        self,
        args: list[str] | Callable[[int], list[str]],
        cwd: Path,
        store: Store | None = None,
        seconds: float = 60,
        call: Callable[[list[str]], int] = main,
    ) -> None:
        self.store, self.out = store or Store(), cwd.parent / "out"
        self.out.mkdir(exist_ok=True)
        context, self.processes = ready(), []
        for rank in range(SIZE):
            own = args(rank) if callable(args) else args
            environment = self.store.environment(rank, seconds) | {"GRAPHKD_CACHE": str(cwd.parent / "cache")}
            given = (call, own, cwd, environment, self.out / str(rank))
            process = context.Process(target=_run, args=given, daemon=True)
            process.start()
            self.processes.append(process)

    def kill_when(self, there: Callable[[], Any], rank: int, how: signal.Signals = signal.SIGKILL) -> None:
        """Sends a process a signal as soon as something is true."""
        while not there():
            assert all(process.is_alive() for process in self.processes), self.done()
            time.sleep(0.001)
        os.kill(self.processes[rank].pid or 0, how)

    def done(self, seconds: float = 60) -> list[Done]:
        """What became of both, once they have ended; those that do not are killed and have no status."""
        end = time.monotonic() + seconds
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        said = [[(self.out / f"{rank}.{name}").read_text() for name in ("out", "err")] for rank in range(SIZE)]
        return [
            Done(each.exitcode, out, STAGE.sub("", err))
            for each, (out, err) in zip(self.processes, said, strict=True)
        ]


def _run(
    call: Callable[[list[str]], int], args: list[str], cwd: Path, environment: dict[str, str], said: Path
) -> None:
    for descriptor, name in ((1, "out"), (2, "err")):
        file = os.open(f"{said}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    torch.set_num_threads(1)
    os.environ.update(environment)
    os.chdir(cwd)
    sys.exit(call(args))
