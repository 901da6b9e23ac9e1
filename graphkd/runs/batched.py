"""Training of students of several seeds and jobs as batched models, before their runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.errors import GraphKDError
from graphkd.spec import DistillSpec
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.teacher import train_teacher


@dataclass(frozen=True)
class Job:
    """Training job of ``graphkd distill`` in one run folder.

    Args:
        spec: the parts.
        seeds: those not finished yet.
        graph: function from a seed to its graph.
        baseline: whether the plain MLPs are trained too.
    """

    spec: DistillSpec
    seeds: list[int]
    graph: Callable[[int], Graph]
    baseline: bool


def train_ahead(jobs: Iterable[Job], cache: StageCache) -> int:
    """Trains the students of jobs with ``training.together`` into the cache, from which their runs load them.

    Args:
        jobs: of one command; those without ``training.together`` are skipped.
        cache: of teachers and students.

    Returns:
        Number of students trained.

    Raises:
        GraphKDError: the cache has no folder.
    """
    together = [job for job in jobs if job.spec.training.together]
    if together and cache.folder is None:
        raise GraphKDError("training.together keeps students in the cache, and there is none: give cache_dir=")
    return train_batched([member for job in together for member in _members(job, cache)], cache)


def _members(job: Job, cache: StageCache) -> Iterable[BatchedJob]:
    for seed in job.seeds:
        view = apply_setting(job.graph(seed), job.spec.setting, seed)
        teacher_result = train_teacher(view, job.spec, seed, [], cache)
        yield BatchedJob(view, job.spec, teacher_result, seed)
        for plain in job.spec.baselines.values() if job.baseline else ():
            yield BatchedJob(view, plain, teacher_result, seed)
