"""Validation of a store's inputs, and their conversion to numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import is_whole
from graphkd.deploy.names import Encoded
from graphkd.deploy.store.settings import Settings
from graphkd.errors import GraphKDError
from graphkd.io import rows
from graphkd.io.weights import check_weights

Ids = NDArray[np.int64]
Weights = NDArray[np.float64]


def as_rows(x: Any, settings: Settings) -> NDArray[np.float32]:
    """Returns finite rows ``[B, D]``; frame columns are matched by name if the store has feature names.

    Args:
        x: array, nested lists, data frame, scipy sparse matrix, tensor or torch sparse tensor. Where columns are
            encoded: rows by name, or encoded ones as ``Encoded``.
        settings: of the store.

    Raises:
        GraphKDError: an entry is not a finite number, or the rows are not ``D`` wide.
    """
    return rows.dense(rows.as_rows(settings.columns.align(x), settings.num_features))


def as_row(x: Any, settings: Settings) -> NDArray[np.float32]:
    """Returns a row ``[D]`` as ``[1, D]``; a mapping or a series is matched by name, see ``as_rows``."""
    if settings.num_features == 0:
        return np.zeros((1, 0), dtype=np.float32)
    if isinstance(x, Encoded):
        return as_rows(Encoded(np.asarray(x.x)[None]), settings)
    if isinstance(x, Mapping) and settings.columns.encoding is not None:
        return as_rows([x], settings)
    if hasattr(x, "to_frame"):
        return as_rows(x.to_frame().T, settings)
    if isinstance(x, Mapping):
        table = settings.columns.select([[*x.values()]], [str(name) for name in x])
        return as_rows(table, settings)
    if np.ndim(x) != 1 or np.shape(x)[0] != settings.num_features:
        raise GraphKDError(f"x must be one row [{settings.num_features}], but has shape {list(np.shape(x))}")
    return as_rows(x[None] if hasattr(x, "shape") else [x], settings)


def width_of(x: Any) -> int:
    """Returns ``D`` of rows of any supported type.

    Raises:
        GraphKDError: their shape is not ``[N, D]``.
    """
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    if len(shape) != 2 or shape[1] == 0:
        raise GraphKDError(f"x must be [rows, features], but has shape {list(shape)}")
    return int(shape[1])


def as_ids(nodes: Any, name: str = "nodes") -> Ids:
    """Returns node ids ``[B]``; a single id becomes ``[1]``.

    Raises:
        GraphKDError: they are not integers.
    """
    ids = np.asarray(nodes)
    if ids.size == 0 and ids.ndim == 1:
        return np.zeros(0, dtype=np.int64)
    if ids.dtype.kind not in "iu" or ids.ndim > 1:
        raise GraphKDError(f"{name} must be a list of node ids, but is {ids.dtype} of shape {list(ids.shape)}")
    return ids.astype(np.int64).reshape(-1)


def as_edges(edge_index: Any) -> tuple[Ids, Ids]:
    """Splits edges ``[2, E]`` into senders ``[E]`` and receivers ``[E]``.

    Raises:
        GraphKDError: the shape is wrong, or they are not integers.
    """
    edges = np.asarray(edge_index)
    if edges.ndim != 2 or edges.shape[0] != 2:
        raise GraphKDError(f"edge_index must be [2, E], but has shape {list(edges.shape)}")
    if edges.size and edges.dtype.kind not in "iu":
        raise GraphKDError(f"edge_index must hold whole numbers, but is {edges.dtype}: convert it to int64")
    senders, receivers = edges.astype(np.int64)
    return senders, receivers


def as_weights(weights: Any, count: int, settings: Settings, name: str) -> Weights:
    """Returns edge weights ``[count]``; ones if the store is unweighted.

    Raises:
        GraphKDError: weights are missing or not allowed, negative, not finite, or not one per edge.
    """
    if not settings.weighted:
        if weights is not None:
            raise GraphKDError(f"this store's edges have no weights: leave {name} out")
        return np.ones(count)
    if weights is None:
        raise GraphKDError(f"this store's edges have weights: give {name}, one per edge")
    return check_weights(weights, count, name)


def check_known(ids: Ids, next_id: int, alive: NDArray[np.uint32]) -> None:
    """Raises an error for ids that were never assigned, and for those of deleted nodes.

    Args:
        ids: ``[B]``.
        next_id: the id of the next new node.
        alive: ``[capacity]``, 0 for deleted nodes.
    """
    outside = (ids < 0) | (ids >= next_id)
    if outside.any():
        raise GraphKDError(f"there is no node {ids[outside][0]}: the store has ids 0 to {next_id - 1}")
    dead = alive[ids] == 0
    if dead.any():
        raise GraphKDError(f"node {ids[dead][0]} was deleted: its id is not used again")


def check_id(node: Any) -> int:
    """Checks a single node id; booleans are refused."""
    if not is_whole(node):
        raise GraphKDError(f"node is {node!r}: give one node id")
    return int(node)
