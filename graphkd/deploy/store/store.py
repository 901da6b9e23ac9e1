"""The feature store's public class."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from graphkd.atomic_io import as_path
from graphkd.deploy.files import read_bundle
from graphkd.deploy.nodes import count_nodes
from graphkd.deploy.store import operations
from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.build import build
from graphkd.deploy.store.inputs import Ids, Weights, as_ids, check_id, check_known, width_of
from graphkd.deploy.store.lists import Neighbours
from graphkd.deploy.store.new_ids import NewIds
from graphkd.deploy.store.new_node import new_node_hops
from graphkd.deploy.store.node_ids import NodeIds, check_named, read_ids
from graphkd.deploy.store.positions import means_of, positions_of
from graphkd.deploy.store.reading import Reader
from graphkd.deploy.store.settings import Settings, settings_for
from graphkd.deploy.store.transaction import Transaction
from graphkd.deploy.store.verify import damaged
from graphkd.deploy.store.writer import Writer
from graphkd.errors import GraphKDError
from graphkd.io.frame import names_of

T = TypeVar("T")


class FeatureStore:
    """Rows ``POOL({X, ÃX, …, Ã^P X})`` of a changing graph, on disk, read in microseconds; needs numpy alone.

    One process may write while any number read; each read sees one version. Ids are 0 to N − 1 when built, and new
    nodes get the following ones; the id of a deleted node is invalid and never reused.

    These ids are numbers; a store built with ``node_ids`` finds them by the ids of the data, see ``numbers_of``.

    Every update recomputes exactly the rows that depend on it, bitwise equal to those of a new store of the
    changed graph. Updates are atomic and durable: an update is on disk when the method returns; if the process is
    killed before, the store is as before or as after it. In an undirected graph, an edge stands for both
    directions.

    Args:
        path: a folder created by ``build`` or ``for_bundle``.
        write: whether to open it for writing.

    Raises:
        GraphKDError: there is no store, it is damaged, its schema version differs, or another process writes to
            it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with FeatureStore.build(folder + "/store", np.eye(3), [[0, 1], [1, 0]], hops=1) as store:
    ...         number = store.insert_node([1.0, 0.0, 0.0], neighbours=[0])
    ...         number, store.rows([0, number]).shape
    ...
    (3, (2, 3))
    """

    def __init__(self, path: str | Path, write: bool = False) -> None:
        self.path = as_path(path, "the feature store")
        self._writer = Writer(self.path) if write else None
        self._reader = Reader(self.path)
        self._new_ids = NewIds(self.path)

    @classmethod
    def build(
        cls,
        path: str | Path,
        x: Any,
        edge_index: Any,
        edge_weight: Any = None,
        *,
        hops: int,
        self_loops: int = 1,
        pooling: str = "mean",
        features: str = "stored",
        row_normalize: bool = False,
        directed: bool = False,
        node_ids: Any = None,
    ) -> FeatureStore:
        """Builds a store of a whole graph.

        Args:
            path: of the folder, which must not exist.
            x: ``[N, D]`` raw rows: an array, a data frame, whose column names are stored, a scipy sparse matrix, a
                tensor or a torch sparse tensor.
            edge_index: ``[2, E]``, ``[sender, receiver]``; both directions of an undirected edge are listed.
            edge_weight: ``[E]``, or None for weight 1.
            hops: ``P``.
            self_loops: ``s`` in Ã over ``A + s I``.
            pooling: ``mean``, ``max``, ``min`` or ``concat``.
            features: ``stored``, or ``binary``: every non-zero entry is 1.
            row_normalize: whether to divide each row by the sum of its absolute values.
            directed: whether an edge may exist without its reverse.
            node_ids: ``[N]`` different texts and whole numbers, by which ``numbers_of`` finds nodes, or None.

        Returns:
            The store, open for writing.

        Raises:
            GraphKDError: ``path`` exists, or the graph is invalid.
        """
        weighted, names = edge_weight is not None, names_of(x)
        settings = Settings(
            width_of(x), hops, self_loops, pooling, features, row_normalize, weighted, directed, names
        )
        build(as_path(path, "the feature store"), settings, x, edge_index, edge_weight, node_ids=node_ids)
        return cls(path, write=True)

    @classmethod
    def for_bundle(
        cls,
        path: str | Path,
        bundle: str | Path,
        x: Any,
        edge_index: Any,
        edge_weight: Any = None,
        directed: bool = False,
        nodes: Any = None,
        node_ids: Any = None,
    ) -> FeatureStore:
        """Builds a store with the preprocessing, propagation and positions that a student was trained with.

        A node of training has its own position; any other node, and one that is inserted later, the mean of those
        of its neighbours that are nodes of training, zeros without any.

        Args:
            path: of the folder, which must not exist.
            bundle: a ``bundle`` folder, or a run folder that contains one.
            x: ``[N, D]`` raw rows, as for ``build``; may be None if the student reads positions alone.
            edge_index: ``[2, E]``.
            edge_weight: ``[E]`` if the student was trained on a weighted graph; unused if it has no hops.
            directed: whether an edge may exist without its reverse.
            nodes: ``[N]`` whole numbers, required if the student reads positions: the number of each node among
                those of training, −1 for another one; see ``Predictor.prepare``.
            node_ids: as for ``build``.

        Returns:
            The store, open for writing; ``load_bundle(bundle).predict(store.rows(nodes), propagated=True)``.

        Raises:
            GraphKDError: there is no bundle, or the graph does not match it.
        """
        read = read_bundle(bundle)
        settings, vectors = settings_for(read, directed), read.inputs.get("positions")
        x = x if settings.num_features else np.zeros((count_nodes(x, nodes), 0))
        edge_weight = edge_weight if settings.hops else None
        if settings.weighted != (edge_weight is not None):
            kind = "with" if settings.weighted else "without"
            raise GraphKDError(f"this student was trained on a graph {kind} edge weights: give one {kind} them")
        target = as_path(path, "the feature store")
        build(target, settings, x, edge_index, edge_weight, vectors, nodes, node_ids)
        return cls(path, write=True)

    @property
    def settings(self) -> Settings:
        """Preprocessing and propagation that the store was built with."""
        return self._reader.arrays.layout.settings

    @property
    def node_ids(self) -> NodeIds | None:
        """Ids that nodes have in the data that the store was built from, or were inserted with; or None.

        Raises:
            GraphKDError: a file of ids is missing or damaged.
        """
        if self._built_ids is not None:
            self._read(lambda arrays: self._new_ids.read(arrays.next_id))
        return self._built_ids

    @functools.cached_property
    def _built_ids(self) -> NodeIds | None:
        arrays = self._reader.arrays
        digest = arrays.layout.ids_sha256
        return None if digest is None else read_ids(self.path, digest, arrays.next_id, self._new_ids.numbers)

    def numbers_of(self, ids: Sequence[Any] | Ids) -> Ids:
        """Returns the numbers ``[B]`` of nodes that are given by their ids in the data.

        Where all ids are texts, or there are none, whole numbers are numbers of the store already, also those of
        nodes that were inserted without an id.

        Args:
            ids: ``[B]`` texts and whole numbers.

        Returns:
            ``[B]``, for ``rows``.

        Raises:
            NodeError: no node has the id or number, or it was deleted.
        """
        numbers = (self.node_ids or NodeIds(())).numbers_of(ids)
        self._read(partial(check_named, numbers, ids))
        return numbers

    def number_of(self, node_id: str | int) -> int:
        """Returns the number of the node with an id; see ``numbers_of``."""
        return int(self.numbers_of([node_id])[0])

    @property
    def nodes(self) -> Ids:
        """Numbers ``[n]`` of all nodes, ascending."""
        return self._read(lambda arrays: np.flatnonzero(arrays.alive[: arrays.next_id]))

    def row(self, node: int) -> NDArray[np.float32]:
        """Returns the student's row ``[D']`` of a node.

        Raises:
            GraphKDError: there is no such node.
        """
        return self._read(partial(_row, node=check_id(node)))

    def rows(self, nodes: Any) -> NDArray[np.float32]:
        """Returns the student's rows ``[B, D']`` of ``nodes [B]``, all of one version.

        Raises:
            GraphKDError: one of them does not exist.
        """
        return self._read(partial(_rows, ids=as_ids(nodes)))

    def neighbours(self, node: int) -> tuple[Ids, Weights]:
        """Returns the ids ``[n]`` and edge weights ``[n]`` of the nodes that send to ``node``.

        Raises:
            GraphKDError: there is no such node.
        """
        return self._read(partial(_neighbours, node=check_id(node)))

    def row_for(self, x: Any, neighbours: Any = (), weights: Any = None) -> NDArray[np.float32]:
        """Computes the row of a node that is not in the store, without inserting it, from one gather.

        An approximation for ``P ≥ 2``: a neighbour's row is corrected for the edge it gains, but the new node's
        effect on other rows is neglected. ``new_node_hops`` gives the formula and when it is exact,
        ``experiments/feature_store`` the measured error. ``insert_node`` is exact.

        Args:
            x: ``[D]`` raw features; a mapping or a series is matched by name if the store has feature names. Not
                read if rows are positions alone.
            neighbours: ``[n]`` ids; of nodes that send to the new one if the graph is directed.
            weights: ``[n]`` edge weights if the graph is weighted.

        Returns:
            ``[D']``.

        Raises:
            GraphKDError: a neighbour does not exist, or a number is invalid.
        """
        return self._read(partial(_row_for, x=x, neighbours=neighbours, weights=weights))

    def insert_node(
        self, x: Any, neighbours: Any = (), weights: Any = None, node_id: str | int | None = None
    ) -> int:
        """Adds a node and its edges.

        Args:
            x: ``[D]`` raw features; a mapping or a series is matched by name if the store has feature names. Not
                read if rows are positions alone.
            neighbours: ``[n]`` ids; of nodes that send to the new one if the graph is directed.
            weights: ``[n]`` edge weights if the graph is weighted.
            node_id: by which ``numbers_of`` finds it, in a store that was built with ``node_ids``; that of a
                deleted node may be used again.

        Returns:
            Its number.

        Raises:
            GraphKDError: a neighbour does not exist, a number is invalid, or another node has the id.
        """

        def plan(arrays: Arrays) -> Transaction:
            draft = operations.insert_node(arrays, x, neighbours, weights)
            draft.node_id = None if node_id is None else self._unused(arrays, node_id)
            return draft

        return int(self._update(plan).born[0])

    def delete_node(self, node: int) -> None:
        """Deletes a node, all its edges and its features.

        Raises:
            GraphKDError: there is no such node.
        """
        self._update(partial(operations.delete_node, node=node))

    def insert_edges(self, edge_index: Any, edge_weight: Any = None) -> None:
        """Adds edges between existing nodes; an existing edge gets the given weight, if any.

        Args:
            edge_index: ``[2, E]``, ``[sender, receiver]``.
            edge_weight: ``[E]`` if the graph is weighted; then no edge may be listed twice.

        Raises:
            GraphKDError: a node does not exist, or a weight is invalid.
        """
        self._update(partial(operations.insert_edges, edge_index=edge_index, edge_weight=edge_weight))

    def delete_edges(self, edge_index: Any) -> None:
        """Deletes edges ``[2, E]``.

        Raises:
            GraphKDError: one of them does not exist; then none is deleted.
        """
        self._update(partial(operations.delete_edges, edge_index=edge_index))

    def update_features(self, nodes: Any, x: Any) -> None:
        """Replaces the raw features ``x [B, D]`` of ``nodes [B]``, or ``[D]`` of one.

        Raises:
            GraphKDError: a node does not exist, or the rows are invalid.
        """
        self._update(partial(operations.update_features, nodes=nodes, x=x))

    def verify(self) -> None:
        """Reads the whole store and compares it with its checksums.

        Raises:
            GraphKDError: the files were changed by anything but this class.
        """
        if self._reader.arrays.layout.ids_sha256 is not None:
            read_ids(self.path, self._reader.arrays.layout.ids_sha256, self._reader.arrays.next_id)
            self._read(lambda arrays: NewIds(self.path).read(arrays.next_id))
        ids = self._read(damaged)
        if ids.size:
            raise GraphKDError(f"{self.path} is damaged at node {ids[0]} ({ids.size} in all): build it again")

    def close(self) -> None:
        """Ends writing, so that another process can write; a store that is only read need not be closed."""
        if self._writer is not None:
            self._writer.close()

    def __len__(self) -> int:
        return int(self.nodes.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unused(self, arrays: Arrays, node_id: Any) -> str | int:
        """Returns the id of a node to insert, if no node of the store has it."""
        ids = self.node_ids
        if ids is None:
            raise GraphKDError("this store has no ids of nodes: build it with node_ids, or leave node_id out")
        found = ids.checked(node_id)
        number = ids.number_of(found)
        if number is not None and arrays.alive[number]:
            raise GraphKDError(
                f"node {number} has the id {found!r} already: give another one, or delete that node first"
            )
        return found

    def _read(self, take: Callable[[Arrays], T]) -> T:
        return self._reader.read(take)

    def _update(self, plan: Callable[[Arrays], Transaction]) -> Transaction:
        if self._writer is None:
            raise GraphKDError(f"{self.path} is open for reading: open it with write=True")
        return self._writer.update(plan)


def _row(arrays: Arrays, node: int) -> NDArray[np.float32]:
    if not (0 <= node < arrays.next_id and arrays.alive[node]):
        check_known(np.array([node]), arrays.next_id, arrays.alive)
    row: NDArray[np.float32] = arrays.layout.settings.pool(arrays.hops[node : node + 1].copy())[0]
    return _beside(row, positions_of(arrays, np.array([node]))[0]) if arrays.positions.size else row


def _rows(arrays: Arrays, ids: Ids) -> NDArray[np.float32]:
    check_known(ids, arrays.next_id, arrays.alive)
    rows = arrays.layout.settings.pool(arrays.hops[ids])
    return _beside(rows, positions_of(arrays, ids)) if arrays.positions.size else rows


def _beside(rows: NDArray[np.float32], positions: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([rows, positions], axis=-1)


def _neighbours(arrays: Arrays, node: int) -> tuple[Ids, Weights]:
    check_known(np.array([node]), arrays.next_id, arrays.alive)
    return arrays.incoming.read(node)


def _row_for(arrays: Arrays, x: Any, neighbours: Any, weights: Any) -> NDArray[np.float32]:
    row, others, edge_weights = operations.newcomer(arrays, x, neighbours, weights)
    pooled: NDArray[np.float32] = arrays.layout.settings.pool(new_node_hops(arrays, row, others, edge_weights))[0]
    if not arrays.positions.size:
        return pooled
    return _beside(pooled, means_of(arrays, Neighbours(np.array([others.size]), others, edge_weights))[0])
