"""Rows in, classes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.names import align
from graphkd.deploy.rows import as_rows
from graphkd.errors import GraphKDError
from graphkd.methods.targets import Propagation
from graphkd.sparse import Adjacency, Features, SparseMatrix, as_features, check_features, select_rows
from graphkd.sparse.adjacency import check_edges, check_weights

BATCH = 65536
"""Rows per forward pass."""


class Predictor:
    """A student with the preprocessing it was trained with.

    Args:
        student: rows ``[B, D']`` → ``StudentOutput``, in evaluation mode.
        num_features: ``D`` of raw rows; ``propagation`` says what becomes of it.
        preprocessing: of raw rows.
        propagation: of prepared rows over the graph; ``hops = 0`` needs no graph.
        class_names: ``C`` names, or nothing.
        card: where the student comes from and how it scored.
        feature_names: ``D`` names of raw features, or nothing.
    """

    def __init__(
        self,
        student: nn.Module,
        num_features: int,
        preprocessing: Preprocessing,
        propagation: Propagation,
        class_names: list[str] | None,
        card: dict[str, Any],
        feature_names: list[str] | None = None,
    ) -> None:
        self.student, self.num_features = student, num_features
        self.preprocessing, self.propagation = preprocessing, propagation
        self.class_names, self.card, self.feature_names = class_names, card, feature_names

    def predict(
        self,
        x: Any,
        edge_index: Tensor | None = None,
        propagated: bool = False,
        edge_weight: Tensor | None = None,
    ) -> NDArray[np.int64]:
        """The most probable class of each row, ``[B]`` in ``0 … C − 1``; see ``predict_proba``."""
        classes: NDArray[np.int64] = self.predict_proba(x, edge_index, propagated, edge_weight).argmax(axis=1)
        return classes

    def predict_proba(
        self,
        x: Any,
        edge_index: Tensor | None = None,
        propagated: bool = False,
        edge_weight: Tensor | None = None,
    ) -> NDArray[np.float32]:
        """Class probabilities.

        A student that was trained on propagated features (``propagation.hops > 0``) must be told which
        rows it gets, since raw and propagated ones have the same shape (but for ``pooling=concat``).

        Args:
            x: ``[B, D]`` raw rows: data frame, array, scipy sparse, tensor, torch sparse; preprocessed here.
                Columns of a data frame are taken by name where the student has names, see ``align``.
            edge_index: ``[2, E]`` where ``x`` are all nodes of a graph, to propagate over.
            propagated: ``x`` comes from ``prepare`` and is used as it is.
            edge_weight: ``[E]`` where the graph has weights.

        Returns:
            ``[B, C]``, rows sum to 1.

        Raises:
            GraphKDError: wrong width, NaN, or a student with hops that was told neither.
        """
        rows = x if propagated else self.prepare(x, edge_index, edge_weight)  # by name, if both have names
        rows = _checked(rows, self.propagation.width(self.num_features))
        with torch.inference_mode():
            blocks = [
                torch.softmax(self.student(select_rows(rows, index)).logits, dim=1)
                for index in torch.split(torch.arange(rows.shape[0]), BATCH)
            ]
        proba: NDArray[np.float32] = torch.cat(blocks).numpy()
        return proba

    def prepare(self, x: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None) -> Features:
        """Raw rows → rows as the student was trained on.

        Args:
            x: ``[N, D]`` raw rows; all nodes of the graph where the student has hops.
            edge_index: ``[2, E]``, ``[sender, receiver]``; needed where it has hops.
            edge_weight: ``[E]``; needed where it was trained on a graph with weights.

        Returns:
            ``[N, D']`` preprocessed and propagated rows.

        Raises:
            GraphKDError: wrong width, NaN, an edge that points nowhere, wrong weights, or no graph where one is
                needed.
        """
        rows = self.preprocessing(_checked(align(x, self.feature_names), self.num_features))
        hops = self.propagation.hops
        if hops == 0:
            return rows
        if edge_index is None:
            raise GraphKDError(
                f"this student was trained on features propagated over {hops} hops: pass edge_index=, "
                "or rows from prepare() with propagated=True"
            )
        if self.propagation.weighted != (edge_weight is not None):
            wanted = "with" if self.propagation.weighted else "without"
            raise GraphKDError(
                f"this student was trained on a graph {wanted} edge weights: predict on one {wanted} them"
            )
        edges, weight = _tensor(edge_index), None if edge_weight is None else _tensor(edge_weight)
        check_edges(edges, rows.shape[0])
        check_weights(weight, edges.shape[1])
        return self.propagation.table(rows, Adjacency(edges, rows.shape[0], weight))


def _checked(x: Any, width: int) -> Features:
    if not isinstance(x, Tensor | SparseMatrix) and not hasattr(x, "tocsr"):
        x = as_rows(x, width)  # one reader of arrays for all runtimes
    elif isinstance(x, Tensor):
        x = x.detach().cpu()
    return check_features(as_features(x).to(torch.float32), width)


def _tensor(given: Any) -> Any:
    """Arrays and lists as tensors; other things as they are, to be refused by name."""
    return torch.as_tensor(given) if isinstance(given, list | tuple | np.ndarray) else given
