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
        model = load_bundle(seat if seat.is_dir() else path)
        graph = Graph.from_data(custom_data(path, entry["seed"], data_dir), model.preprocessing)
        view = apply_setting(graph, metrics["setting"], entry["seed"])
        inputs = model.propagation.mix(view.observed.x, view.observed.adj)
        found = student_scores(model.student, inputs, model.propagation, view)
        val, test = found["val"], found["test"]
        recorded = entry["student"]["test"]
        print(f"{entry['seed']:>6}{100 * val:>12.2f}{100 * test:>12.2f}{100 * recorded:>20.2f}")
        if abs(test - recorded) > TOLERANCE:
            raise GraphKDError(
                f"seed {entry['seed']} scores {test:.4f} on test, but metrics.json says {recorded:.4f}: "
                "the data or the bundle is not the run's own"
            )
