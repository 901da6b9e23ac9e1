"""``graphkd angles``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphkd.atomic_io import check_writable, whole_folder
from graphkd.commands.angle_files import write_numbers, write_summary
from graphkd.commands.angle_plots import SIDES, histograms, layer_pairs
from graphkd.commands.rerun import retrain_seeds
from graphkd.commands.table import count_of, method_of
from graphkd.plots import check_plot
from graphkd.runs import Angles, read_metrics

FOLDER = "angles"
"""Of the analysis, in the run's."""

INSTEAD = "in Python, call angles() on what graphkd.distill returns"
"""Where a part of the run was in memory."""


def angles(run: str, data_dir: str | None) -> None:
    """Measures the angles of every seed, prints their means and writes all into ``RUN/angles``.

    That folder holds ``angles.npz``, ``summary.csv``, ``histograms.png`` and ``layer_pairs.png``, and takes the
    place of an older one. Layers and hops count from 1 in tables and pictures (hop 1 is what stands after the
    first hop), from 0 in arrays.

    Args:
        run: folder of a run.
        data_dir: where the run's data is now, if it has moved.

    Raises:
        GraphKDError: not a run, one that cannot be made again, no teacher, no angle, or no matplotlib; nothing has
            been written then.
    """
    path = Path(run)
    metrics = read_metrics(path)
    check_plot()
    check_writable(path / FOLDER, "RUN")
    found = {result.seed: Angles.of(result) for result in retrain_seeds(path, data_dir, INSTEAD)}
    title = _heading(metrics)
    with whole_folder(path / FOLDER) as draft:
        write_numbers(draft / "angles.npz", found)
        write_summary(draft / "summary.csv", found)
        (draft / "histograms.png").write_bytes(histograms(found, title))
        (draft / "layer_pairs.png").write_bytes(layer_pairs(found, title))
    print("\n".join([title, *_table(found)]))
    print(f"angles folder: {path / FOLDER}")


def _table(found: Mapping[int, Angles]) -> list[str]:
    """A line per student layer: means over seeds, pairs and nodes."""
    lines = [
        f"{'':13}{'acute angles %':>24}{'mean angle °':>24}",
        f"{'student layer':13}" + 2 * f"{'before':>12}{'after':>12}",
    ]
    columns = [
        *(100 * _mean([side(each).acute for each in found.values()]) for side in SIDES.values()),
        *(_mean([side(each).degrees for each in found.values()]) for side in SIDES.values()),
    ]
    for i, values in enumerate(torch.stack(columns, dim=1).tolist()):
        lines.append(f"{i + 1:>13}" + "".join(f"{value:>12.2f}" for value in values))
    return lines


def _mean(tables: list[Tensor]) -> Tensor:
    """``[M, P]`` of every seed → ``[M]``; angles that are left out do not count."""
    return torch.stack(tables).nanmean(dim=(0, 2))


def _heading(metrics: dict[str, Any]) -> str:
    parts = (f"{metrics['teacher']} to {method_of(metrics)}", count_of(metrics))
    return " · ".join((metrics["dataset"], f"{metrics['split']} split", metrics["setting"], *parts))
