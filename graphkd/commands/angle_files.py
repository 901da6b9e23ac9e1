"""Data files of an angle analysis: all angles as ``angles.npz``, their means as ``summary.csv``."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.runs import Angles

COLUMNS = ("seed", "student_layer", "hop_j", "hop_k", "when", "mean_cos", "acute_share", "mean_degrees")


def write_numbers(path: Path, found: Mapping[int, Angles]) -> None:
    """Writes an ``.npz`` without pickle.

    Its arrays: ``seeds [S]``; ``pairs [P, 2]``, 0-based teacher layers; and for every seed ``K`` ``before_K`` and
    ``after_K``, cosines ``[M, P, n]`` in float32, NaN where there is no angle, and ``nodes_K [n]``, indices of the
    observed nodes in the whole graph.

    Args:
        path: of the file.
        found: by seed.
    """
    arrays: dict[str, Any] = {"seeds": np.array(list(found))}
    for seed, angles in found.items():
        arrays["pairs"] = np.array(angles.pairs)
        arrays[f"before_{seed}"] = angles.before.cosines.numpy()
        arrays[f"after_{seed}"] = angles.after.cosines.numpy()
        arrays[f"nodes_{seed}"] = angles.nodes.numpy()
    with path.open("wb") as file:
        np.savez(file, **arrays)


def write_summary(path: Path, found: Mapping[int, Angles]) -> None:
    """Writes means over nodes, a line per seed, student layer, pair and time; layers and hops are 1-based.

    Args:
        path: of the file.
        found: by seed.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for seed, angles in found.items():
            writer.writerows([seed, *row] for row in _rows(angles))


def _rows(angles: Angles) -> Iterator[list[object]]:
    for when, view in (("before", angles.before), ("after", angles.after)):
        means = [table.tolist() for table in (view.cosines.mean(dim=2), view.acute, view.degrees)]
        for i in range(angles.depths[0]):
            for p, (j, k) in enumerate(angles.pairs):
                values = [table[i][p] for table in means]
                texts = ["" if math.isnan(value) else f"{value:.6f}" for value in values]
                yield [i + 1, j + 1, k + 1, when, *texts]
