"""Training and validation rows of the run that an export is compared on; test rows are not used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.answers import Answers, ClassAnswers
from graphkd.datasets import Graph, Preprocessing
from graphkd.deploy.network import FloatArray
from graphkd.deploy.predictor import Predictor
from graphkd.deploy.scaling import Scaling
from graphkd.io.rows import Rows
from graphkd.sparse import Inputs, SparseMatrix, select_rows
from graphkd.tasks import Multiclass, Task

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
        task: of the labels.
        answers: of the student.
    """

    train: Rows
    val: Rows
    labels: Tensor
    logits: FloatArray
    metric: str
    task: Task = field(default_factory=Multiclass)
    answers: Answers = field(default_factory=lambda: ClassAnswers(None))

    @classmethod
    def of(cls, model: Predictor, graph: Graph) -> Sample:
        """Builds the sample from the observed graph: raw rows, or propagated ones for a student with hops.

        Where the file scales raw numbers, these are computed back from the features, and the student's logits are
        those of the features that the numbers in single precision have.
        """
        chosen = graph.train[:: max(1, graph.train.numel() // CALIBRATION)], graph.val
        raw = graph.x if graph.stored is None else graph.stored
        is_raw = model.encoding.is_raw and model.columns.encoding is None
        inputs = raw if is_raw else model.encoding.mix(graph.x, graph.adj)
        rows = [numpy_rows(inputs, nodes) for nodes in chosen]
        features = [select_rows(graph.x if is_raw else inputs, nodes) for nodes in chosen]
        if (scaling := _scaling(model)) is not None:
            rows = [scaling.raw(part) for part in rows]
            features = [torch.from_numpy(scaling.scaled(part)) for part in rows]
        with torch.inference_mode():
            logits = torch.cat([model.student(part).logits for part in features])
        return cls(rows[0], rows[1], graph.y[graph.val], logits.numpy(), graph.metric, graph.task, model.answers)

    def score(self, logits: NDArray[Any]) -> float:
        """Computes the score of logits ``[n + m, C]`` on the validation rows."""
        return self.task.score(self.metric, torch.from_numpy(logits[-self.labels.numel() :]), self.labels)


def _scaling(model: Predictor) -> Scaling | None:
    is_raw = model.encoding.is_raw and model.preprocessing == Preprocessing()
    return Scaling.of(model.columns.encoding) if is_raw else None


def numpy_rows(inputs: Inputs, nodes: Tensor) -> Rows:
    """Converts the rows ``nodes [B]`` to the input of runtimes without torch: an array, or CSR if sparse."""
    rows = select_rows(inputs, nodes)
    if isinstance(rows, SparseMatrix):
        parts = rows.value.numpy(), rows.col.numpy(), rows.rowptr.numpy()
        return scipy.sparse.csr_matrix(parts, shape=rows.shape)
    return rows.contiguous().numpy()
