"""Training of candidates, and their scores on validation nodes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from graphkd.callbacks import Callback
from graphkd.callbacks.session import session_of
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.errors import GraphKDError
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.encoder import fit_encoder, with_positions
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.teacher import train_teacher
from graphkd.training.task_compatibility import check_task
from graphkd.tuning.blinded import blinded
from graphkd.tuning.candidate import Candidate, Result
from graphkd.tuning.problem import Problem

KEPT = 4
"""Graphs that a process keeps: one per seed."""

STOPPED = "stopped: out of time"
"""The error of a candidate that was still in training when the time was over."""


class DeadlineError(Exception):
    """A candidate was still in training when the search ended."""


class Deadline(Callback):
    """Ends training at a time.

    Args:
        end: as of ``time.time``.
    """

    def __init__(self, end: float) -> None:
        self.end = end

    def on_epoch_end(self, seed: int, stage: str, epoch: int, values: dict[str, float]) -> None:
        """Raises ``DeadlineError`` once the time is over."""
        if time.time() > self.end:
            raise DeadlineError


class Scorer:
    """Trains candidates on graphs without test labels.

    Args:
        problem: data and shared settings.
        cache: folder of finished stages, in which a teacher is trained once for all of its students.
        together: whether candidates of one shape train as one batched model, which pays on a GPU.
    """

    def __init__(self, problem: Problem, cache: Path, together: bool = False) -> None:
        self.problem, self.cache, self.together = problem, StageCache(cache), together
        self._graphs: dict[int, Graph] = {}
        self._specs: dict[tuple[str, ...], DistillSpec] = {}
        self._metric = ""

    def __call__(self, candidates: Sequence[Candidate], seed: int, end: float) -> list[Result]:
        """Returns the results of candidates on one seed.

        Args:
            candidates: with the same teacher, for which one process is best.
            seed: of split and networks.
            end: time at which training stops; a batched model that has begun is finished.
        """
        if self.together:
            self._train_together(candidates, seed, end)
        return [self.result(candidate, seed, end) for candidate in candidates]

    def result(self, candidate: Candidate, seed: int, end: float) -> Result:
        """Trains one candidate; one that cannot be trained has an error instead of a score."""
        start = time.perf_counter()
        val, error = None, ""
        try:
            val = self._val(candidate, seed, end)
        except DeadlineError:
            error = STOPPED
        except GraphKDError as failure:
            error = str(failure)
        except Exception as failure:  # such as too little memory for this candidate: others may fit
            reason = (str(failure).splitlines() or [""])[0]
            error = f"{type(failure).__name__}: {reason}"
        return Result(candidate.number, seed, val, round(time.perf_counter() - start, 3), error)

    def graph(self, seed: int) -> Graph:
        """Returns the graph of a seed, without test labels."""
        if seed not in self._graphs:
            while len(self._graphs) >= KEPT:
                self._graphs.pop(next(iter(self._graphs)))
            graph = self.problem.graph(seed)
            self._graphs[seed], self._metric = blinded(graph), graph.metric
        return self._graphs[seed]

    def _val(self, candidate: Candidate, seed: int, end: float) -> float:
        graph, spec, callbacks = self.graph(seed), self._spec(candidate, seed), [Deadline(end)]
        check_task(spec, graph.task)
        key = "val" if spec.training.metric == graph.metric else f"val_{spec.training.metric}"
        if candidate.stage == "student":
            scores = SeedRun.train(graph, spec, seed, cache=self.cache, callbacks=callbacks).distilled.scores
        else:
            with session_of(callbacks, seed):
                scores = train_teacher(self._view(spec, seed), spec, seed, [], self.cache).scores
        if key not in scores:
            raise GraphKDError(
                f"{spec.training.metric} of the validation nodes is not defined: choose another metric"
            )
        return scores[key]

    def _view(self, spec: DistillSpec, seed: int) -> SettingView:
        """Returns what training may see, as a run of one seed does."""
        view = apply_setting(self.graph(seed), spec.setting, seed)
        if view.observed.num_features:
            return view
        return with_positions(view, fit_encoder(view.observed, spec, seed, self.cache))

    def _spec(self, candidate: Candidate, seed: int) -> DistillSpec:
        self.graph(seed)
        if candidate.overrides not in self._specs:  # composing takes as long as training a small student
            self._specs[candidate.overrides] = self.problem.spec(candidate.overrides)
        spec = self._specs[candidate.overrides]
        metric = spec.training.metric or self._metric
        return replace(spec, training=replace(spec.training, together=self.together, metric=metric))

    def _train_together(self, candidates: Sequence[Candidate], seed: int, end: float) -> None:
        """Trains students of one shape into the cache; what cannot be trained has its error in ``result``."""
        jobs = []
        for candidate in candidates:
            if candidate.stage != "student" or time.time() > end:
                continue
            with contextlib.suppress(Exception), session_of([Deadline(end)], seed):
                spec = self._spec(candidate, seed)
                view = self._view(spec, seed)
                jobs.append(BatchedJob(view, spec, train_teacher(view, spec, seed, [], self.cache), seed))
        with contextlib.suppress(Exception):  # one that diverges ends all: each is trained alone then
            train_batched(jobs, self.cache)
