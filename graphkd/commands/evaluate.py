"""``graphkd evaluate``."""

from __future__ import annotations

import functools
import operator
from pathlib import Path
from typing import Any

from graphkd.atomic_io import as_path, check_writable, write_text
from graphkd.commands.evaluate_table import format_evaluation
from graphkd.datasets import Graph
from graphkd.deploy import load_bundle
from graphkd.errors import GraphKDError
from graphkd.evaluation.figures import heading_of, score_text
from graphkd.run_data import load_run_data
from graphkd.runs import Evaluation, read_metrics
from graphkd.tasks.choice import LINK

TOLERANCE = 0.005
"""Tolerated difference in the test score: share of rows whose class may flip by another machine's rounding."""


def evaluate(run: str, data_dir: str | None, output: str | None = None) -> None:
    """Scores the bundle of every seed on the run's data, and compares with ``metrics.json``.

    Prints a line per seed, then for all seeds together the confusion matrix and the metrics of each class.

    Args:
        run: folder of the run.
        data_dir: folder of its data, if they have moved.
        output: folder to write the same to, as CSV files and plots, or None.

    Raises:
        GraphKDError: not a run, its data are unavailable, a score differs from the recorded one, or the folder
            cannot be written.
    """
    folder = None if output is None else as_path(output, "--output")
    if folder is not None:
        check_writable(folder, "--output")
    path = Path(run)
    metrics = read_metrics(path)
    if metrics.get("task") == LINK:
        _of_links(path, metrics, data_dir, folder)
        return
    val, test, recorded = (heading_of(part, metrics["metric"]) for part in ("val", "test", "recorded test"))
    print(f"{'seed':>6}{val:>12}{test:>12}{recorded:>20}")
    seeds = [entry["seed"] for entry in metrics["seeds"]]
    found = [_evaluated(path, metrics["setting"], entry, data_dir) for entry in metrics["seeds"]]
    together = functools.reduce(operator.add, found)
    print("\n".join(["", *format_evaluation(together)]))
    if folder is not None:
        from graphkd.commands.evaluate_files import write_evaluation

        write_evaluation(folder, together, seeds)
        print(f"evaluation folder: {folder}")


def _of_links(path: Path, metrics: dict[str, Any], data_dir: str | None, folder: Path | None) -> None:
    from graphkd.commands.links_evaluate import evaluate_links

    rows = evaluate_links(path, metrics, data_dir)
    if folder is not None:
        import pandas as pd

        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "scores.csv", pd.DataFrame(rows).to_csv(index=False))
        print(f"evaluation folder: {folder}")


def _evaluated(path: Path, setting: str, entry: dict[str, Any], data_dir: str | None) -> Evaluation:
    """Evaluates the bundle of a seed, prints its line, and compares its test score with the recorded one."""
    seed, recorded = entry["seed"], entry["student"]["test"]
    folder = path / f"seed_{seed}"
    model = load_bundle(folder if folder.is_dir() else path)
    graph = Graph.from_data(load_run_data(path, seed, data_dir), model.preprocessing)
    result = Evaluation.of(model.student, model.encoding, graph, setting, seed)
    val, test = (result.scores[0][part] for part in ("val", "test"))
    shown = [score_text([value], graph.metric) for value in (val, test, recorded)]
    print(f"{seed:>6}{shown[0]:>12}{shown[1]:>12}{shown[2]:>20}")
    check_recorded(seed, test, recorded)
    return result


def check_recorded(seed: int, test: float, recorded: float) -> None:
    """Checks a test score against the recorded one.

    Raises:
        GraphKDError: they differ by more than rounding explains.
    """
    if abs(test - recorded) > TOLERANCE:
        raise GraphKDError(
            f"seed {seed} scores {test:.4f} on test, but metrics.json says {recorded:.4f}: "
            "the data or the bundle is not the run's own"
        )
