"""A stream of updates in which each depends on its number alone, so that it goes on anywhere after a kill."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = ("insert_node", "insert_edges", "update_features", "delete_edges", "delete_node")


def graph(size: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draws ``size`` nodes with four edges each, in both directions; the largest degree is about 4 √size."""
    rng = np.random.default_rng(0)
    ends = np.stack([np.repeat(np.arange(size), 4), (size * rng.random(4 * size) ** 2).astype(np.int64)])
    ends = ends[:, ends[0] != ends[1]]
    both = np.unique(np.concatenate([ends, ends[::-1]], axis=1), axis=1)
    return rng.standard_normal((size, width)).astype(np.float32), both


def apply(store: Any, number: int, size: int, width: int) -> str:
    """Applies update ``number`` to a store of ``size`` nodes at the start, and returns its kind."""
    kind, cycle = KINDS[number % len(KINDS)], number // len(KINDS)
    rng = np.random.default_rng(cycle)
    x, (a, b, node) = rng.standard_normal((2, width)).astype(np.float32), rng.integers(0, size, 3).tolist()
    others = np.unique((size * rng.random(5) ** 2).astype(np.int64))
    pair = [[a], [b if b != a else (b + 1) % size]]
    if kind == "insert_node":
        assert store.insert_node(x[0], others) == size + cycle
    elif kind == "insert_edges":
        store.insert_edges(pair)
    elif kind == "update_features":
        store.update_features(node, x[1])
    elif kind == "delete_edges":
        store.delete_edges(pair)
    else:
        store.delete_node(size + cycle)
    return kind


def digest(store: Any) -> int:
    """Returns a checksum of everything that can be read of a store."""
    ids = store.nodes
    lists = [store.neighbours(node)[0] for node in ids.tolist()]
    return zlib.crc32(np.concatenate([ids, *lists]).tobytes(), zlib.crc32(store.rows(ids).tobytes()))
