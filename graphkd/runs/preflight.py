"""Refuses, before it starts, a run for which there is too little memory or disk."""

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
"""Tensors as large as the weights in a checkpoint."""


def check_memory(view: SettingView, spec: DistillSpec, tables: TableOptions = IN_MEMORY) -> None:
    """Compares the largest need of a stage with the free memory of the graph's device.

    Args:
        view: the graph as the setting shows it.
        spec: the parts.
        tables: how the tables between the stages are kept.

    Raises:
        GraphKDError: the run cannot fit. Where free memory is unknown, or parts are a user's own, nothing.
    """
    device = view.observed.y.device
    free = available_memory(device)
    need = max(memory_needs(view, spec, tables.bytes is not None), key=lambda need: need.size)
    processes = world().local_world_size if device.type == "cpu" else 1  # every one holds graph and tables
    size = need.size * processes
    if free is None or size <= free:
        return
    place, other = ("", "") if device.type == "cpu" else (f" of {device}", ", or device=cpu")
    each = f" in {processes} processes" if processes > 1 else ""
    raise GraphKDError(
        f"this run needs at least {readable(size)} of memory{place} for {need.what}{each}, {readable(free)} are "
        f"free: {need.advice}{other}"
    )


def available_memory(device: torch.device) -> int | None:
    """Bytes that can still be had on a device, swap included, or nothing where that is unknown."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    found = memory()
    return None if found is None else found.free + found.swap


def check_disk(
    view: SettingView,
    spec: DistillSpec,
    seeds: int,
    baseline: bool,
    run: Path | None,
    cache: Path | None,
    tables: TableOptions = IN_MEMORY,
) -> None:
    """Compares what a run writes with the free disk.

    A seed leaves a bundle in the run folder, which gets another one of its own, and the weights of teacher,
    student and, where asked for, plain students in the cache; and while one of them trains a checkpoint besides:
    weights, Adam's two moments, and the weights of the best epoch. What the cache holds already may be this
    run's and is taken off.

    Args:
        view: the graph as the setting shows it.
        spec: the parts; those of a user's own are not cached.
        seeds: that are still to be trained.
        baseline: whether the plain students are trained too.
        run: the run folder, or nothing.
        cache: the folder of cached stages, or nothing.
        tables: how the tables between the stages are kept; those in files stay in the cache, too.

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
        # The last student trains when all else is there; the last teacher when the students of its seed are not.
        besides = max(CHECKPOINT_COPIES * student, CHECKPOINT_COPIES * teacher - students)
        files = 0
        if tables.bytes is not None:
            files = tables_size(view, spec, DTYPES[tables.dtype].itemsize)
            besides = max(besides, drafts_size(view, spec) - students)
        needs[cache] = max(0, seeds * (teacher + students + files) + besides - _size(cache))
    for places in _by_disk(list(needs)):
        need, free = sum(needs[place] for place in places), free_disk(places[0])
        if free is not None and need > free:
            names = " and ".join(map(str, places))
            raise GraphKDError(
                f"this run writes at least {readable(need)} to {names}, {readable(free)} are free there: free "
                "some, or choose another output_dir and cache_dir"
            )


def _by_disk(places: list[Path]) -> list[list[Path]]:
    """The places in groups that share a disk."""
    disks: dict[int, list[Path]] = {}
    for place in places:
        disks.setdefault(os.stat(existing(place)).st_dev, []).append(place)
    return list(disks.values())


def _size(folder: Path) -> int:
    """What the cache holds already, stages and tables."""
    files = [*folder.glob("*.safetensors"), *folder.with_name("tables").glob("*/*")]
    return sum(file.stat().st_size for file in files)
