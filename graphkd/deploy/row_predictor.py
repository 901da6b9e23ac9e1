"""Prediction from feature rows without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.answers import answers_of
from graphkd.classes import ClassName
from graphkd.deploy.description import task_of
from graphkd.deploy.files import Bundle
from graphkd.deploy.inputs import InputParts
from graphkd.deploy.names import Columns, Encoded
from graphkd.deploy.nodes import check_nodes, count_nodes
from graphkd.deploy.scaling import Scaling
from graphkd.deploy.shown import as_html, as_text, facts_of
from graphkd.errors import GraphKDError
from graphkd.io.rows import Rows, as_rows, dense, preprocess


@dataclass(frozen=True)
class Engine:
    """The forward pass of a student in one runtime.

    Args:
        name: of the runtime.
        logits: validated rows ``[B, D']``, an array or CSR → ``[B, C]``.
        softmax: logits ``[B, C]`` → probabilities ``[B, C]``.
        preprocesses: whether ``logits`` takes raw rows; preprocessed ones too, since preprocessing is idempotent.
        raw_logits: of raw numbers ``[B, D]``, of which ``logits`` takes the features; None unless it scales them.
    """

    name: str
    logits: Callable[[Rows], NDArray[np.float32]]
    softmax: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    preprocesses: bool = False
    raw_logits: Callable[[Rows], NDArray[np.float32]] | None = None


def with_scaling(engine: Engine, scaling: Scaling) -> Engine:
    """Returns an engine that takes features as well as raw numbers, for one that scales raw numbers itself."""
    return replace(engine, logits=lambda rows: engine.logits(scaling.raw(rows)), raw_logits=engine.logits)


class RowPredictor:
    """A student with the preprocessing it was trained with, in a runtime that needs no torch.

    Args:
        bundle: source of the preprocessing, the names and the card.
        width: ``D'`` of the student.
        engine: runs the student.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from graphkd.datasets import Preprocessing
    >>> from graphkd.deploy import load_bundle, write_bundle
    >>> from graphkd.encoders import Encoding
    >>> from graphkd.students import MLP
    >>> sizes = {"num_features": 4, "hidden_dim": 8, "num_classes": 2}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "bundle"
    ...     write_bundle(path, MLP(**sizes), sizes, Preprocessing(), Encoding(), class_names=None, card={})
    ...     model = load_bundle(path, runtime="numpy")
    ...
    >>> model.runtime, model.predict_proba(np.zeros((5, 4))).shape
    ('numpy', (5, 2))
    """

    def __init__(self, bundle: Bundle, width: int, engine: Engine) -> None:
        description = bundle.description
        steps, self.parts = description["preprocessing"], InputParts.of(description)
        self.engine, self.width, self.hops = engine, width, self.parts.hops
        self.num_features = self.parts.raw_width(width)
        self._features, self._row_normalize = str(steps["features"]), bool(steps["row_normalize"])
        self._as_they_are = self._features == "stored" and not self._row_normalize
        self.class_names: list[ClassName] | None = description["class_names"]
        self.card = description["card"]
        self._bundle, self.columns = bundle, Columns(description.get("feature_names"), bundle.columns)
        self.feature_names = self.columns.names
        self.task = task_of(description)
        self.answers = answers_of(self.task, self.class_names)

    def __reduce__(self) -> tuple[Any, ...]:
        """Returns the bundle's bytes for copies and pickles, from which the engine is rebuilt."""
        from graphkd.deploy.loading import row_predictor

        return row_predictor, (self._bundle, self.runtime)

    def __repr__(self) -> str:
        return as_text("RowPredictor", facts_of(self.card, self.num_features, self.class_names, self.runtime))

    def _repr_html_(self) -> str:
        return as_html("RowPredictor", facts_of(self.card, self.num_features, self.class_names, self.runtime))

    @property
    def runtime(self) -> str:
        """Name of the runtime."""
        return self.engine.name

    def predict(
        self, x: Any, edge_index: Any = None, propagated: bool = False, edge_weight: Any = None, nodes: Any = None
    ) -> NDArray[Any]:
        """Returns the most probable class of each row, ``[B]``; see ``predict_proba``.

        Returns:
            Class names in their own type, or the numbers ``0 … C − 1`` if the classes have no names. Of several
            labels per row 0 and 1 ``[B, L]``; of regression the numbers, ``[B]`` or ``[B, T]``.
        """
        return self.answers.of_logits(self.logits(x, edge_index, propagated, edge_weight, nodes))

    def predict_proba(
        self, x: Any, edge_index: Any = None, propagated: bool = False, edge_weight: Any = None, nodes: Any = None
    ) -> NDArray[np.float32]:
        """Computes class probabilities.

        Args:
            x: ``[B, D]`` raw rows: array, data frame, nested lists, scipy sparse, tensor; preprocessed here. The
                columns of a frame are matched by name if the student has feature names, see ``Columns.align``.
            edge_index: must be None if the student has hops: only the torch runtime propagates over a graph.
            propagated: whether ``x`` holds propagated rows ``[B, D']`` and is used unchanged.
            edge_weight: unused.
            nodes: ``[B]`` numbers of the rows among the nodes of training, −1 for a new one, whose position is
                zeros here: only the torch runtime takes the mean of its neighbours'. Required if the student reads
                positions.

        Returns:
            ``[B, C]``, rows sum to 1; of several labels per row, the probability of each.

        Raises:
            GraphKDError: wrong width or columns, NaN, raw rows for a student with hops, logits that overflow, or a
                student that predicts numbers.
        """
        self.answers.check_proba()
        return self.scores(x, edge_index, propagated, edge_weight, nodes)

    @np.errstate(all="ignore")  # regardless of the caller's setting: no warnings, as in torch
    def scores(
        self, x: Any, edge_index: Any = None, propagated: bool = False, edge_weight: Any = None, nodes: Any = None
    ) -> NDArray[np.float32]:
        """Computes probabilities, or for regression the predicted numbers, ``[B, C]``; see ``predict_proba``."""
        logits = self.logits(x, edge_index, propagated, edge_weight, nodes)
        scores = self.answers.scores(logits, self.engine.softmax)
        self.answers.check(scores)
        return scores

    @np.errstate(all="ignore")
    def logits(
        self, x: Any, edge_index: Any = None, propagated: bool = False, edge_weight: Any = None, nodes: Any = None
    ) -> NDArray[np.float32]:
        """Computes the logits ``[B, C]``; see ``predict_proba``."""
        whole = self.columns.encoding is None
        if self.engine.raw_logits is not None and not (propagated or isinstance(x, Encoded)):
            return self.engine.raw_logits(self.columns.numbers(x))
        if propagated or (self.engine.preprocesses and edge_index is None and whole):
            named = self.width == self.num_features and whole  # features concatenated over hops have no names
            rows = as_rows(self.columns.align(x) if named else x, self.width)
        else:
            rows = self._prepared(x, edge_index, nodes)
        return self.engine.logits(rows)

    @np.errstate(all="ignore")
    def prepare(self, x: Any, edge_index: Any = None, edge_weight: Any = None, nodes: Any = None) -> Rows:
        """Converts raw rows to rows as the student was trained on.

        Args:
            x: ``[B, D]`` raw rows.
            edge_index: see ``predict_proba``.
            edge_weight: see ``predict_proba``.
            nodes: see ``predict_proba``.

        Returns:
            ``[B, D']``: an array, or scipy CSR if ``x`` is sparse.

        Raises:
            GraphKDError: wrong width or columns, NaN, or a student with hops.
        """
        return self._prepared(x, edge_index, nodes)

    def _prepared(self, x: Any, edge_index: Any, nodes: Any) -> Rows:
        if not self.parts.features:  # positions alone: there are no features to read
            rows = np.zeros((count_nodes(x, nodes), 0), dtype=np.float32)
            return self._with_positions(rows, edge_index, nodes)
        rows = as_rows(self.columns.align(x), self.num_features)
        if self.hops and edge_index is None:
            raise GraphKDError(
                f"this student was trained on features propagated over {self.hops} hops: pass edge_index=, "
                "or rows from prepare() with propagated=True"
            )
        if self.hops:
            raise GraphKDError(
                f"the {self.runtime} runtime propagates nothing over a graph: take rows from prepare() of "
                "load_bundle(…, runtime='torch') and pass them with propagated=True"
            )
        rows = rows if self._as_they_are else preprocess(rows, self._features, self._row_normalize)
        return self._with_positions(rows, edge_index, nodes) if self.parts.dim else rows

    def _with_positions(self, rows: Rows, edge_index: Any, nodes: Any) -> Rows:
        if edge_index is not None:
            raise GraphKDError(
                f"the {self.runtime} runtime reads no neighbours: take rows from prepare() of "
                "load_bundle(…, runtime='torch') and pass them with propagated=True, or leave edge_index out"
            )
        numbers = check_nodes(nodes, rows.shape[0], self.parts.nodes)
        vectors = self._bundle.inputs["positions"][numbers]
        vectors[numbers < 0] = 0
        return np.hstack([dense(rows), vectors])
