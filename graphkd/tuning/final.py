"""The last step of a search: ordinary runs of what was chosen, on new seeds, with test scores."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphkd.config_data import run_settings
from graphkd.errors import GraphKDError
from graphkd.runs import RunFacts, RunFolder, SeedRun, read_config, read_metrics
from graphkd.runs.run import memory_settings
from graphkd.training.stages.stage_cache import StageCache
from graphkd.tuning.candidate import Candidate
from graphkd.tuning.problem import Problem


def write_final(
    problem: Problem, candidate: Candidate, seeds: Sequence[int], path: Path, cache: StageCache
) -> dict[str, Any]:
    """Trains a candidate on seeds into a run folder, with the plain MLPs beside it; returns its metrics.

    This is the only place of a search that sees test labels. A folder of the same run goes on with the seeds that
    are missing; one of another candidate, of a search that went on, is replaced.

    Args:
        problem: data and shared settings.
        candidate: to train.
        seeds: that the search has not used.
        path: of the run folder.
        cache: of finished stages.
    """
    spec, first = problem.spec(candidate.overrides), problem.graph(seeds[0])

    def train(seed: int) -> SeedRun:
        graph = first if seed == seeds[0] else problem.graph(seed)
        return SeedRun.train(graph, spec, seed, bool(spec.baselines), cache)

    if problem.data is None:
        settings = run_settings(problem.config(candidate.overrides), list(seeds), first, path)
    else:
        settings = memory_settings(first, spec, cache.tables, list(seeds), path)
    folder = RunFolder(path, settings, overwrite=_is_other(path, settings))
    if not folder.finished:
        for seed in seeds:
            folder.add(seed, functools.partial(train, seed))
        folder.finish(RunFacts.of(first, spec))
    return read_metrics(path)


def _is_other(path: Path, settings: dict[str, Any]) -> bool:
    """Returns whether a folder holds the run of another candidate, whatever its seeds."""
    if not (path / "config.yaml").is_file():
        return False
    try:
        RunFolder(path, {**settings, "seeds": read_config(path)["seeds"]}, overwrite=False)
    except GraphKDError:
        return True
    return False
