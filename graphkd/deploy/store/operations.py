"""Operations on a store, each of which returns a transaction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import (
    Ids,
    Weights,
    as_edges,
    as_ids,
    as_row,
    as_rows,
    as_weights,
    check_id,
    check_known,
)
from graphkd.deploy.store.transaction import Transaction
from graphkd.errors import GraphKDError


def insert_node(arrays: Arrays, x: Any, neighbours: Any, weights: Any) -> Transaction:
    """Adds a new node with the next id, and its edges."""
    row, others, edge_weights = newcomer(arrays, x, neighbours, weights)
    draft, new = Transaction.of(arrays), np.array([arrays.next_id])
    draft.born = new
    draft.put_rows(new, row)
    draft.connect(others, np.full(others.size, new[0]), edge_weights)
    return draft


def newcomer(arrays: Arrays, x: Any, neighbours: Any, weights: Any) -> tuple[NDArray[np.float32], Ids, Weights]:
    """Validates a node that is not in the store: its row of hop 0 ``[1, D]``, neighbours and edge weights."""
    settings = arrays.layout.settings
    row = settings.prepare(as_row(x, settings))
    others = as_ids(neighbours, "neighbours")
    check_known(others, arrays.next_id, arrays.alive)
    edge_weights = as_weights(weights, others.size, settings, "weights")
    distinct, first = np.unique(others, return_index=True)
    if distinct.size < others.size and settings.weighted:
        raise GraphKDError("neighbours are listed twice: give each one weight")
    return row, distinct, edge_weights[first]


def delete_node(arrays: Arrays, node: Any) -> Transaction:
    """Deletes a node and all its edges."""
    deleted = _known(arrays, check_id(node))
    draft = Transaction.of(arrays)
    draft.gone = deleted
    for edits, opposite in ((draft.incoming, draft.outgoing), (draft.outgoing, draft.incoming)):
        neighbours, _ = edits.read(int(deleted[0]))
        opposite.drop(neighbours, np.full(neighbours.size, deleted[0]))
        edits.changed[int(deleted[0])] = neighbours[:0], np.zeros(0)
        if edits is opposite:
            break
    return draft


def insert_edges(arrays: Arrays, edge_index: Any, edge_weight: Any) -> Transaction:
    """Adds edges between existing nodes."""
    senders, receivers = _edges(arrays, edge_index)
    draft = Transaction.of(arrays)
    weights = as_weights(edge_weight, senders.size, arrays.layout.settings, "edge_weight")
    draft.connect(senders, receivers, weights)
    return draft


def delete_edges(arrays: Arrays, edge_index: Any) -> Transaction:
    """Deletes existing edges."""
    senders, receivers = _edges(arrays, edge_index)
    draft = Transaction.of(arrays)
    draft.disconnect(senders, receivers)
    return draft


def update_features(arrays: Arrays, nodes: Any, x: Any) -> Transaction:
    """Replaces the raw rows of existing nodes."""
    settings, ids = arrays.layout.settings, _known(arrays, nodes)
    rows = as_row(x, settings) if np.ndim(nodes) == 0 else as_rows(x, settings)
    if rows.shape[0] != ids.size:
        raise GraphKDError(f"x must hold one row per node [{ids.size}], but has shape {list(rows.shape)}")
    draft = Transaction.of(arrays)
    draft.put_rows(ids, settings.prepare(rows))
    return draft


def _known(arrays: Arrays, nodes: Any) -> Ids:
    ids = as_ids(nodes)
    check_known(ids, arrays.next_id, arrays.alive)
    return ids


def _edges(arrays: Arrays, edge_index: Any) -> tuple[Ids, Ids]:
    senders, receivers = as_edges(edge_index)
    check_known(np.concatenate([senders, receivers]), arrays.next_id, arrays.alive)
    return senders, receivers
