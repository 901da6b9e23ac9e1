"""A distillation with scikit-learn's habits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch_geometric.data import Data

from graphkd.api import distill
from graphkd.datasets import Preprocessing
from graphkd.datasets.own.labels import plain_labels
from graphkd.errors import GraphKDError
from graphkd.matching import Matching
from graphkd.methods import Method
from graphkd.recipe import Factory
from graphkd.training.settings import Training


class GraphDistiller(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """``graphkd.distill`` as an estimator: ``fit`` on a graph, ``predict`` on rows.

    The arguments are those of ``graphkd.distill``. Labels come back in the terms they were given in.

    Attributes:
        classes_: ``[C]`` the classes, in the order of ``predict_proba``: the data's ``class_names``, else numbers.
        n_features_in_: ``D``.
        feature_names_in_: ``[D]`` names of the features, where the data has them; a data frame's columns are taken by
            these names.
        run_: the ``graphkd.runs.Run``: metrics, teacher, student, ``save``.
    """

    def __init__(
        self,
        teacher: str | Factory = "gcn",
        student: str | Factory = "mlp",
        method: str | Method = "glnn",
        matching: str | Matching = "none",
        influence: str | Callable[..., Tensor] | None = None,
        setting: str = "transductive",
        training: Training | None = None,
        preprocessing: Preprocessing | None = None,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        self.teacher, self.student, self.method, self.matching = teacher, student, method, matching
        self.influence, self.setting, self.training = influence, setting, training
        self.preprocessing, self.seed, self.device = preprocessing, seed, device

    def fit(self, data: Data, y: None = None) -> GraphDistiller:
        """Trains the teacher and its student.

        Args:
            data: a graph with labels and masks: of ``graphkd.from_networkx``, ``from_scipy``, ``from_frames`` or
                ``load_dataset``, or your own ``torch_geometric`` ``Data``.
            y: there for scikit-learn's habits; labels are part of the graph, whose rows cannot be cut into folds.

        Returns:
            This estimator.

        Raises:
            GraphKDError: no graph, or data, names and settings that cannot be right.
        """
        if not isinstance(data, Data) or y is not None:
            raise GraphKDError(
                f"fit needs one torch_geometric Data with its labels, but got a {type(data).__name__}"
                f"{'' if y is None else ' and y'}: make one with "
                "graphkd.from_networkx, from_scipy or from_frames"
            )
        run = distill(data, **self.get_params(deep=False))
        names = getattr(data, "class_names", None)
        self.run_ = run
        self.classes_ = np.arange(run.result.graph.num_classes) if names is None else np.asarray(names)
        self.n_features_in_ = run.result.graph.num_features
        if run.result.graph.feature_names is not None:
            self.feature_names_in_ = np.asarray(run.result.graph.feature_names, dtype=object)
        return self

    def predict(self, x: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None) -> NDArray[Any]:
        """The most probable class of each row, ``[B]`` values of ``classes_``; see ``predict_proba``."""
        proba = self.predict_proba(x, edge_index, edge_weight)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def predict_proba(
        self, x: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None
    ) -> NDArray[np.float32]:
        """Class probabilities.

        Args:
            x: ``[B, D]`` raw rows: array, data frame, tensor, scipy or torch sparse; or a whole graph as ``Data``.
            edge_index: ``[2, E]`` where ``x`` are all nodes of a graph; needed by a student that was trained on
                propagated features.
            edge_weight: ``[E]`` where the graph has weights.

        Returns:
            ``[B, C]``, rows sum to 1.

        Raises:
            NotFittedError: ``fit`` was not called.
            GraphKDError: rows of another width, or no graph where one is needed.
        """
        check_is_fitted(self, "run_")
        if isinstance(x, Data):
            x, edge_index, edge_weight = x.x, x.edge_index, getattr(x, "edge_weight", None)
        return self.run_.predictor.predict_proba(x, edge_index, edge_weight=edge_weight)

    def score(self, x: Any, y: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None) -> float:
        """Accuracy over the rows whose label is known.

        Args:
            x: as in ``predict_proba``.
            y: ``[B]`` labels in your own terms; a tensor, such as ``data.y``, holds class numbers. ``None``, NaN,
                the empty text and −1 (where it is no class) are unknown.
            edge_index: as in ``predict_proba``.
            edge_weight: as in ``predict_proba``.

        Raises:
            NotFittedError: ``fit`` was not called.
            GraphKDError: no label is known, or none is one of the classes.
        """
        numbers = self.predict_proba(x, edge_index, edge_weight).argmax(axis=1)
        classes = np.arange(len(self.classes_)) if isinstance(y, Tensor) else self.classes_
        labels, known = plain_labels(y, "y"), set(classes.tolist())
        if len(labels) != len(numbers):
            raise GraphKDError(f"y has {len(labels)} labels for {len(numbers)} rows: give one per row")
        if not known & set(labels):
            raise GraphKDError(
                f"y holds none of the classes {', '.join(map(repr, classes.tolist()))}: give the labels that the "
                "graph was made from, or class numbers as a tensor"
            )
        hits = [
            label == guess
            for label, guess in zip(labels, classes[numbers].tolist(), strict=True)
            if label is not None and (label != -1 or -1 in known)
        ]
        return float(np.mean(hits))
