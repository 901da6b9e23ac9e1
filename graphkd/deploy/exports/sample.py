"""Training and validation rows of the run that an export is compared on; test rows are not used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd import evaluation
from graphkd.datasets import Graph
from graphkd.deploy.network import FloatArray
from graphkd.deploy.predictor import Predictor
from graphkd.io.rows import Rows
from graphkd.sparse import Inputs, SparseMatrix, select_rows

CALIBRATION = 2000
"""Number of training rows used, evenly spaced over all of them."""


@dataclass(frozen=True)
class Sample:
    """Rows to compare on, and torch's logits on them.

    Args:
        train: ``[n, D']`` training rows as the exported file takes them, also used to calibrate quantization.
        val: ``[m, D']`` validation rows.
        labels: ``[m]`` of the validation rows.
        logits: ``[n + m, C]`` of the student in torch.
        metric: of the run.
    """

    train: Rows
    val: Rows
    labels: Tensor
    logits: FloatArray
    metric: str

    @classmethod
    def of(cls, model: Predictor, graph: Graph) -> Sample:
        """Builds the sample from the observed graph: raw rows, or propagated ones for a student with hops."""
        raw = graph.x if graph.stored is None else graph.stored
        is_raw = model.encoding.is_raw and model.columns.encoding is None
        inputs = raw if is_raw else model.encoding.mix(graph.x, graph.adj)
        features = graph.x if is_raw else inputs
        train = graph.train[:: max(1, graph.train.numel() // CALIBRATION)]
        with torch.inference_mode():
            parts = [model.student(select_rows(features, nodes)).logits for nodes in (train, graph.val)]
        first, second = numpy_rows(inputs, train), numpy_rows(inputs, graph.val)
        return cls(first, second, graph.y[graph.val], torch.cat(parts).numpy(), graph.metric)

    def score(self, logits: NDArray[Any]) -> float:
        """Computes the score of logits ``[n + m, C]`` on the validation rows."""
        return evaluation.score(self.metric, torch.from_numpy(logits[-self.labels.numel() :]), self.labels)


def numpy_rows(inputs: Inputs, nodes: Tensor) -> Rows:
    """Converts the rows ``nodes [B]`` to the input of runtimes without torch: an array, or CSR if sparse."""
    rows = select_rows(inputs, nodes)
    if isinstance(rows, SparseMatrix):
        parts = rows.value.numpy(), rows.col.numpy(), rows.rowptr.numpy()
        return scipy.sparse.csr_matrix(parts, shape=rows.shape)
    return rows.contiguous().numpy()
