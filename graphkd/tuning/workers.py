"""Processes in which candidates are trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import torch

from graphkd.system import usable_cpus
from graphkd.tuning.candidate import Candidate, Result
from graphkd.tuning.problem import Problem
from graphkd.tuning.scoring import Scorer

Task = tuple[Sequence[Candidate], int]
"""Candidates of one teacher, and a seed."""

_SCORERS: list[Scorer] = []
"""The scorer of a worker process."""


class Workers:
    """Trains tasks, in this process or in several.

    Args:
        scorer: of this process; None where there is a pool.
        pool: of worker processes.
    """

    def __init__(self, scorer: Scorer | None, pool: ProcessPoolExecutor | None) -> None:
        self.scorer, self.pool = scorer, pool

    @property
    def together(self) -> bool:
        """Whether candidates of one teacher are one task, since they train as one batched model."""
        return self.scorer is not None and bool(self.scorer.together)

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
        for future in as_completed(running):
            yield future.result()


@contextmanager
def workers_of(problem: Problem, cache: Path, count: int) -> Iterator[Workers]:
    """Starts worker processes, which share the processor's threads, and ends them.

    Args:
        problem: that they are about.
        cache: folder of finished stages.
        count: of processes; 1 is this one.
    """
    if count == 1:
        yield Workers(Scorer(problem, cache), None)
        return
    threads = max(1, usable_cpus() // count)
    pool = ProcessPoolExecutor(count, get_context("spawn"), _start, (problem, cache, threads))
    try:
        yield Workers(None, pool)
    finally:
        pool.shutdown(cancel_futures=True)


def _start(problem: Problem, cache: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    _SCORERS.append(Scorer(problem, cache))


def _score(candidates: Sequence[Candidate], seed: int, end: float) -> list[Result]:
    return _SCORERS[0](candidates, seed, end)
