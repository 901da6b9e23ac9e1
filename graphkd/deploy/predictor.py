"""Prediction from feature rows in torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from graphkd.answers import answers_of
from graphkd.classes import ClassName
from graphkd.columns import ColumnEncoding
from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.names import Columns
from graphkd.deploy.nodes import check_nodes, count_nodes
from graphkd.deploy.shown import as_html, as_text, facts_of
from graphkd.encoders import Encoding
from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.io.rows import as_rows
from graphkd.sparse import Adjacency, Features, as_features, select_rows
from graphkd.sparse.adjacency import check_edges, check_weights

BATCH = 65536
"""Rows per forward pass."""


class Predictor:
    """A student with the preprocessing it was trained with.

    Args:
        student: rows ``[B, D']`` → ``StudentOutput``, in evaluation mode.
        num_features: ``D`` of raw rows; ``encoding`` determines the student's ``D'``.
        preprocessing: steps applied to raw rows.
        encoding: from preprocessed rows, and the graph where it reads it, to the student's inputs.
        class_names: ``C`` names of classes, which ``predict`` returns, of labels or of targets; or None.
        card: the student's origin and its scores.
        feature_names: ``D`` names of the features, or None.
        columns: encoding of a raw table's columns as these features, or None.
        task: name of what a row is asked for.

    >>> from graphkd.students import MLP
    >>> student = MLP(num_features=4, hidden_dim=8, num_classes=2).eval()
    >>> model = Predictor(student, 4, Preprocessing(), Encoding(), class_names=["no", "yes"], card={})
    >>> model.predict_proba(np.zeros((5, 4))).shape, set(model.predict(np.zeros((5, 4)))) <= {"no", "yes"}
    ((5, 2), True)
    """

    def __init__(
        self,
        student: nn.Module,
        num_features: int,
        preprocessing: Preprocessing,
        encoding: Encoding,
        class_names: list[ClassName] | None,
        card: dict[str, Any],
        feature_names: list[str] | None = None,
        columns: ColumnEncoding | None = None,
        task: str = "multiclass",
    ) -> None:
        self.student, self.num_features = student, num_features
        self.preprocessing, self.encoding, self._is_raw = preprocessing, encoding, encoding.is_raw
        self.class_names, self.card = class_names, card
        self.columns, self.task = Columns(feature_names, columns), task
        self.answers = answers_of(task, class_names)
        self.feature_names = self.columns.names

    def __repr__(self) -> str:
        return as_text("Predictor", facts_of(self.card, self.num_features, self.class_names, "torch"))

    def _repr_html_(self) -> str:
        return as_html("Predictor", facts_of(self.card, self.num_features, self.class_names, "torch"))

    def predict(
        self,
        x: Any,
        edge_index: Tensor | None = None,
        propagated: bool = False,
        edge_weight: Tensor | None = None,
        nodes: Any = None,
    ) -> NDArray[Any]:
        """Returns the most probable class of each row, ``[B]``; see ``predict_proba``.

        Returns:
            Class names in their own type, or the numbers ``0 … C − 1`` if the classes have no names. Of several
            labels per row 0 and 1 ``[B, L]``; of regression the numbers, ``[B]`` or ``[B, T]``.
        """
        return self.answers.best(self.scores(x, edge_index, propagated, edge_weight, nodes))

    def predict_proba(
        self,
        x: Any,
        edge_index: Tensor | None = None,
        propagated: bool = False,
        edge_weight: Tensor | None = None,
        nodes: Any = None,
    ) -> NDArray[np.float32]:
        """Computes class probabilities.

        A student that was trained on propagated features (``encoding.hops > 0``) requires either ``edge_index``
        or ``propagated``, since raw and propagated rows have the same shape (except for ``pooling=concat``). One
        that was trained on positions requires ``nodes`` or ``propagated``.

        Args:
            x: ``[B, D]`` raw rows: array, data frame, scipy sparse, tensor, torch sparse; preprocessed here. The
                columns of a frame are matched by name if the student has feature names, see ``Columns.align``.
            edge_index: ``[2, E]`` edges to propagate over; ``x`` then has one row per node of the graph.
            propagated: whether ``x`` comes from ``prepare`` and is used unchanged.
            edge_weight: ``[E]`` if the graph is weighted.
            nodes: ``[B]`` numbers of the rows among the nodes of training, −1 for a new one; see ``prepare``.

        Returns:
            ``[B, C]``, rows sum to 1; of several labels per row, the probability of each.

        Raises:
            GraphKDError: wrong width or columns, NaN, a student with hops without either argument, logits that
                overflow, or a student that predicts numbers.
        """
        self.answers.check_proba()
        return self.scores(x, edge_index, propagated, edge_weight, nodes)

    @own_environment()
    def scores(
        self,
        x: Any,
        edge_index: Tensor | None = None,
        propagated: bool = False,
        edge_weight: Tensor | None = None,
        nodes: Any = None,
    ) -> NDArray[np.float32]:
        """Computes probabilities, or for regression the predicted numbers, ``[B, C]``; see ``predict_proba``."""
        if propagated:
            width = self.encoding.width(self.num_features)
            named = width == self.num_features and self.columns.encoding is None
            x = self.columns.align(x) if named else x
            rows = _checked(x, width)
        else:
            rows = self._prepared(x, edge_index, edge_weight, nodes)
        with torch.inference_mode():
            blocks = [
                self.answers.scores(self.student(select_rows(rows, index)).logits.numpy(), _softmax)
                for index in torch.split(torch.arange(rows.shape[0]), BATCH)
            ]
        scores = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        self.answers.check(scores)
        return scores

    @own_environment()
    def prepare(
        self, x: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None, nodes: Any = None
    ) -> Features:
        """Converts raw rows to rows as the student was trained on.

        Args:
            x: ``[N, D]`` raw rows; of all nodes of the graph if the student has hops. May be None if the student
                reads positions alone.
            edge_index: ``[2, E]``, ``[sender, receiver]``; required if the student has hops.
            edge_weight: ``[E]``; required if it was trained on a weighted graph.
            nodes: ``[N]`` whole numbers, required if the student reads positions: which node of the observed
                graph a row is, from 0 in the order of training, −1 for a new node. A new node has the mean of the
                positions of its observed neighbours in ``edge_index``, zeros without any.

        Returns:
            ``[N, D']`` preprocessed and propagated rows.

        Raises:
            GraphKDError: wrong width or columns, NaN, an edge to a node that does not exist, invalid weights, or a
                required graph is missing.
        """
        return self._prepared(x, edge_index, edge_weight, nodes)

    def _prepared(self, x: Any, edge_index: Tensor | None, edge_weight: Tensor | None, nodes: Any) -> Features:
        if self._is_raw:  # a single row takes microseconds
            return self.preprocessing(_checked(self.columns.align(x), self.num_features))
        if self.encoding.propagation is None:  # positions alone: there are no features to read
            rows: Features = torch.zeros(count_nodes(x, nodes), 0)
        else:
            rows = self.preprocessing(_checked(self.columns.align(x), self.num_features))
        hops, vectors, count = self.encoding.hops, self.encoding.vectors, rows.shape[0]
        numbers = None if vectors is None else torch.from_numpy(check_nodes(nodes, count, len(vectors.vectors)))
        if hops == 0:
            edges = torch.zeros(2, 0, dtype=torch.int64) if edge_index is None else _tensor(edge_index)
            check_edges(edges, count)
            return self.encoding.table(rows, Adjacency(edges, count), numbers)
        if edge_index is None:
            raise GraphKDError(
                f"this student was trained on features propagated over {hops} hops: pass edge_index=, "
                "or rows from prepare() with propagated=True"
            )
        propagation = self.encoding.propagation
        assert propagation is not None
        if propagation.weighted != (edge_weight is not None):
            kind = "with" if propagation.weighted else "without"
            raise GraphKDError(
                f"this student was trained on a graph {kind} edge weights: predict on one {kind} them"
            )
        edges, weight = _tensor(edge_index), None if edge_weight is None else _tensor(edge_weight)
        check_edges(edges, count)
        check_weights(weight, edges.shape[1])
        return self.encoding.table(rows, Adjacency(edges, count, weight), numbers)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    proba: NDArray[np.float32] = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    return proba


def _checked(x: Any, width: int) -> Features:
    rows = as_rows(x, width)
    if isinstance(rows, np.ndarray) and not rows.flags.writeable:
        rows = rows.copy()  # torch warns about arrays that are not writable
    return as_features(rows)


def _tensor(given: Any) -> Any:
    """Converts arrays and lists to tensors; other objects are returned unchanged, and refused later by type.

    Raises:
        GraphKDError: a list is ragged, or contains anything but numbers.
    """
    if not isinstance(given, list | tuple | np.ndarray):
        return given
    try:
        return torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError):
        raise GraphKDError("edge_index or edge_weight is no table of numbers: give tensors or arrays") from None
