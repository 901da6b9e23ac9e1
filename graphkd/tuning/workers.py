"""Processes in which candidates are trained."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import torch

from graphkd.api import pick_device
from graphkd.cluster import Ray
from graphkd.cluster.session import Cluster, cluster_session
from graphkd.errors import GraphKDError
from graphkd.system import usable_cpus
from graphkd.tuning.candidate import Candidate, Result
from graphkd.tuning.problem import Problem
from graphkd.tuning.scoring import Scorer

Task = tuple[Sequence[Candidate], int]
"""Candidates of one teacher, and a seed."""

_SCORERS: list[Scorer] = []
"""The scorer of a worker process."""

_KEPT: dict[str, Any] = {}
"""The scorer of a process of a cluster, and what it is of."""


class Workers:
    """Trains tasks, in this process or in several.

    Args:
        scorer: of this process; None where there is a pool.
        pool: of worker processes.
        together: whether candidates of one teacher are one task, since they train as one batched model.
    """

    def __init__(self, scorer: Scorer | None, pool: ProcessPoolExecutor | None, together: bool = False) -> None:
        self.scorer, self.pool, self.together = scorer, pool, together

    def results(self, tasks: Sequence[Task], end: float) -> Iterator[list[Result]]:
        """Yields the results of each task when it is finished.

        Args:
            tasks: to train, the longest first.
            end: time at which training stops.
        """
        if self.pool is None:
            assert self.scorer is not None
            for candidates, seed in tasks:
                yield self.scorer(candidates, seed, end)
            return
        running = [self.pool.submit(_score, candidates, seed, end) for candidates, seed in tasks]
        try:
            for future in as_completed(running):
                yield future.result()
        except BrokenProcessPool:
            raise GraphKDError(
                "a worker process has ended, as it does without enough memory, or where a script lacks "
                "if __name__ == '__main__': choose fewer workers; the same search goes on"
            ) from None


class ClusterWorkers(Workers):
    """Trains tasks on a cluster.

    Args:
        cluster: whose machines share the cache.
        problem: that they are about.
        cache: folder of finished stages.
    """

    def __init__(self, cluster: Cluster, problem: Problem, cache: Path) -> None:
        super().__init__(None, None)
        self.cluster, self.problem, self.cache = cluster, problem, str(cache.absolute())

    def results(self, tasks: Sequence[Task], end: float) -> Iterator[list[Result]]:
        """Yields the results of each task when it is finished, see ``Workers``."""
        yield from self.cluster.map(functools.partial(_score_there, self.problem, self.cache, end), tasks)


@contextmanager
def workers_of(problem: Problem, cache: Path, count: int, cluster: Ray | None = None) -> Iterator[Workers]:
    """Starts worker processes, which share the processor's threads, or connects to a cluster, and ends them.

    Args:
        problem: that they are about.
        cache: folder of finished stages.
        count: of processes; 1 is this one.
        cluster: whose tasks are used in their place.
    """
    if cluster is not None:
        cache.mkdir(parents=True, exist_ok=True)
        with cluster_session(cluster) as session:
            session.check([], [cache])
            yield ClusterWorkers(session, problem, cache)
        return
    together = pick_device(problem.fixed.get("device", "auto")).type == "cuda"
    if count == 1:
        yield Workers(Scorer(problem, cache, together), None, together)
        return
    threads = max(1, usable_cpus() // count)
    pool = ProcessPoolExecutor(count, get_context("spawn"), _start, (problem, cache, together, threads))
    try:
        yield Workers(None, pool, together)
    finally:
        pool.shutdown(cancel_futures=True)


def _start(problem: Problem, cache: Path, together: bool, threads: int) -> None:
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.pid,), daemon=True).start()
    torch.set_num_threads(threads)
    _SCORERS.append(Scorer(problem, cache, together))


def _end_with(parent: int | None) -> None:
    """Ends this process after its parent, which may have been killed before this began: nothing else would."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _score_there(problem: Problem, cache: str, end: float, task: Task) -> list[Result]:
    """Scores a task on a machine of a cluster, whose processes keep their scorer for the tasks to come."""
    key = (cache, problem.overrides)
    if _KEPT.get("key") != key:
        _KEPT.update(key=key, scorer=Scorer(problem, Path(cache), together=False))
    results: list[Result] = _KEPT["scorer"](*task, end)
    return results


def _score(candidates: Sequence[Candidate], seed: int, end: float) -> list[Result]:
    return _SCORERS[0](candidates, seed, end)
