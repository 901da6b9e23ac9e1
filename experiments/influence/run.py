"""What does an influence measure, and how much of the loss does it change? See README.md beside this file.

python experiments/influence/run.py --data-dir data --output-dir runs/influence_study

Teachers and influences are kept in the output folder's cache: started again, it computes correlations only.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from plot import draw

from graphkd.config import composed, names_in, spec_from
from graphkd.config_data import load_graph
from graphkd.datasets.setting import apply_setting
from graphkd.influence.properties import KINDS
from graphkd.runs import InfluenceProfile
from graphkd.runs.influence import weighted_terms
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.teacher import train_teacher

SEED = 2022
DATASETS = ("cora", "citeseer", "pubmed", "photo", "cs", "physics")
INFLUENCES = (
    "infgrand",
    "infgrand_per_class",
    "random_walk",
    "pagerank",
    "degree",
    "kcore",
    "betweenness",
    "confidence",
    "reliability",
    "random_uniform",
)
SMALL_TEACHER = ("teacher.num_layers=2", "teacher.hidden_dim=128")
MOST_CELLS = 2e8
"""Of a dense feature table: reliability adds noise to one, which Physics is too large for."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="*", help=f"by default {', '.join(DATASETS)}")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/influence_study"))
    args = parser.parse_args(arguments)
    chosen = args.datasets or DATASETS
    warnings.filterwarnings("ignore", "infgrand's variant=reference takes the influence from the full graph")
    args.output_dir.mkdir(parents=True, exist_ok=True)
    cache = StageCache(args.output_dir / "cache")
    cells = [row for name in chosen for row in cells_of(name, args.data_dir, cache)]
    write(args.output_dir / "cells.csv", cells)
    rows = []
    for name in chosen:
        rows += rows_of(name, args.data_dir, cache)
        print(name, flush=True)
    write(args.output_dir / "correlations.csv", rows)
    (args.output_dir / "correlations.png").write_bytes(draw(rows))
    print("\n".join([*table(rows, "dataset", "infgrand"), "", *medians(rows), "", *summary(cells)]))


def config_of(cell: str, data_dir: str, *keys: str) -> Any:
    """A published cell."""
    places = [f"data_dir={data_dir}", "download=never", "device=cpu"]
    return composed([f"experiment=infgrand/{cell}", *places, *keys])


def cells_of(dataset: str, data_dir: str, cache: StageCache) -> list[dict[str, Any]]:
    """What the published influence makes of the loss, in every published cell of a data set."""
    names = [name.partition("/")[2] for name in names_in("experiment") if name.startswith(f"infgrand/{dataset}_")]
    graph = load_graph(config_of(names[0], data_dir), SEED)
    rows = []
    for name in names:
        spec = spec_from(config_of(name, data_dir))
        view = apply_setting(graph, spec.setting, SEED)
        influence = node_weights(view, spec, None, SEED, cache)
        row: dict[str, Any] = {"cell": name}
        for term, weights in weighted_terms(spec.method, view.observed, influence).items():
            found = weights.variation
            row |= {f"{term}_base": weights.base, f"{term}_slope": weights.slope}
            row |= {f"{term}_variation": found.coefficient, f"{term}_moved": found.distance}
        rows.append(row)
    return rows


def rows_of(dataset: str, data_dir: str, cache: StageCache) -> list[dict[str, Any]]:
    """Every influence on a data set, with the settings of the GCN cell and a small teacher."""
    config = config_of(f"{dataset}_gcn_transductive", data_dir, *SMALL_TEACHER)
    spec = spec_from(config)
    view = apply_setting(load_graph(config, SEED))
    teacher_result = train_teacher(view, spec, SEED, [], cache)
    profile = InfluenceProfile.of(view, spec, teacher_result, SEED, cache)
    rows = []
    for name in INFLUENCES:
        if name == "reliability" and np.prod(view.observed.x.shape) > MOST_CELLS:
            continue
        other = spec_from(config_of(f"{dataset}_gcn_transductive", data_dir, *SMALL_TEACHER, f"influence={name}"))
        influence = node_weights(view, other, teacher_result, SEED, cache)
        assert influence is not None
        terms = weighted_terms(other.method, view.observed, influence)
        found = replace(profile, influence=influence, terms=terms)
        spread, variations = found.distribution, {name: term.variation for name, term in terms.items()}
        rows.append(
            {
                "dataset": dataset,
                "influence": name,
                "mean": spread.mean,
                "std": spread.std,
                **{f"{name}_variation": each.coefficient for name, each in variations.items()},
                **{name: each.value for name, each in found.correlations.items()},
            }
        )
    return rows


def table(rows: list[dict[str, Any]], key: str, influence: str) -> list[str]:
    """One influence, a line per data set."""
    lines = heading(key)
    for row in rows:
        if row["influence"] == influence:
            lines.append(line(row[key], row, digits=3))
    return lines


def medians(rows: list[dict[str, Any]]) -> list[str]:
    """A line per influence: medians over the data sets."""
    lines = heading("influence")
    for name in INFLUENCES:
        mine = [row for row in rows if row["influence"] == name]
        if mine:
            columns = ("mean", "std", "distillation_variation", "supervision_variation", *KINDS)
            lines.append(line(name, {key: float(np.nanmedian([row[key] for row in mine])) for key in columns}))
    return lines


def heading(key: str) -> list[str]:
    names = [key, "std / mean of I", "distillation %", "supervision %", *(name for _, name in KINDS.values())]
    return [f"| {' | '.join(names)} |", f"|---|{'---:|' * (len(names) - 1)}"]


def line(name: str, row: dict[str, Any], digits: int = 2) -> str:
    variations = [f"{100 * row[f'{term}_variation']:.1f}" for term in ("distillation", "supervision")]
    values = ["–" if np.isnan(row[kind]) else f"{row[kind]:+z.{digits}f}" for kind in KINDS]
    spread = f"{row['std'] / row['mean']:.2f}"
    return f"| {' | '.join([name, spread, *variations, *values])} |"


def summary(cells: list[dict[str, Any]]) -> list[str]:
    """The published cells in three numbers a column."""
    lines = ["| over the published cells | least % | median % | most % |", "|---|---:|---:|---:|"]
    for term in ("distillation", "supervision"):
        for kind in ("variation", "moved"):
            values = 100 * np.array([row[f"{term}_{kind}"] for row in cells])
            figures = " | ".join(f"{value:.2f}" for value in (values.min(), np.median(values), values.max()))
            lines.append(f"| {term}, {kind} | {figures} |")
    return lines


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """A line each, four digits."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {key: f"{value:.4f}" if isinstance(value, float) else value for key, value in row.items()}
            )


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
