"""The report on an influence: its tables, its numbers node by node, its settings, its pictures."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from graphkd.commands.influence_plots import correlations, distribution, scatter
from graphkd.commands.influence_table import to_markdown
from graphkd.influence.distribution import QUANTILES
from graphkd.runs import InfluenceProfile

FILES = (
    "influence.md",
    "summary.csv",
    "influence.npz",
    "config.yaml",
    "distribution.png",
    "scatter.png",
    "correlations.png",
)
"""Of a report."""

COLUMNS = ("part", "name", "value", "low", "high", "nodes")


def write_files(folder: Path, profile: InfluenceProfile, config: dict[str, Any], title: str) -> None:
    """Fills the folder of a report.

    Args:
        folder: empty.
        profile: what was measured.
        config: resolved, with the one seed that was measured.
        title: above table and pictures.
    """
    (folder / "influence.md").write_text(to_markdown(profile, title), encoding="utf-8")
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(config)), encoding="utf-8")
    write_summary(folder / "summary.csv", profile)
    write_nodes(folder / "influence.npz", profile)
    for name, draw in {"distribution": distribution, "scatter": scatter, "correlations": correlations}.items():
        (folder / f"{name}.png").write_bytes(draw(profile, title))


def write_nodes(path: Path, profile: InfluenceProfile) -> None:
    """Writes an ``.npz`` without pickle, of arrays ``[n]``.

    ``nodes``, the observed nodes in the numbers of the whole graph; ``influence``; ``weight_distillation`` and
    ``weight_supervision``; and every property by its name. NaN where a node has no such number.

    Args:
        path: of the file.
        profile: what was measured.
    """
    arrays: dict[str, Any] = {"nodes": profile.nodes.numpy(), "influence": profile.influence.numpy()}
    arrays |= {f"weight_{name}": term.weights.numpy() for name, term in profile.terms.items()}
    arrays |= {name: values.numpy() for name, values in profile.properties.items()}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_summary(path: Path, profile: InfluenceProfile) -> None:
    """Writes a line per figure in full precision, fractions; what does not apply is empty.

    Args:
        path: of the file.
        profile: what was measured.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for part, name, *values in _rows(profile):
            writer.writerow([part, name, *("" if math.isnan(value) else value for value in values)])


def _rows(profile: InfluenceProfile) -> Iterator[tuple[Any, ...]]:
    found, none = profile.distribution, math.nan
    quantiles = {f"quantile_{share:g}": value for share, value in zip(QUANTILES, found.quantiles, strict=True)}
    figures = {
        "mean": found.mean,
        "std": found.std,
        "min": found.low,
        **quantiles,
        "max": found.high,
        "zeros": found.zeros,
        "ones": found.ones,
        "different": found.distinct,
    }
    for name, value in figures.items():
        yield "distribution", name, value, none, none, profile.influence.numel()
    for name, term in profile.terms.items():
        variation = term.variation
        yield "variation", name, variation.coefficient, none, none, variation.nodes
        yield "moved", name, variation.distance, none, none, variation.nodes
    for name, each in profile.correlations.items():
        yield "correlation", name, each.value, each.low, each.high, each.n
