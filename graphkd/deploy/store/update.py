"""Computation of an update: from a transaction to the bytes that change, for exactly the rows that can differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import Ids, Weights
from graphkd.deploy.store.journal import Patch
from graphkd.deploy.store.kernel import Rows, mixed, place_in, roots, sums
from graphkd.deploy.store.layout import ENTRY, NEXT_ID
from graphkd.deploy.store.lists import Edits, checksum, packed
from graphkd.deploy.store.transaction import Transaction


@dataclass(frozen=True)
class Update:
    """A computed update that is not on disk yet.

    Args:
        patches: to write.
        used: ends of the last lists of senders and of receivers afterwards.
    """

    patches: list[Patch]
    used: list[int]


class _Degrees:
    """Degrees and diagonals after the transaction: recomputed for ``touched``, the others from disk."""

    def __init__(self, draft: Transaction, arrays: Arrays) -> None:
        self.touched, self.stored = draft.touched(), arrays.nodes
        self.degree, self.diagonal = sums(self.touched, draft.incoming.gather(self.touched), draft.settings)
        deleted = place_in(self.touched, draft.gone)
        self.degree[deleted] = self.diagonal[deleted] = 0.0

    def changed(self) -> Ids:
        """Returns the nodes whose degree changes, and with it the rows of all their receivers."""
        changed: Ids = self.touched[self.degree != self.stored["degree"][self.touched]]
        return changed

    def of(self, ids: Ids, what: str) -> Weights:
        """Returns ``degree`` or ``diagonal`` of ``ids [E]``."""
        values: Weights = self.stored[what][ids]
        positions = place_in(self.touched, ids)
        values[positions >= 0] = getattr(self, what)[positions[positions >= 0]]
        return values


def compute_update(draft: Transaction, arrays: Arrays, used: list[int]) -> Update:
    """Computes an update from the arrays on disk and the transaction; writes nothing.

    With ``R`` the nodes whose senders change and ``C`` those of them whose degree does, hop 0 changes where new
    rows are given, and hop ``k`` at ``R``, at the receivers of ``C``, and at the receivers of the nodes whose hop
    ``k − 1`` changes, including these nodes themselves if ``s > 0``.

    Args:
        draft: the transaction; space for its new nodes and lists must be allocated.
        arrays: the store.
        used: ends of the last lists.

    Returns:
        The patches of all files.
    """
    degrees = _Degrees(draft, arrays)
    keys, rows = _with_zeros(draft)
    hops = [(keys, rows)]
    always = np.union1d(degrees.touched, _receivers(draft, arrays, degrees.changed()))
    for hop in range(1, draft.settings.hops + 1):
        parts = [always, _receivers(draft, arrays, hops[-1][0])]
        if draft.settings.self_loops:
            parts.append(hops[-1][0])
        dirty = _distinct(np.concatenate(parts), arrays)
        hops.append((dirty, _mixed(draft, arrays, degrees, dirty, hop, hops[-1])))
    patches = [_hop_patch(arrays, hop, *hops[hop]) for hop in range(len(hops))]
    patches.append(_node_patch(draft, arrays, degrees, hops))
    if draft.settings.dim:
        patches.append(_patch("positions", draft.gone, np.zeros_like(arrays.positions[draft.gone])))
    ends = list(used)
    for which, edits in enumerate(draft.edits()):
        list_patches, ends[which] = _list_patches(edits, ("in", "out")[which], used[which])
        patches += list_patches
    if draft.born.size:
        patches.append(_patch("header", np.array([NEXT_ID]), np.array([draft.born[-1] + 1])))
    return Update([patch for patch in patches if patch.content.size], ends)


def _with_zeros(draft: Transaction) -> tuple[Ids, NDArray[np.float32]]:
    """Returns keys and rows of hop 0: the new rows, and zeros for deleted nodes."""
    keys = np.concatenate([draft.keys, draft.gone])
    zeros = np.zeros((draft.gone.size, draft.rows.shape[1]), dtype=np.float32)
    order = np.argsort(keys)
    return keys[order], np.concatenate([draft.rows, zeros])[order]


def _receivers(draft: Transaction, arrays: Arrays, nodes: Ids) -> Ids:
    return _distinct(draft.outgoing.gather(nodes).ids, arrays)


def _distinct(ids: Ids, arrays: Arrays) -> Ids:
    """Returns the distinct ids, ascending; by a boolean mask where that is faster than sorting."""
    if 16 * ids.size < arrays.layout.capacity:
        return np.unique(ids)
    marks = np.zeros(arrays.layout.capacity, dtype=bool)
    marks[ids] = True
    return np.flatnonzero(marks)


def _mixed(
    draft: Transaction,
    arrays: Arrays,
    degrees: _Degrees,
    nodes: Ids,
    hop: int,
    before: tuple[Ids, NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Computes hop ``k`` of ``nodes [n]`` from hop ``k − 1``: rows just computed, and the others on disk."""
    lists = draft.incoming.gather(nodes)
    root, sender_root = roots(degrees.of(nodes, "degree")), roots(degrees.of(lists.ids, "degree"))
    rows = Rows(arrays.hops[:, hop - 1], *before)
    return mixed(nodes, lists, degrees.of(nodes, "diagonal"), root, sender_root, rows)


def _hop_patch(arrays: Arrays, hop: int, nodes: Ids, rows: NDArray[np.float32]) -> Patch:
    return _patch("hops", nodes * arrays.hops.shape[1] + hop, rows)


def _node_patch(
    draft: Transaction, arrays: Arrays, degrees: _Degrees, hops: list[tuple[Ids, NDArray[np.float32]]]
) -> Patch:
    nodes = _distinct(np.concatenate([degrees.touched, *(dirty for dirty, _ in hops)]), arrays)
    records = arrays.nodes[nodes]
    records["degree"], records["diagonal"] = degrees.of(nodes, "degree"), degrees.of(nodes, "diagonal")
    records["alive"][place_in(nodes, draft.born)] = 1
    records["alive"][place_in(nodes, draft.gone)] = 0
    for hop, (dirty, rows) in enumerate(hops):
        records["crc"][place_in(nodes, dirty), hop] = [checksum(row) for row in rows]
    return _patch("nodes", nodes, records)


def _list_patches(edits: Edits, which: str, used: int) -> tuple[list[Patch], int]:
    """Writes lists that still fit in their place, and the others after the last one."""
    nodes, rooms, patches = sorted(edits.changed), edits.rooms(), []
    index = edits.base.index[nodes]
    for at, node in enumerate(nodes):
        entries = packed(*edits.changed[node])
        if node in rooms:
            index[at]["start"], index[at]["room"] = used, rooms[node]
            used += rooms[node]
        index[at]["length"], index[at]["crc"] = entries.size, checksum(entries)
        if entries.size:
            offset = np.array([ENTRY.itemsize * index[at]["start"]])
            patches.append(Patch(f"{which}.entries", offset, entries.view(np.uint8)[None]))
    return [*patches, _patch(f"{which}.index", np.array(nodes, dtype=np.int64), index)], used


def _patch(file: str, places: Ids, records: NDArray[Any]) -> Patch:
    """Builds a patch with one piece per record; ``places [n]`` are record indices."""
    size = records[:1].nbytes
    content = np.ascontiguousarray(records).view(np.uint8).reshape(places.size, size)
    return Patch(file, places.astype(np.int64) * size, content)
