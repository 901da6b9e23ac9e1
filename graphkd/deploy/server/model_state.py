"""A loaded student with its feature store, and validation errors that name the invalid field of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.files import Bundle, read_bundle
from graphkd.deploy.loading import row_predictor
from graphkd.deploy.names import Encoded
from graphkd.deploy.server.columns import MOST, example_row, kinds_of
from graphkd.deploy.server.errors import RefusedError, wrong
from graphkd.deploy.server.settings import Settings
from graphkd.deploy.server.shown import shown
from graphkd.deploy.store import FeatureStore
from graphkd.deploy.store.node_ids import NodeError
from graphkd.deploy.store.settings import settings_for
from graphkd.errors import GraphKDError
from graphkd.io.rows import preprocess

FloatArray = NDArray[np.float32]
Ids = NDArray[np.int64]


class ModelState:
    """The student, its preprocessing and its feature store in one worker.

    Args:
        settings: of the server.

    Raises:
        GraphKDError: a requirement of the runtime is missing, the store was built for another student, or the card
            cannot be encoded as JSON.
    """

    def __init__(self, settings: Settings) -> None:
        self.name, self.scores = settings.name, settings.scores
        bundle = read_bundle(settings.bundle)
        self.model = row_predictor(bundle, settings.runtime)
        description = bundle.description
        self.num_classes = int(description["student"]["arguments"]["num_classes"])
        self._steps = description["preprocessing"]
        self.store = None if settings.store is None else _store_of(settings.store, bundle)
        self.card = shown(self._card(), bundle.folder)
        """Response of ``/card``; names are strings, since a browser rounds large numbers."""

    def rows(self, table: NDArray[Any], field: str, propagated: bool) -> FloatArray:
        """Converts rows of a request to the student's input.

        Args:
            table: ``[B, D]`` numbers, or ``[B, D']`` propagated ones.
            field: the request's field that contains them.
            propagated: whether they are propagated.

        Raises:
            RefusedError: 422, they are raw and the student reads more of the graph, or a number is not finite.
        """
        if not self.model.parts.is_raw and not propagated:
            raise wrong(field, self.why_not_raw)
        rows = _finite(table, field)
        if propagated or self.model.engine.preprocesses:
            return rows
        prepared: FloatArray = preprocess(rows, self._steps["features"], self._steps["row_normalize"])
        return prepared

    def positions(self, labels: Sequence[str], field: str) -> list[int]:
        """Returns the position of each feature among the request's columns; all columns if it has no names.

        Args:
            labels: of the columns.
            field: the request's field that contains them.

        Raises:
            RefusedError: 422, a column is missing or duplicated.
        """
        try:
            positions = self.model.columns.positions(labels)
        except GraphKDError as error:
            raise wrong(field, str(error)) from None
        if positions is None and len(labels) != self.model.num_features:
            raise wrong(field, f"this student takes {self.model.num_features} features, not {len(labels)}")
        return [*range(len(labels))] if positions is None else positions

    def stored(self, nodes: Sequence[Any] | Ids, field: str) -> FloatArray:
        """Returns the rows ``[B, D']`` of nodes in the store.

        Args:
            nodes: ids ``[B]``, see ``FeatureStore.numbers_of``.
            field: the request's field that contains them.

        Raises:
            RefusedError: 422, there is no store or no such node.
        """
        store = self._store(field)
        try:
            return store.rows(store.numbers_of(nodes))
        except NodeError as error:
            raise wrong(f"{field}.{error.index}", str(error)) from None
        except GraphKDError as error:  # deleted meanwhile
            raise wrong(field, str(error)) from None

    def newcomers(
        self, table: NDArray[Any], neighbours: Sequence[Any], weights: Sequence[Any] | None, field: str
    ) -> FloatArray:
        """Computes the rows ``[B, D']`` of nodes that are not in the store, see ``FeatureStore.row_for``.

        Args:
            table: ``[B, D]`` raw features.
            neighbours: per node, the ids of its neighbours.
            weights: per node, the weights of the edges to them.
            field: the request's field that contains the features.

        Raises:
            RefusedError: 422, there is no store or no such neighbour, or a number is not finite.
        """
        store, rows = self._store("neighbours"), _finite(table, field)
        result = np.empty((rows.shape[0], self.model.width), dtype=np.float32)
        for index, row in enumerate(rows):
            edge_weights = None if weights is None else weights[index]
            try:
                result[index] = store.row_for(Encoded(row), store.numbers_of(neighbours[index]), edge_weights)
            except GraphKDError as error:
                raise wrong(f"neighbours.{index}", str(error)) from None
        return result

    def logits(self, rows: FloatArray) -> FloatArray:
        """Computes the logits ``[B, C]`` of preprocessed and propagated rows ``[B, D']``."""
        result: FloatArray = self.model.engine.logits(rows)
        return result

    def scores_of(self, logits: FloatArray, field: str) -> FloatArray:
        """Computes the probabilities ``[B, C]``, or predicted numbers, of logits ``[B, C]``.

        Raises:
            RefusedError: 422, the features are so large that the logits overflowed.
        """
        if not np.isfinite(logits).all():
            row = int((~np.isfinite(logits)).any(axis=1).argmax())
            raise wrong(f"{field}.{row}", "numbers too large for this student, whose logits overflow: scale them")
        return self.model.answers.scores(logits, self.model.engine.softmax)

    @property
    def why_not_raw(self) -> str:
        """Error message for raw rows sent to a student with hops or positions."""
        ways = "propagated rows (with propagated = true)"
        if self.store is not None:
            ways = f"nodes, raw rows with their neighbours, or {ways}"
        else:
            ways += "; started with --store, the server also takes node ids"
        hops = self.model.hops
        reads = f"was trained on features propagated over {hops} hops" if hops else "reads positions of nodes"
        return f"this student {reads}: send {ways}"

    @property
    def node_ids(self) -> str | None:
        """Kind of the ids that nodes have in the data, one of ``KINDS``; None if they are numbers of the store."""
        ids = None if self.store is None else self.store.node_ids
        return None if ids is None else ids.kind

    def _card(self) -> dict[str, Any]:
        names = self.model.class_names
        return {
            "name": self.name,
            "runtime": self.model.runtime,
            "features": self.model.num_features,
            "propagated_features": self.model.width,
            "hops": self.model.hops,
            "positions": self.model.parts.dim,
            "task": self.model.task,
            "classes": self.num_classes,
            "class_names": names and [str(name) for name in names],
            "feature_names": self.model.feature_names,
            "columns": kinds_of(self.model.columns),
            "example": self._example(),
            "nodes": self.store is not None,
            "node_ids": self.node_ids,
            "weighted": self.store is not None and self.store.settings.weighted,
            "card": self.model.card,
            "scores": self.scores,
        }

    def _example(self) -> dict[str, Any] | None:
        """Returns a body of ``/predict`` that is answered, or None where one would be too long."""
        if self.model.parts.is_raw:
            row = example_row(self.model.columns)
            if row is None and self.model.columns.names is None and self.model.num_features <= MOST:
                return {"rows": [[0.0] * self.model.num_features]}
            return None if row is None else {"rows": [row]}
        nodes = self.store.nodes[:1].tolist() if self.store is not None else []
        ids = self.store.node_ids if self.store is not None else None
        if not nodes:
            return None
        return {"nodes": [ids.ids[nodes[0]]] if ids is not None and nodes[0] < len(ids.ids) else nodes}

    def _store(self, field: str) -> FeatureStore:
        if self.store is None:
            raise wrong(field, "this server knows no nodes: start it with --store")
        return self.store


def _store_of(path: str, bundle: Bundle) -> FeatureStore:
    """Opens the store for reading, and checks that it was built for this student."""
    store = FeatureStore(path)
    directed = store.settings.directed
    if store.settings != settings_for(bundle, directed):
        raise GraphKDError(
            f"{store.path} was built for another preprocessing, propagation, width or other positions than "
            f"{bundle.folder}: build it with graphkd store"
        )
    return store


def _finite(table: NDArray[Any], field: str) -> FloatArray:
    """Converts to float32 in C order; an entry that is not finite is refused by its row and column."""
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(table, dtype=np.float32)
    if not np.isfinite(rows).all():
        row, column = (int(index) for index in np.argwhere(~np.isfinite(rows))[0])
        raise RefusedError(422, "no finite number of float32: fill or drop it", f"{field}.{row}.{column}")
    return rows
