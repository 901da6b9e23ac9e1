"""``graphkd export``."""

from __future__ import annotations

from pathlib import Path

import scipy.sparse
import torch
from torch import Tensor

from graphkd.commands.own_data import own_data
from graphkd.datasets import Graph, Scene
from graphkd.deploy import Predictor, load_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.parity import Sample
from graphkd.deploy.files import bundle_folder
from graphkd.deploy.rows import Rows
from graphkd.machine import readable
from graphkd.runs import read_metrics
from graphkd.sparse import Inputs, SparseMatrix, select_rows

CALIBRATION = 2000
"""Training rows that are looked at, spread over all of them."""


def export(run: str, to: str, allow_loss: bool, data_dir: str | None) -> None:
    """Writes the student of a run's bundle in another form into the bundle, after a check on the run's own rows.

    Args:
        run: folder of a run.
        to: the format.
        allow_loss: write it even where it is not the same model.
        data_dir: where the run's data is now, if it has moved.

    Raises:
        GraphKDError: not a run, its data or what the format needs is not there, or it is not the same model.
    """
    path = Path(run)
    metrics = read_metrics(path)
    model = load_bundle(path)
    graph = Graph.from_data(own_data(path, model.card["seed"], data_dir), model.preprocessing)
    sample = _sample(model, Scene.of(graph, metrics["setting"], model.card["seed"]).observed)
    made = export_bundle(path, to, sample, allow_loss)
    for precision, parity in made.parity.items():
        print(f"{to} {precision}: {parity}")
    for remark in made.remarks:
        print(remark)
    for name, content in made.files.items():
        print(f"{bundle_folder(path) / name}: {readable(len(content))}")


def _sample(model: Predictor, graph: Graph) -> Sample:
    """Training and validation rows of the observed graph, as the student takes them."""
    inputs = model.propagation.mix(graph.x, graph.adj)
    train = graph.train[:: max(1, graph.train.numel() // CALIBRATION)]
    with torch.inference_mode():
        parts = [model.student(select_rows(inputs, nodes)).logits for nodes in (train, graph.val)]
    logits = torch.cat(parts).numpy()
    return Sample(_rows(inputs, train), _rows(inputs, graph.val), graph.y[graph.val], logits, graph.metric)


def _rows(inputs: Inputs, nodes: Tensor) -> Rows:
    rows = select_rows(inputs, nodes)
    if isinstance(rows, SparseMatrix):
        parts = rows.value.numpy(), rows.col.numpy(), rows.rowptr.numpy()
        return scipy.sparse.csr_matrix(parts, shape=rows.shape)
    return rows.contiguous().numpy()
