"""Construction of a store from a whole graph."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.atomic_io import check_writable, sha256, whole_folder
from graphkd.deploy.store import disk
from graphkd.deploy.store.files import make, write_lists
from graphkd.deploy.store.inputs import Ids, Weights, as_edges, as_rows
from graphkd.deploy.store.kernel import Rows, mixed, roots, sums
from graphkd.deploy.store.layout import Layout, node_type, position_type
from graphkd.deploy.store.lists import Neighbours, checksum, packed
from graphkd.deploy.store.node_ids import IDS, NodeIds
from graphkd.deploy.store.positions import Observed
from graphkd.deploy.store.settings import Settings
from graphkd.errors import GraphKDError
from graphkd.io.weights import check_weights

BLOCK = 2**13
"""Rows computed at a time, which bounds the memory used."""


def build(
    path: Path,
    settings: Settings,
    x: Any,
    edge_index: Any,
    edge_weight: Any,
    vectors: NDArray[np.float32] | None = None,
    nodes: Any = None,
    node_ids: Any = None,
) -> None:
    """Writes the folder of a store, atomically.

    Args:
        path: of the folder, which must not exist.
        settings: of the store.
        x: ``[N, D]`` raw rows.
        edge_index: ``[2, E]``, ``[sender, receiver]``; both directions of an undirected edge are listed.
        edge_weight: ``[E]`` if the graph is weighted.
        vectors: ``[n, d]`` positions of the nodes of training, if ``settings.dim`` is not 0.
        nodes: ``[N]``, see ``Observed``.
        node_ids: ``[N]`` texts and whole numbers, or None.

    Raises:
        GraphKDError: ``path`` exists, or the graph or an id is invalid.
    """
    check_free(path)
    rows = as_rows(x, settings)
    size = rows.shape[0]
    ids = None if node_ids is None else NodeIds.of(node_ids, size, "node_ids").to_bytes()
    observed = None if vectors is None else Observed.of(vectors, nodes, size)
    incoming, outgoing = _lists(size, settings, edge_index, edge_weight)
    slots = max(16, 2 * incoming.ids.size)
    digest = None if ids is None else sha256(ids)
    layout = Layout(settings, 1, size + max(16, size // 8), (slots, slots), digest)
    with whole_folder(path) as folder:
        if ids is not None:
            disk.publish(folder / IDS, ids)
        _write_nodes(folder, layout, rows, incoming)
        if observed is not None:
            _write_positions(folder, layout, observed)
        for which, lists in (("in", incoming), ("out", outgoing))[: 1 + settings.directed]:
            entries = packed(lists.ids, lists.weights)
            parts = np.split(entries, lists.starts()[1:]) if size else []
            write_lists(folder, layout, which, lists.counts, np.array([checksum(part) for part in parts]), entries)
        _write(folder, layout, "header", np.array([0, layout.number, size], dtype="<i8").tobytes())
        layout.write(folder)
    disk.sync_folder(path.absolute().parent)


def check_free(path: Path) -> None:
    """Raises an error if the path exists, or if no folder can be created at it."""
    if path.exists():
        raise GraphKDError(f"{path} is there already: delete it, or choose another path")
    check_writable(path, "path")


def _write_nodes(folder: Path, layout: Layout, rows: Any, incoming: Neighbours) -> None:
    """Writes all hops, each computed from the previous one, and the record of each node."""
    settings, size = layout.settings, rows.shape[0]
    hops = _empty_hops(folder, layout)
    nodes, ids = np.zeros(size, dtype=node_type(settings.hops)), np.arange(size)
    nodes["degree"], nodes["diagonal"] = sums(ids, incoming, settings)
    nodes["alive"] = 1
    root = roots(nodes["degree"])
    starts = np.append(incoming.starts(), incoming.ids.size)
    for hop in range(settings.hops + 1):
        previous = Rows(hops[:, max(hop - 1, 0)], ids[:0], rows[:0])
        for begin in range(0, size, BLOCK):
            part = slice(begin, min(begin + BLOCK, size))
            if hop == 0:
                values = settings.prepare(rows[part])
            else:
                entries = slice(starts[part.start], starts[part.stop])
                lists = Neighbours(incoming.counts[part], incoming.ids[entries], incoming.weights[entries])
                values = mixed(ids[part], lists, nodes["diagonal"][part], root[part], root[lists.ids], previous)
            hops[part, hop] = values
            nodes["crc"][part, hop] = [checksum(row) for row in values]
    if isinstance(hops, np.memmap):
        hops.flush()
    _write(folder, layout, "nodes", nodes.tobytes())


def _empty_hops(folder: Path, layout: Layout) -> NDArray[np.float32]:
    """Creates the file of all hops, and maps it; without features there is none."""
    shape = layout.capacity, layout.settings.hops + 1, layout.settings.num_features
    if "hops" not in layout.files():
        return np.zeros(shape, dtype=np.float32)
    os.close(make(folder, layout, "hops"))
    return np.memmap(layout.path(folder, "hops"), np.float32, "r+", shape=shape)


def _write_positions(folder: Path, layout: Layout, observed: Observed) -> None:
    handle, record = make(folder, layout, "positions"), position_type(layout.settings.dim).itemsize
    try:
        for begin in range(0, observed.numbers.size, BLOCK):
            disk.write(handle, observed.records(slice(begin, begin + BLOCK)).tobytes(), begin * record)
        disk.sync(handle)
    finally:
        os.close(handle)


def both_ways(size: int, edge_index: Any, edge_weight: Any = None) -> bool:
    """Returns whether every edge of a graph of ``size`` nodes has a reverse edge of the same weight.

    Raises:
        GraphKDError: the graph is invalid.
    """
    return _equal(*_grouped_both(size, edge_index, edge_weight))


def _lists(size: int, settings: Settings, edge_index: Any, edge_weight: Any) -> tuple[Neighbours, Neighbours]:
    """Returns senders and receivers of each node, and checks that an undirected graph is symmetric."""
    incoming, outgoing = _grouped_both(size, edge_index, edge_weight)
    if not settings.directed and not _equal(incoming, outgoing):
        raise GraphKDError("an edge is there without its opposite: list both directions, or pass directed=True")
    return incoming, outgoing


def _grouped_both(size: int, edge_index: Any, edge_weight: Any) -> tuple[Neighbours, Neighbours]:
    """Returns senders and receivers of each node; duplicate edges are merged, and their weights added."""
    senders, receivers = as_edges(edge_index)
    for ends in (senders, receivers):
        if ends.size and not (ends.min() >= 0 and ends.max() < size):
            raise GraphKDError(
                f"edge_index names nodes {ends.min()} to {ends.max()}, but x has rows 0 to {size - 1}"
            )
    weights = None if edge_weight is None else check_weights(edge_weight, senders.size, "edge_weight")
    return _grouped(receivers, senders, weights, size), _grouped(senders, receivers, weights, size)


def _equal(one: Neighbours, other: Neighbours) -> bool:
    return (
        np.array_equal(one.counts, other.counts)
        and np.array_equal(one.ids, other.ids)
        and np.array_equal(one.weights, other.weights)
    )


def _grouped(owners: Ids, others: Ids, weights: Weights | None, size: int) -> Neighbours:
    key, inverse = np.unique(owners * size + others, return_inverse=True)
    total: Weights = np.ones(key.size)
    if weights is not None:
        total = np.bincount(inverse, weights, minlength=key.size).astype(np.float64)
    owner = key // max(size, 1)
    return Neighbours(np.bincount(owner, minlength=size), key - owner * size, total)


def _write(folder: Path, layout: Layout, name: str, content: bytes) -> None:
    handle = make(folder, layout, name)
    try:
        disk.write(handle, content, 0)
        disk.sync(handle)
    finally:
        os.close(handle)
