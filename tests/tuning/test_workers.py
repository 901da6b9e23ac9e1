"""Processes in which candidates are trained."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from graphkd.tuning import workers

PROGRAM = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from graphkd.tuning import workers

def started(*_):
    print(os.getpid(), flush=True)
    time.sleep(1)  # in which the parent is killed
    workers._start(None, None, False, 1)

workers.Scorer = lambda *_: None
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), started)
    pool.submit(os.getpid)
    time.sleep(60)
"""


@pytest.mark.slow
def test_a_worker_ends_whose_parent_was_killed_while_it_started(tmp_path: os.PathLike[str]) -> None:
    program = os.path.join(tmp_path, "program.py")
    with open(program, "w") as file:
        file.write(PROGRAM)
    parent = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(worker, 9)
    pytest.fail("the worker is still there")


def test_a_worker_of_a_parent_that_is_gone_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []

    def end(status: int) -> None:
        ended.append(status)
        raise SystemExit

    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(SystemExit):
        workers._end_with(os.getppid() + 1)
    assert ended == [1]
