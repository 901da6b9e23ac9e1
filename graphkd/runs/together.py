"""Students of several seeds and jobs, trained as batched models before the runs that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graphkd.datasets import Graph, Scene
from graphkd.errors import GraphKDError
from graphkd.recipe import Recipe
from graphkd.training.artefacts import Artefacts
from graphkd.training.teach import teach
from graphkd.training.together import Member, train_together


@dataclass(frozen=True)
class Job:
    """What ``graphkd distill`` trains in one run folder.

    Args:
        recipe: the parts.
        seeds: that are not finished yet.
        graph: seed → its graph.
        baseline: whether the plain MLPs are trained too.
    """

    recipe: Recipe
    seeds: list[int]
    graph: Callable[[int], Graph]
    baseline: bool


def train_ahead(jobs: Iterable[Job], cache: Artefacts) -> int:
    """Trains the students of jobs with ``training.together``, where their runs then find them.

    Args:
        jobs: of one command; others are left alone.
        cache: where teachers and students are kept.

    Returns:
        How many students were trained.

    Raises:
        GraphKDError: there is no place to keep them.
    """
    together = [job for job in jobs if job.recipe.training.together]
    if together and cache.folder is None:
        raise GraphKDError("training.together keeps students in the cache, and there is none: give cache_dir=")
    return train_together([member for job in together for member in _members(job, cache)], cache)


def _members(job: Job, cache: Artefacts) -> Iterable[Member]:
    for seed in job.seeds:
        scene = Scene.of(job.graph(seed), job.recipe.setting, seed)
        taught = teach(scene, job.recipe, seed, [], cache)
        yield Member(scene, job.recipe, taught, seed)
        for plain in job.recipe.baselines.values() if job.baseline else ():
            yield Member(scene, plain, taught, seed)
