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
from graphkd.plots import check_plot
from graphkd.runs import Angles, read_metrics
from graphkd.runs.table import count_of, method_of

FOLDER = "angles"
"""Name of the analysis's folder in the run folder."""

INSTEAD = "in Python, call angles() on what graphkd.distill returns"
"""Advice for runs with a part in memory."""


def angles(run: str, data_dir: str | None) -> None:
    """Computes the angles of every seed, prints their means and writes all into ``RUN/angles``.

    That folder contains ``angles.npz``, ``summary.csv``, ``histograms.png`` and ``layer_pairs.png``, and replaces
    an older one. Layers and hops are 1-based in tables and plots (hop 1 is the output of the first hop), 0-based
    in arrays.

    Args:
        run: folder of a run.
        data_dir: folder of the run's data, if it has moved.

    Raises:
        GraphKDError: not a run, one that cannot be reproduced, no teacher, no angle, or no matplotlib; nothing has
            been written then.
    """
    path = Path(run)
    metrics = read_metrics(path)
    check_plot()
    check_writable(path / FOLDER, "RUN")
    by_seed = {result.seed: Angles.of(result) for result in retrain_seeds(path, data_dir, INSTEAD)}
    title = _heading(metrics)
    with whole_folder(path / FOLDER) as draft:
        write_numbers(draft / "angles.npz", by_seed)
        write_summary(draft / "summary.csv", by_seed)
        (draft / "histograms.png").write_bytes(histograms(by_seed, title))
        (draft / "layer_pairs.png").write_bytes(layer_pairs(by_seed, title))
    print("\n".join([title, *_table(by_seed)]))
    print(f"angles folder: {path / FOLDER}")


def _table(found: Mapping[int, Angles]) -> list[str]:
    """Formats a line per student layer: means over seeds, pairs and nodes."""
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
    """Averages ``[M, P]`` of every seed to ``[M]``, without the angles that are left out."""
    return torch.stack(tables).nanmean(dim=(0, 2))


def _heading(metrics: dict[str, Any]) -> str:
    parts = (f"{metrics['teacher']} to {method_of(metrics)}", count_of(metrics))
    return " · ".join((metrics["dataset"], f"{metrics['split']} split", metrics["setting"], *parts))
