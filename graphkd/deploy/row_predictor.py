"""Rows in, classes out, without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.classes import Classes, ClassName, check_numbers
from graphkd.deploy.files import Bundle
from graphkd.deploy.names import Columns
from graphkd.errors import GraphKDError
from graphkd.io.rows import Rows, as_rows, preprocess


@dataclass(frozen=True)
class Engine:
    """What computes a student.

    Args:
        name: of the runtime.
        logits: checked rows ``[B, D']``, an array or CSR → ``[B, C]``.
        softmax: logits ``[B, C]`` → probabilities ``[B, C]``.
        preprocesses: whether ``logits`` takes raw rows; prepared ones too, since twice is as once.
    """

    name: str
    logits: Callable[[Rows], NDArray[np.float32]]
    softmax: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    preprocesses: bool = False


class RowPredictor:
    """A student with the preprocessing it was trained with, in a runtime that needs no torch.

    Args:
        bundle: what the preprocessing, the names and the card are read from.
        width: ``D'`` of the student.
        engine: computes the student.
    """

    def __init__(self, bundle: Bundle, width: int, engine: Engine) -> None:
        description = bundle.description
        steps, propagation = description["preprocessing"], description["propagation"]
        self.engine, self.width, self.hops = engine, width, int(propagation["hops"])
        self.num_features = width // (self.hops + 1) if propagation.get("pooling") == "concat" else width
        self._features, self._row_normalize = str(steps["features"]), bool(steps["row_normalize"])
        self._as_they_are = self._features == "stored" and not self._row_normalize
        self.class_names: list[ClassName] | None = description["class_names"]
        self.card = description["card"]
        self.feature_names: list[str] | None = description.get("feature_names")
        self._bundle, self.columns = bundle, Columns(self.feature_names)
        self._classes = Classes(self.class_names)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles hold the bundle's bytes, from which the engine is made again."""
        from graphkd.deploy.loading import row_predictor

        return row_predictor, (self._bundle, self.runtime)

    @property
    def runtime(self) -> str:
        """Its name."""
        return self.engine.name

    def predict(
        self, x: Any, edge_index: Any = None, propagated: bool = False, edge_weight: Any = None
    ) -> NDArray[Any]:
        """The most probable class of each row, ``[B]``; see ``predict_proba``.

        Returns:
            Names where the classes have such, in their own type, else numbers ``0 … C − 1``.
        """
        return self._classes.best(self.logits(x, edge_index, propagated, edge_weight))

    @np.errstate(all="ignore")  # whatever the caller has set: as silent as torch
    def predict_proba(
        self, x: Any, edge_index: Any = None, propagated: bool = False, edge_weight: Any = None
    ) -> NDArray[np.float32]:
        """Class probabilities.

        Args:
            x: ``[B, D]`` raw rows: array, data frame, nested lists, scipy sparse, tensor; preprocessed here. The
                columns of a frame are taken by name where the student knows names, see ``Columns.align``.
            edge_index: nothing; where the student has hops, only the torch runtime propagates over a graph.
            propagated: ``x`` are propagated rows ``[B, D']`` and are used as they are.
            edge_weight: nothing.

        Returns:
            ``[B, C]``, rows sum to 1.

        Raises:
            GraphKDError: wrong width or columns, NaN, raw rows for a student with hops, or answers that overflow.
        """
        proba = self.engine.softmax(self.logits(x, edge_index, propagated, edge_weight))
        check_numbers(proba[:, 0])
        return proba

    @np.errstate(all="ignore")
    def logits(
        self, x: Any, edge_index: Any = None, propagated: bool = False, edge_weight: Any = None
    ) -> NDArray[np.float32]:
        """``[B, C]`` before the softmax; see ``predict_proba``."""
        if propagated or (self.engine.preprocesses and edge_index is None):
            named = self.width == self.num_features  # those of pooled hops have no names
            rows = as_rows(self.columns.align(x) if named else x, self.width)
        else:
            rows = self._prepared(x, edge_index)
        return self.engine.logits(rows)

    @np.errstate(all="ignore")
    def prepare(self, x: Any, edge_index: Any = None, edge_weight: Any = None) -> Rows:
        """Raw rows → rows as the student was trained on.

        Args:
            x: ``[B, D]`` raw rows.
            edge_index: see ``predict_proba``.
            edge_weight: likewise.

        Returns:
            ``[B, D']``: an array, or scipy CSR where ``x`` is sparse.

        Raises:
            GraphKDError: wrong width or columns, NaN, or a student with hops.
        """
        return self._prepared(x, edge_index)

    def _prepared(self, x: Any, edge_index: Any) -> Rows:
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
        return rows if self._as_they_are else preprocess(rows, self._features, self._row_normalize)
