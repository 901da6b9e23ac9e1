"""Files of the report on an influence: tables, values per node, settings, plots."""

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
"""Names of the files of a report."""

COLUMNS = ("part", "name", "value", "low", "high", "nodes")


def write_files(folder: Path, profile: InfluenceProfile, config: dict[str, Any], title: str) -> None:
    """Writes all files of a report.

    Args:
        folder: empty.
        profile: the measured influence.
        config: resolved, with the single seed that was measured.
        title: above table and plots.
    """
    (folder / "influence.md").write_text(to_markdown(profile, title), encoding="utf-8")
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(config)), encoding="utf-8")
    write_summary(folder / "summary.csv", profile)
    write_nodes(folder / "influence.npz", profile)
    for name, draw in {"distribution": distribution, "scatter": scatter, "correlations": correlations}.items():
        (folder / f"{name}.png").write_bytes(draw(profile, title))


def write_nodes(path: Path, profile: InfluenceProfile) -> None:
    """Writes an ``.npz`` without pickle, of arrays ``[n]``.

    ``nodes``, indices of the observed nodes in the whole graph; ``influence``; ``weight_distillation`` and
    ``weight_supervision``; and every property by its name. NaN where a value is undefined for a node.

    Args:
        path: of the file.
        profile: the measured influence.
    """
    arrays: dict[str, Any] = {"nodes": profile.nodes.numpy(), "influence": profile.influence.numpy()}
    arrays |= {f"weight_{name}": term.weights.numpy() for name, term in profile.terms.items()}
    arrays |= {name: values.numpy() for name, values in profile.properties.items()}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_summary(path: Path, profile: InfluenceProfile) -> None:
    """Writes a line per statistic, as fractions in full precision; cells that do not apply are empty.

    Args:
        path: of the file.
        profile: the measured influence.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for part, name, *values in _rows(profile):
            writer.writerow([part, name, *("" if math.isnan(value) else value for value in values)])


def _rows(profile: InfluenceProfile) -> Iterator[tuple[Any, ...]]:
    stats, missing = profile.distribution, math.nan
    quantiles = {f"quantile_{share:g}": value for share, value in zip(QUANTILES, stats.quantiles, strict=True)}
    figures = {
        "mean": stats.mean,
        "std": stats.std,
        "min": stats.low,
        **quantiles,
        "max": stats.high,
        "zeros": stats.zeros,
        "ones": stats.ones,
        "different": stats.distinct,
    }
    for name, value in figures.items():
        yield "distribution", name, value, missing, missing, profile.influence.numel()
    for name, term in profile.terms.items():
        variation = term.variation
        yield "variation", name, variation.coefficient, missing, missing, variation.nodes
        yield "moved", name, variation.distance, missing, missing, variation.nodes
    for name, correlation in profile.correlations.items():
        yield "correlation", name, correlation.value, correlation.low, correlation.high, correlation.n
