"""Distillation as a scikit-learn estimator."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch_geometric.data import Data

from graphkd.api import distill
from graphkd.balance import Balance
from graphkd.calibration import Calibration
from graphkd.callbacks import Callback
from graphkd.classes import class_array
from graphkd.cluster import Ray
from graphkd.columns import ColumnEncoding
from graphkd.datasets import Preprocessing
from graphkd.datasets.custom.labels import plain_labels
from graphkd.deploy.names import Encoded
from graphkd.encoders import Encoder
from graphkd.errors import GraphKDError
from graphkd.matching import Matching
from graphkd.methods import Method
from graphkd.runs import Run
from graphkd.spec import Factory
from graphkd.tasks import Regression
from graphkd.tasks.choice import task_of
from graphkd.terms import Term
from graphkd.training.settings import Training
from graphkd.transforms import Transform

NESTED = "training__"
"""Prefix of the settings of ``training`` among the parameters."""


class GraphEstimator(BaseEstimator):  # type: ignore[misc]
    """What the estimators share: the arguments of ``graphkd.distill``, ``fit`` and the rows of a graph."""

    tasks: ClassVar[tuple[str, ...]] = ()
    other: ClassVar[str] = ""
    """The estimator of the other tasks."""

    def __init__(
        self,
        teacher: str | Factory = "gcn",
        student: str | Factory = "mlp",
        method: str | Method = "glnn",
        matching: str | Matching = "none",
        influence: str | Callable[..., Tensor] | None = None,
        setting: str = "transductive",
        transform: str | Transform = "none",
        calibration: str | Calibration = "none",
        term: str | Term = "none",
        encoder: str | Encoder = "auto",
        balance: str | Balance = "none",
        training: Training | None = None,
        preprocessing: Preprocessing | None = None,
        seed: int = 0,
        device: str = "auto",
        cache_dir: str | os.PathLike[str] | None = None,
        memory_budget: float | None = None,
        table_dtype: str = "float32",
        cluster: Ray | None = None,
        baseline: bool = True,
        calibrate: bool = False,
        callbacks: Iterable[Callback] = (),
    ) -> None:
        self.teacher, self.student, self.method, self.matching = teacher, student, method, matching
        self.influence, self.setting, self.training = influence, setting, training
        self.transform, self.calibration, self.term, self.encoder = transform, calibration, term, encoder
        self.balance = balance
        self.preprocessing, self.seed, self.device = preprocessing, seed, device
        self.cache_dir, self.memory_budget, self.table_dtype = cache_dir, memory_budget, table_dtype
        self.cluster = cluster
        self.baseline, self.calibrate, self.callbacks = baseline, calibrate, callbacks

    def __sklearn_tags__(self) -> Any:
        """Returns scikit-learn's tags: labels are part of the graph, rows may be sparse."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required, tags.input_tags.sparse = False, True
        return tags

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the arguments; ``deep`` adds those of ``training``, such as ``training__lr``."""
        params: dict[str, Any] = super().get_params(deep=deep)
        nested = asdict(self.training or Training()) if deep else {}
        return {**params, **{f"{NESTED}{name}": value for name, value in nested.items()}}

    def set_params(self, **params: Any) -> Self:
        """Sets arguments, or settings of ``training`` by names such as ``training__lr``.

        Raises:
            ValueError: an argument is unknown.
            GraphKDError: a setting of ``training`` is outside its range.
        """
        nested = {name: params.pop(name) for name in [*params] if name.startswith(NESTED)}
        if unknown := [name for name in nested if name not in self.get_params()]:
            raise ValueError(
                f"Invalid parameter {unknown[0]!r}: {NESTED} goes with the arguments of graphkd.Training"
            )
        super().set_params(**params)
        if nested:
            changes = {name.removeprefix(NESTED): value for name, value in nested.items()}
            self.training = replace(self.training or Training(), **changes)
        return self

    def fit(self, data: Data | list[Data], y: None = None) -> Self:
        """Trains the teacher and its student.

        Args:
            data: a graph with labels and masks: from ``graphkd.from_networkx``, ``from_scipy``, ``from_frames`` or
                ``load_dataset``, or any ``torch_geometric`` ``Data``; or a list of one, as searches pass it.
            y: ignored argument of scikit-learn's API, must be None; labels are part of the graph.

        Returns:
            This estimator.

        Raises:
            GraphKDError: no graph, or invalid data, names or settings.
        """
        graph = _graph(data, y)
        if (task := _task_of(graph)) not in self.tasks:
            raise GraphKDError(f"the labels are those of task {task}: use {self.other}")
        run = distill(graph, **self.get_params(deep=False))
        self._keep(run)
        return self

    def _keep(self, run: Run) -> None:
        """Sets the attributes of a fitted estimator."""
        graph = run.result.graph
        self.run_, self.predictor_ = run, run.predictor
        self.n_features_in_ = graph.num_features
        if graph.feature_names is not None:
            self.feature_names_in_ = np.array(self.predictor_.feature_names, dtype=object)
            self.n_features_in_ = len(self.feature_names_in_)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_  # of an earlier fit

    def _rows(self, data: Data) -> Any:
        names, encoding = getattr(data, "feature_names", None), self.run_.result.graph.column_encoding
        if encoding is not None and not encoding.is_identity:
            return self._encoded(data, encoding)
        return data.x if names is None else self.predictor_.columns.select(data.x, [str(name) for name in names])

    @staticmethod
    def _encoded(data: Data, encoding: ColumnEncoding) -> Encoded:
        """Returns the features of a graph that was read with the encoding of the fitted one."""
        if getattr(data, "column_encoding", None) != encoding:
            raise GraphKDError(
                "data's columns are encoded by other training nodes than those of fit: read it with "
                "from_frames(…, columns=DATA.column_encoding) of the fitted data, or pass a data frame of raw rows"
            )
        return Encoded(data.x)

    def _of(self, x: Any, edge_index: Tensor | None, edge_weight: Tensor | None) -> tuple[Any, Any, Any]:
        """Returns rows, edges and weights of the arguments of a prediction, of a graph or of rows."""
        check_is_fitted(self, "run_")
        if isinstance(x, Data):
            return self._rows(x), x.edge_index, getattr(x, "edge_weight", None)
        return x, edge_index, edge_weight

    def _known(
        self, x: Any, y: Any, edge_index: Tensor | None, edge_weight: Tensor | None, what: str
    ) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Returns labels or numbers ``[n, C]`` of the rows where all are known, and the predictions of these rows.

        Args:
            x: as in ``score``; so are the others.
            y: None for the validation nodes of a graph ``x``.
            edge_index: see ``x``.
            edge_weight: see ``x``.
            what: of ``y``, for error messages.

        Raises:
            GraphKDError: their shape is not that of the predictions, or no row has all of them.
        """
        if y is None:
            graph = _graph(x, y)
            y, given = graph.y[graph.val_mask], self.predict(graph)[graph.val_mask.numpy()]
        else:
            given = self.predict(x, edge_index, edge_weight)
        table = np.asarray(y, dtype=np.float64)
        if table.shape != given.shape:
            raise GraphKDError(
                f"y is {list(table.shape)} for predictions {list(given.shape)}: give as many {what}"
            )
        table, given = table.reshape(len(table), -1), given.reshape(len(given), -1)
        known = np.isfinite(table).all(axis=1)
        if not known.any():
            raise GraphKDError(f"y holds no row whose {what} are known: give some")
        return table[known], given[known]


class GraphDistiller(ClassifierMixin, GraphEstimator):  # type: ignore[misc]
    """Estimator for ``graphkd.distill``: ``fit`` on a graph, ``predict`` on rows.

    The arguments are those of ``graphkd.distill``; nested parameters such as ``training__lr`` are settings of
    ``training``, for ``set_params`` and searches. Predicted labels have the values and type of the graph's labels.

    A graph's rows cannot be split into folds, since they depend on each other: ``cross_val_score`` and
    ``GridSearchCV`` take a list of graphs, each with its own masks, and folds that fit and score the same one, on
    its validation nodes:
    ``GridSearchCV(GraphDistiller(), {"training__lr": [0.01, 0.1]}, cv=[([0], [0])]).fit([data])``, and
    ``cross_val_score(GraphDistiller(), graphs, cv=[([i], [i]) for i in range(len(graphs))])``.

    Attributes:
        classes_: ``[C]`` the classes, in the order of ``predict_proba``: the data's ``class_names``, else indices.
        n_features_in_: ``D``.
        feature_names_in_: ``[D]`` names of the features, where the data has them; a data frame's columns are
            selected by these names.
        run_: the ``graphkd.runs.Run``: metrics, teacher, student, ``save``.
        predictor_: the student with its preprocessing.

    >>> from graphkd import load_dataset
    >>> data = load_dataset("digits")
    >>> model = GraphDistiller(method="glnn", training=Training(max_epochs=20), baseline=False).fit(data)
    >>> model.predict(data.x[:3]).shape, model.predict_proba(data.x[:3]).shape
    ((3,), (3, 10))
    """

    tasks = ("multiclass", "binary", "multilabel")
    other = "graphkd.GraphDistillerRegressor"

    def _keep(self, run: Run) -> None:
        super()._keep(run)
        graph = run.result.graph
        self.classes_ = class_array(graph.class_names, graph.num_classes)

    def predict(self, x: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None) -> NDArray[Any]:
        """Returns the most probable class of each row, ``[B]`` values of ``classes_``; see ``predict_proba``.

        Of several labels per row 0 and 1, ``[B, L]``, as scikit-learn's classifiers do.
        """
        proba = self.predict_proba(x, edge_index, edge_weight)
        if self.predictor_.task == "multilabel":
            return self.predictor_.answers.best(proba)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def predict_proba(
        self, x: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None
    ) -> NDArray[np.float32]:
        """Computes class probabilities.

        Args:
            x: ``[B, D]`` raw rows: array, data frame, tensor, scipy or torch sparse; or a whole graph as ``Data``.
                Columns of a frame, and of ``Data`` with ``feature_names``, are selected by name where ``fit`` had
                names.
            edge_index: ``[2, E]`` where ``x`` are all nodes of a graph; required by a student that was trained on
                propagated features.
            edge_weight: ``[E]`` where the graph has weights.

        Returns:
            ``[B, C]``, rows sum to 1; of several labels per row, the probability of each.

        Raises:
            NotFittedError: ``fit`` was not called.
            GraphKDError: rows of another width or other columns, or no graph where one is required.
        """
        x, edge_index, edge_weight = self._of(x, edge_index, edge_weight)
        return self.predictor_.predict_proba(x, edge_index, edge_weight=edge_weight)

    def score(
        self, x: Any, y: Any = None, edge_index: Tensor | None = None, edge_weight: Tensor | None = None
    ) -> float:
        """Computes the accuracy over the rows whose label is known; of several labels, of rows all right.

        Args:
            x: as in ``predict_proba``; or a list of one graph, as searches pass it.
            y: None, where ``x`` is a graph: its validation nodes are scored then. Else ``[B]`` class names; a
                tensor, such as ``data.y``, contains class indices. ``None``, NaN, the empty string and −1 (where
                it is no class) mean unknown.
            edge_index: as in ``predict_proba``.
            edge_weight: as in ``predict_proba``.

        Raises:
            NotFittedError: ``fit`` was not called.
            GraphKDError: no label is known, or no label is one of the classes.
        """
        check_is_fitted(self, "run_")
        if self.predictor_.task == "multilabel":
            table, given = self._known(x, y, edge_index, edge_weight, "labels")
            return float(np.mean((table == given).all(axis=1)))
        if y is None:
            x = _graph(x, y)
            y = torch.where(x.val_mask, torch.as_tensor(x.y).reshape(-1).long(), -1)
        numbers = self.predict_proba(x, edge_index, edge_weight).argmax(axis=1)
        classes = np.arange(len(self.classes_)) if isinstance(y, Tensor) else self.classes_
        labels, class_set = plain_labels(y, "y"), set(classes.tolist())
        if len(labels) != len(numbers):
            raise GraphKDError(f"y has {len(labels)} labels for {len(numbers)} rows: give one per row")
        if not class_set & set(labels):
            raise GraphKDError(
                f"y holds none of the classes {', '.join(map(repr, classes.tolist()))}: give the labels that the "
                "graph was made from, or class numbers as a tensor"
            )
        hits = [
            label == guess
            for label, guess in zip(labels, classes[numbers].tolist(), strict=True)
            if label is not None and (label != -1 or -1 in class_set)
        ]
        return float(np.mean(hits))


class GraphDistillerRegressor(RegressorMixin, GraphEstimator):  # type: ignore[misc]
    """Estimator for ``graphkd.distill`` of a graph whose nodes have numbers: ``fit`` on it, ``predict`` on rows.

    The arguments are those of ``GraphDistiller``; predictions are in the units of the graph's targets.

    Attributes:
        n_features_in_: ``D``.
        feature_names_in_: ``[D]`` names of the features, where the data has them.
        run_: the ``graphkd.runs.Run``: metrics, teacher, student, ``save``.
        predictor_: the student with its preprocessing.

    >>> from graphkd import load_dataset
    >>> data = load_dataset("digits")
    >>> data.y, data.task, data.metric = 1000.0 + data.y, "regression", "r2"
    >>> model = GraphDistillerRegressor(training=Training(max_epochs=20), baseline=False).fit(data)
    >>> model.predict(data.x[:3]).shape, model.score(data) > 0.4
    ((3,), True)
    """

    tasks = ("regression",)
    other = "graphkd.GraphDistiller"

    def predict(self, x: Any, edge_index: Tensor | None = None, edge_weight: Tensor | None = None) -> NDArray[Any]:
        """Returns the number of each row, ``[B]``, or ``[B, T]`` of several targets.

        Args:
            x: as for ``GraphDistiller.predict_proba``.
            edge_index: likewise.
            edge_weight: likewise.

        Raises:
            NotFittedError: ``fit`` was not called.
            GraphKDError: rows of another width or other columns, or no graph where one is required.
        """
        x, edge_index, edge_weight = self._of(x, edge_index, edge_weight)
        return self.predictor_.predict(x, edge_index, edge_weight=edge_weight)

    def score(
        self, x: Any, y: Any = None, edge_index: Tensor | None = None, edge_weight: Tensor | None = None
    ) -> float:
        """Computes R², the mean over targets, over the rows whose numbers are known.

        Args:
            x: as in ``predict``; or a list of one graph, as searches pass it.
            y: None, where ``x`` is a graph: its validation nodes are scored then. Else ``[B]`` or ``[B, T]``, NaN
                where unknown.
            edge_index: as in ``predict``.
            edge_weight: as in ``predict``.

        Raises:
            NotFittedError: ``fit`` was not called.
            GraphKDError: no number is known, or their shape is another.
        """
        check_is_fitted(self, "run_")
        table, given = self._known(x, y, edge_index, edge_weight, "numbers")
        return Regression().score("r2", torch.from_numpy(given), torch.from_numpy(table))


def _task_of(data: Data) -> str:
    """Returns the name of a graph's task, or that of classes where the graph is not valid, as ``fit`` says."""
    try:
        return task_of(data).name
    except (GraphKDError, AttributeError, TypeError, RuntimeError):
        return "multiclass"


def _graph(data: Any, y: Any) -> Data:
    """Returns the graph, also from a list of one.

    Raises:
        GraphKDError: the arguments are something else, such as rows and labels of a fold.
    """
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if isinstance(data, Data) and y is None:
        return data
    kind = f"{len(data)} graphs" if isinstance(data, list) else f"a {type(data).__name__}"
    raise GraphKDError(
        f"fit needs one torch_geometric Data with its labels, but got {kind}{'' if y is None else ' and y'}: "
        "make one with graphkd.from_networkx, from_scipy or from_frames; rows cannot be cut into folds, so "
        "cross_val_score and GridSearchCV take a list of graphs and cv=[([0], [0])]"
    )
