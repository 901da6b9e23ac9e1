"""Integrity check of a whole store."""

from __future__ import annotations

import numpy as np

from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import Ids
from graphkd.deploy.store.kernel import sums
from graphkd.deploy.store.lists import Lists, Neighbours, checksum
from graphkd.deploy.store.positions import position_fits


def damaged(arrays: Arrays) -> Ids:
    """Returns the nodes whose rows, lists, degree or entries in other lists are inconsistent.

    Args:
        arrays: of a store that is not being changed.

    Returns:
        Ids ``[n]``, ascending.
    """
    ids = np.arange(arrays.next_id)
    nodes = [node for node in ids.tolist() if not _rows_fit(arrays, node)]
    for lists in (arrays.incoming, arrays.outgoing):
        nodes += [node for node in ids.tolist() if not _list_fits(lists, node, arrays.next_id)]
    if nodes:
        return np.unique(nodes)
    incoming, outgoing = arrays.incoming.gather(ids), arrays.outgoing.gather(ids)
    wrong = _unmatched(ids, incoming, outgoing)
    degree, diagonal = sums(ids, incoming, arrays.layout.settings)
    dead = arrays.alive[ids] == 0
    degree[dead] = diagonal[dead] = 0.0
    stored = arrays.nodes[: ids.size]
    return np.union1d(wrong, ids[(stored["degree"] != degree) | (stored["diagonal"] != diagonal)])


def _rows_fit(arrays: Arrays, node: int) -> bool:
    expected = arrays.nodes["crc"][node].tolist()
    rows = [checksum(row) for row in arrays.hops[node]]
    return bool(arrays.alive[node] <= 1) and rows == expected and position_fits(arrays, node)


def _list_fits(lists: Lists, node: int, next_id: int) -> bool:
    at = lists.index[node]
    end = at["start"] + at["length"]
    if not (at["start"] >= 0 and 0 <= at["length"] <= at["room"] and end <= lists.entries.size):
        return False
    part = lists.entries[at["start"] : end]
    ids = part["node"]
    valid = not ids.size or (ids[0] >= 0 and ids[-1] < next_id and bool((np.diff(ids) > 0).all()))
    return bool(valid) and checksum(part) == at["crc"]


def _unmatched(ids: Ids, incoming: Neighbours, outgoing: Neighbours) -> Ids:
    """Returns the receivers of edges that are only in one of the two kinds of lists."""
    forward = np.stack([np.repeat(ids, incoming.counts), incoming.ids])
    backward = np.stack([outgoing.ids, np.repeat(ids, outgoing.counts)])
    backward = backward[:, np.lexsort(backward[::-1])]
    if forward.shape == backward.shape and (forward == backward).all():
        return ids[:0]
    return np.setxor1d(_keys(forward, ids.size), _keys(backward, ids.size)) // max(ids.size, 1)


def _keys(edges: Ids, size: int) -> Ids:
    keys: Ids = edges[0] * size + edges[1]
    return keys
