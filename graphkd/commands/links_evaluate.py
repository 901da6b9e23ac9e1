"""``graphkd evaluate`` of a run of links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphkd.commands.evaluate import check_recorded
from graphkd.links.bundle import load_predictor
from graphkd.links.distill import evaluate
from graphkd.links.graph import LinkGraph
from graphkd.links.seed_run import scores_of
from graphkd.run_data import load_run_data

SHOWN = {
    "val": "val AUC %",
    "test": "test AUC %",
    "test_ap": "AP %",
    "test_hits@20": "Hits@20 %",
    "test_hits@50": "Hits@50 %",
    "test_mrr": "MRR %",
}
"""Scores of a seed, by the heading of their column."""


def evaluate_links(path: Path, metrics: dict[str, Any], data_dir: str | None) -> list[dict[str, Any]]:
    """Scores the bundle of every seed on the run's pairs, prints a line of each, compares with ``metrics.json``.

    Args:
        path: of the run.
        metrics: contents of its ``metrics.json``.
        data_dir: folder of its data, if they have moved.

    Returns:
        A row per seed.

    Raises:
        GraphKDError: the data are unavailable, or a score differs from the recorded one.
    """
    print(f"{'seed':>6}" + "".join(f"{name:>12}" for name in SHOWN.values()) + f"{'recorded test %':>18}")
    return [_evaluated(path, metrics["setting"], entry, data_dir) for entry in metrics["seeds"]]


def _evaluated(path: Path, setting: str, entry: dict[str, Any], data_dir: str | None) -> dict[str, Any]:
    seed, recorded = entry["seed"], entry["student"]["test"]
    folder = path / f"seed_{seed}"
    predictor = load_predictor(folder if folder.is_dir() else path)
    graph = LinkGraph.from_data(load_run_data(path, seed, data_dir), seed, setting)
    found = scores_of(evaluate(graph, predictor.score))
    print(f"{seed:>6}" + "".join(f"{100 * found[key]:>12.2f}" for key in SHOWN) + f"{100 * recorded:>18.2f}")
    check_recorded(seed, found["test"], recorded)
    return {"seed": seed, **found}
