"""Recomputation of a finished run's seeds, with what the run folder does not store, such as the teacher."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from graphkd.api import pick_device
from graphkd.config import spec_of, targets_of
from graphkd.datasets import Graph
from graphkd.datasets.loading import locate
from graphkd.deploy import load_bundle
from graphkd.errors import GraphKDError
from graphkd.outofcore import TableOptions
from graphkd.run_data import load_run_data
from graphkd.runs import SeedRun, read_config
from graphkd.spec import PARTS
from graphkd.training.stages.stage_cache import StageCache


def retrain_seeds(
    path: Path, data_dir: str | None, instead: str, seeds: Sequence[int] | None = None
) -> Iterator[SeedRun]:
    """Yields the results of seeds again, loaded from the cache or retrained.

    Results are bitwise equal on the same machine with the same number of threads.

    Args:
        path: folder of a finished run.
        data_dir: folder of the run's data, if it has moved.
        instead: advice if parts were in memory, for the error message.
        seeds: of the run, by default all.

    Raises:
        GraphKDError: parts or data were in memory, data are unavailable, or a student differs from the run's.
    """
    config = read_config(path)
    _check_parts(path, config, instead)
    spec, device = spec_of(config, path), pick_device(config.get("device", "auto"))
    folder = locate(config.get("data_dir") or "data", config.get("cache_dir"), "never").cache_dir
    tables = TableOptions(config.get("memory_budget"), config.get("table_dtype", "float32"))
    for seed in config["seeds"] if seeds is None else seeds:
        seed_folder, cache = path / f"seed_{seed}", StageCache(folder, tables)
        saved = load_bundle(seed_folder if seed_folder.is_dir() else path).student.state_dict()
        graph = Graph.from_data(load_run_data(path, seed, data_dir)).to(device)
        result = SeedRun.train(graph, spec, seed, cache=cache)
        if retrained := [stage for stage in ("teacher", "student") if stage in cache.made]:
            print(
                f"graphkd: seed {seed}: {' and '.join(retrained)} not in {folder}: trained again", file=sys.stderr
            )
        state = result.distilled.model.state_dict()
        if state.keys() != saved.keys() or not all(torch.equal(state[key].cpu(), saved[key]) for key in saved):
            raise GraphKDError(
                f"seed {seed} now gives another student than {path} holds, made with another number of threads "
                "(OMP_NUM_THREADS) or processes, version or machine, or on other data: take those, or "
                "overwrite=true to make the run anew"
            )
        yield result


def _check_parts(path: Path, config: dict[str, Any], instead: str) -> None:
    """Checks that all parts can be rebuilt from files."""
    for key in ("dataset", *PARTS):
        part = config.get(key) or {}
        target = part.get("_target_")
        foreign = not str(target or "graphkd.").startswith("graphkd.")
        unknown = foreign and target not in targets_of(key)
        if part.get("in_memory") or unknown:
            raise GraphKDError(f"{path} was made with a {key} in memory: {instead}")
