"""Jobs in several processes of one thread each; each leaves a file behind, so that a killed command goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import torch


def run_all(jobs: Iterable[Callable[[], str]], workers: int) -> None:
    """Calls each job, and prints what it says; the first that fails ends the rest.

    Args:
        jobs: such as a ``functools.partial`` of a function at the top of a module.
        workers: processes; 1 is this one.
    """
    calls = list(jobs)
    if workers == 1:
        torch.set_num_threads(1)
        for number, call in enumerate(calls, 1):
            print(f"{number} of {len(calls)}: {call()}", flush=True)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        running = [pool.submit(call) for call in calls]
        try:
            for number, future in enumerate(as_completed(running), 1):
                print(f"{number} of {len(running)}: {future.result()}", flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
