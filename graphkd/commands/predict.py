"""``graphkd predict``."""

from __future__ import annotations

from pathlib import Path

from graphkd.commands.own_data import own_data
from graphkd.commands.rows import check_output, read_rows, write_predictions
from graphkd.deploy import load_bundle
from graphkd.errors import GraphKDError
from graphkd.runs import read_metrics


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
    weight, ids = None, None
    if source == "graph":
        data = own_data(path, model.card["seed"], data_dir)
        rows, edges = data.x, data.edge_index
        weight, ids = getattr(data, "edge_weight", None), getattr(data, "node_ids", None)
    else:
        rows, edges = read_rows(Path(source))
        if model.propagation.hops and edges is None:
            raise GraphKDError(
                f"this student was trained on features propagated over {model.propagation.hops} hops: give the "
                "word graph for the run's own nodes, or an .npz with x (all nodes of a graph) and edge_index"
            )
    proba = model.predict_proba(rows, edges, edge_weight=weight)
    write_predictions(target, proba, model.class_names, ids)
    print(f"{rows.shape[0]} predictions: {target}")
