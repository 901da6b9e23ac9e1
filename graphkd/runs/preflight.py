"""Checks, before a run starts, that there is enough memory and disk."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from graphkd.datasets import SettingView
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.outofcore import TableOptions
from graphkd.outofcore.options import DTYPES
from graphkd.runs.memory_estimate import drafts_size, memory_needs, tables_size, weights_size
from graphkd.spec import DistillSpec
from graphkd.system import existing, free_disk, memory, readable

IN_MEMORY = TableOptions()

CHECKPOINT_COPIES = 4
"""Number of tensors as large as the weights in a checkpoint."""


def check_memory(view: SettingView, spec: DistillSpec, tables: TableOptions = IN_MEMORY) -> None:
    """Checks that the largest memory of a stage is free on the graph's device.

    Args:
        view: the graph as visible in the setting.
        spec: the parts.
        tables: how the tables between the stages are stored.

    Raises:
        GraphKDError: the run cannot fit. Not raised where free memory is unknown; custom parts are not counted.
    """
    device = view.observed.y.device
    free = available_memory(device)
    need = max(memory_needs(view, spec, tables.bytes is not None), key=lambda need: need.size)
    processes = world().local_world_size if device.type == "cpu" else 1  # each holds a copy of graph and tables
    size = need.size * processes
    if free is None or size <= free:
        return
    where, alternative = ("", "") if device.type == "cpu" else (f" of {device}", ", or device=cpu")
    share = f" in {processes} processes" if processes > 1 else ""
    raise GraphKDError(
        f"this run needs at least {readable(size)} of memory{where} for {need.what}{share}, {readable(free)} are "
        f"free: {need.advice}{alternative}"
    )


def available_memory(device: torch.device) -> int | None:
    """Returns the free bytes on a device, swap included, or None where unknown."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    system = memory()
    return None if system is None else system.free + system.swap


def check_disk(
    view: SettingView,
    spec: DistillSpec,
    seeds: int,
    baseline: bool,
    run: Path | None,
    cache: Path | None,
    tables: TableOptions = IN_MEMORY,
) -> None:
    """Checks that there is enough free disk for what a run writes.

    A seed writes a bundle to the run folder, which gets one more for the run, and the weights of teacher, student
    and, with ``baseline``, plain students to the cache; while one of them trains there is also a checkpoint:
    weights, Adam's two moments, and the weights of the best epoch. The present size of the cache may be this
    run's and is subtracted.

    Args:
        view: the graph as visible in the setting.
        spec: the parts; custom ones are not cached.
        seeds: number of seeds to be trained.
        baseline: whether the plain students are trained too.
        run: the run folder, or None.
        cache: the folder of cached stages, or None.
        tables: how the tables between the stages are stored; those in files remain in the cache, too.

    Raises:
        GraphKDError: the disk would be full before the run is finished.
    """
    graph = view.observed
    teacher, student = weights_size(spec, graph.num_features, graph.num_classes)
    needs: dict[Path, int] = {}
    if run is not None:
        needs[run] = (seeds + 1) * student
    if cache is not None and spec.reproducible:
        students = (1 + len(spec.baselines) * baseline) * student
        # All else exists when the last student trains; the students of its seed do not when the last teacher does.
        temporary = max(CHECKPOINT_COPIES * student, CHECKPOINT_COPIES * teacher - students)
        files = 0
        if tables.bytes is not None:
            files = tables_size(view, spec, DTYPES[tables.dtype].itemsize)
            temporary = max(temporary, drafts_size(view, spec) - students)
        needs[cache] = max(0, seeds * (teacher + students + files) + temporary - _size(cache))
    for folders in _by_disk(list(needs)):
        need, free = sum(needs[folder] for folder in folders), free_disk(folders[0])
        if free is not None and need > free:
            names = " and ".join(map(str, folders))
            raise GraphKDError(
                f"this run writes at least {readable(need)} to {names}, {readable(free)} are free there: free "
                "some, or choose another output_dir and cache_dir"
            )


def _by_disk(places: list[Path]) -> list[list[Path]]:
    """Groups folders by the disk that they are on."""
    disks: dict[int, list[Path]] = {}
    for folder in places:
        disks.setdefault(os.stat(existing(folder)).st_dev, []).append(folder)
    return list(disks.values())


def _size(folder: Path) -> int:
    """Returns the bytes of the cache, stages and tables."""
    files = [*folder.glob("*.safetensors"), *folder.with_name("tables").glob("*/*")]
    return sum(file.stat().st_size for file in files)
