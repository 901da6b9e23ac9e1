"""``graphkd evaluate``."""

from __future__ import annotations

from pathlib import Path

import torch

from graphkd.commands.own_data import own_data
from graphkd.deploy import load_bundle
from graphkd.errors import GraphKDError
from graphkd.evaluation import accuracy
from graphkd.runs import read_metrics

TOLERANCE = 0.005
"""Share of test rows that another machine's rounding may move across a decision boundary."""


def evaluate(run: str, data_dir: str | None) -> None:
    """Scores the bundle of every seed on the run's own data, beside what ``metrics.json`` says.

    Raises:
        GraphKDError: not a run, its data cannot be had, or a score is not the one that was recorded.
    """
    path = Path(run)
    metrics = read_metrics(path)
    print(f"{'seed':>6}{'val %':>12}{'test %':>12}{'recorded test %':>20}")
    for entry in metrics["seeds"]:
        seat = path / f"seed_{entry['seed']}"
        data = own_data(path, entry["seed"], data_dir)
        model = load_bundle(seat if seat.is_dir() else path)
        weight = getattr(data, "edge_weight", None)
        proba = torch.from_numpy(model.predict_proba(data.x, data.edge_index, edge_weight=weight))
        val, test = (accuracy(proba[mask], data.y[mask]) for mask in (data.val_mask, data.test_mask))
        recorded = entry["student"]["test"]
        print(f"{entry['seed']:>6}{100 * val:>12.2f}{100 * test:>12.2f}{100 * recorded:>20.2f}")
        if abs(test - recorded) > TOLERANCE:
            raise GraphKDError(
                f"seed {entry['seed']} scores {test:.4f} on test, but metrics.json says {recorded:.4f}: "
                "the data or the bundle is not the run's own"
            )
