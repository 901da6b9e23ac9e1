"""``graphkd evaluate``."""

from __future__ import annotations

from pathlib import Path

from graphkd.commands.custom_data import custom_data
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.deploy import load_bundle
from graphkd.errors import GraphKDError
from graphkd.runs import read_metrics
from graphkd.training.stages.student import student_scores

TOLERANCE = 0.005
"""Tolerated difference in the test score: share of rows whose class may flip by another machine's rounding."""


def evaluate(run: str, data_dir: str | None) -> None:
    """Scores the bundle of every seed on the run's data, and compares with ``metrics.json``.

    Raises:
        GraphKDError: not a run, its data are unavailable, or a score differs from the recorded one.
    """
    path = Path(run)
    metrics = read_metrics(path)
    print(f"{'seed':>6}{'val %':>12}{'test %':>12}{'recorded test %':>20}")
    for entry in metrics["seeds"]:
        folder = path / f"seed_{entry['seed']}"
        model = load_bundle(folder if folder.is_dir() else path)
        graph = Graph.from_data(custom_data(path, entry["seed"], data_dir), model.preprocessing)
        view = apply_setting(graph, metrics["setting"], entry["seed"])
        inputs = model.encoding.mix(view.observed.x, view.observed.adj)
        scores = student_scores(model.student, inputs, model.encoding, view)
        val, test = scores["val"], scores["test"]
        recorded = entry["student"]["test"]
        print(f"{entry['seed']:>6}{100 * val:>12.2f}{100 * test:>12.2f}{100 * recorded:>20.2f}")
        if abs(test - recorded) > TOLERANCE:
            raise GraphKDError(
                f"seed {entry['seed']} scores {test:.4f} on test, but metrics.json says {recorded:.4f}: "
                "the data or the bundle is not the run's own"
            )
