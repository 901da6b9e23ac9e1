"""Neighbour lists in two arrays: an index with the location of each node's list, and the entries."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.inputs import Ids, Weights
from graphkd.deploy.store.layout import ENTRY


@dataclass(frozen=True)
class Neighbours:
    """Concatenated neighbour lists of ``n`` nodes.

    Args:
        counts: ``[n]`` lengths of the lists.
        ids: ``[E]`` neighbours, ascending within a list.
        weights: ``[E]``.
    """

    counts: Ids
    ids: Ids
    weights: Weights

    def starts(self) -> Ids:
        """Returns the start ``[n]`` of each list."""
        return np.cumsum(self.counts) - self.counts


@dataclass(frozen=True)
class Lists:
    """Lists on disk, see ``INDEX`` and ``ENTRY``.

    Args:
        index: ``[capacity]``.
        entries: ``[slots]``.
    """

    index: NDArray[Any]
    entries: NDArray[Any]

    def read(self, node: int) -> tuple[Ids, Weights]:
        """Returns a copy of one node's neighbours and weights."""
        at = self.index[node]
        part = self.entries[at["start"] : at["start"] + at["length"]]
        return part["node"].astype(np.int64), part["weight"].astype(np.float64)

    def gather(self, nodes: Ids) -> Neighbours:
        """Gathers the lists of ``nodes [n]``."""
        entries = self.entries[self.places(nodes)]
        counts = self.index["length"][nodes].astype(np.int64)
        return Neighbours(counts, entries["node"].astype(np.int64), entries["weight"].astype(np.float64))

    def places(self, nodes: Ids) -> Ids:
        """Returns the positions ``[E]`` of the entries of ``nodes [n]``."""
        at = self.index[nodes]
        counts = at["length"].astype(np.int64)
        places: Ids = np.repeat(at["start"] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        return places

    def used(self) -> int:
        """Returns the number of entries up to the end of the last list."""
        return int((self.index["start"] + self.index["room"]).max())


@dataclass
class Edits:
    """Lists with changes that are not on disk yet.

    Args:
        base: lists on disk.
        changed: node → new ids and weights.
    """

    base: Lists
    changed: dict[int, tuple[Ids, Weights]] = field(default_factory=dict)

    def read(self, node: int) -> tuple[Ids, Weights]:
        """Returns one node's neighbours and weights."""
        if node in self.changed:
            return self.changed[node]
        if node >= self.base.index.size:  # a new node, for which space is allocated later
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        return self.base.read(node)

    def put(self, owners: Ids, others: Ids, weights: Weights) -> None:
        """Adds an entry to each owner's list, or sets the weight of an existing one; ``[E]`` each."""
        for node, part in _groups(owners):
            ids, old = self.read(node)
            ids, at = np.unique(np.concatenate([others[part], ids]), return_index=True)
            self.changed[node] = ids, np.concatenate([weights[part], old])[at]

    def drop(self, owners: Ids, others: Ids) -> tuple[int, int] | None:
        """Removes entries; returns the first pair (owner, other) without an entry."""
        absent = None
        for node, part in _groups(owners):
            ids, weights = self.read(node)
            missing = others[part][~np.isin(others[part], ids)]
            if missing.size and absent is None:
                absent = node, int(missing[0])
            remains = ~np.isin(ids, others[part])
            self.changed[node] = ids[remains], weights[remains]
        return absent

    def gather(self, nodes: Ids) -> Neighbours:
        """Gathers the lists of ``nodes [n]``, including changes."""
        new = [at for at, node in enumerate(nodes.tolist()) if node in self.changed] if self.changed else []
        if not new:
            return self.base.gather(nodes)
        stored = np.ones(nodes.size, dtype=bool)
        stored[new] = False
        unchanged = self.base.gather(nodes[stored])
        counts = np.empty(nodes.size, dtype=np.int64)
        counts[stored] = unchanged.counts
        counts[new] = [self.changed[node][0].size for node in nodes[new].tolist()]
        ids, weights = np.empty(counts.sum(), dtype=np.int64), np.empty(counts.sum())
        from_disk = np.repeat(stored, counts)
        ids[from_disk], weights[from_disk] = unchanged.ids, unchanged.weights
        starts = np.cumsum(counts) - counts
        for at in new:
            part = slice(starts[at], starts[at] + counts[at])
            ids[part], weights[part] = self.changed[int(nodes[at])]
        return Neighbours(counts, ids, weights)

    def rooms(self) -> dict[int, int]:
        """Returns node → number of entries to reserve at the end, for lists that no longer fit in their place."""
        room = self.base.index["room"]
        sizes = {node: ids.size for node, (ids, _) in self.changed.items()}
        rooms = {node: room[node] if node < room.size else 0 for node in sizes}
        return {node: _roomy(size) for node, size in sizes.items() if size > rooms[node]}

    def most(self) -> int:
        """Returns the number of entries to reserve if no changed list fits, as after lists have been compacted."""
        return sum(_roomy(ids.size) for ids, _ in self.changed.values())


def packed(ids: Ids, weights: Weights) -> NDArray[Any]:
    """Converts neighbours to their form on disk."""
    entries = np.empty(ids.size, dtype=ENTRY)
    entries["node"], entries["weight"] = ids, weights
    return entries


def checksum(content: NDArray[Any]) -> int:
    """Computes the CRC-32 of a contiguous array's bytes."""
    return zlib.crc32(content.view(np.uint8).data) if content.size else 0


def _roomy(size: int) -> int:
    """Returns the number of entries to reserve for a list that has outgrown its place."""
    return max(4, 2 * size)


def _groups(owners: Ids) -> list[tuple[int, Ids]]:
    """Returns (node, positions at which it is the owner), by node."""
    order = np.argsort(owners, kind="stable")
    nodes, starts = np.unique(owners[order], return_index=True)
    return list(zip(nodes.tolist(), np.split(order, starts[1:]), strict=True)) if nodes.size else []
