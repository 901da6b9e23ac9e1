"""``graphkd list``, ``evaluate`` and ``predict``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch

from graphkd import datasets
from graphkd.api import load_dataset
from graphkd.deploy import load_bundle
from graphkd.errors import GraphKDError
from graphkd.evaluation import accuracy
from graphkd.names import catalogue, source_of
from graphkd.rows import check_output, read_rows, write_predictions
from graphkd.runs import read_config, read_metrics


def list_parts(what: str) -> None:
    """Prints the parts of a kind: name, then whose they are."""
    parts = catalogue(importlib.import_module(f"graphkd.{what}"))
    width = max(len(name) for name in parts) + 2
    for name, part in parts.items():
        print(f"{name:{width}}{source_of(part)}")


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
        data = _own_data(path, entry["seed"], data_dir)
        model = load_bundle(seat if seat.is_dir() else path)
        proba = torch.from_numpy(model.predict_proba(data.x, data.edge_index))
        val, test = (accuracy(proba[mask], data.y[mask]) for mask in (data.val_mask, data.test_mask))
        recorded = entry["student"]["test"]
        print(f"{entry['seed']:>6}{100 * val:>12.2f}{100 * test:>12.2f}{100 * recorded:>20.2f}")
        if abs(test - recorded) * int(data.test_mask.sum()) > 0.5:
            raise GraphKDError(
                f"seed {entry['seed']} scores {test:.4f} on test, but metrics.json says {recorded:.4f}: "
                "the data or the bundle is not the run's own"
            )


def predict(run: str, source: str, output: str, data_dir: str | None) -> None:
    """Classes of the rows in a file, or of all nodes of the run's own graph.

    Args:
        run: folder of a run.
        source: a file of raw rows, or ``graph``.
        output: ``.csv`` with a line per row, or ``.npy`` with probabilities ``[B, C]``.
        data_dir: where the run's data is now, if it has moved.

    Raises:
        GraphKDError: not a run, a file that cannot be read as rows, or rows of another width.
    """
    path, target = Path(run), Path(output)
    read_metrics(path)
    check_output(target)
    model = load_bundle(path)
    if source == "graph":
        data = _own_data(path, model.card["seed"], data_dir)
        rows, edges = data.x, data.edge_index
    else:
        rows, edges = read_rows(Path(source))
        if model.propagation.hops and edges is None:
            raise GraphKDError(
                f"this student was trained on features propagated over {model.propagation.hops} hops: give the "
                "word graph for the run's own nodes, or an .npz with x (all nodes of a graph) and edge_index"
            )
    write_predictions(target, model.predict_proba(rows, edges), model.class_names)
    print(f"{rows.shape[0]} predictions: {target}")


def _own_data(path: Path, seed: int, data_dir: str | None) -> Any:
    config = read_config(path)
    chosen = dict(config["dataset"])
    name = chosen.pop("name")
    if name not in catalogue(datasets):
        raise GraphKDError(
            f"{path} was trained on data in memory ({name}): load its bundle and predict on your rows"
        )
    places = {key: config[key] for key in ("data_dir", "cache_dir") if config.get(key)}
    if data_dir is not None:
        places["data_dir"] = data_dir
    return load_dataset(name, seed=seed, download="never", **chosen, **places)
