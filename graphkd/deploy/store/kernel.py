"""Propagation by one hop for selected rows, bitwise independent of which rows are computed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.inputs import Ids, Weights
from graphkd.deploy.store.lists import Neighbours
from graphkd.deploy.store.settings import Settings

CELLS = 2**15
"""Number of entries of the rows that are summed together, such that they fit in the CPU's cache."""

LONG = 256
"""Number of neighbours beyond which a row is summed alone: a batch takes as many steps as its longest list."""


@dataclass(frozen=True)
class Rows:
    """Rows of one hop: those on disk, some of them replaced.

    Args:
        base: ``[capacity, D]``.
        keys: ``[m]`` ascending ids of replaced rows.
        new: ``[m, D]``.
    """

    base: NDArray[np.float32]
    keys: Ids
    new: NDArray[np.float32]

    def place(self, ids: Ids) -> Ids:
        """Returns ``[E]``: the index of each id among the replaced rows, −1 if not replaced."""
        return place_in(self.keys, ids)

    def take(self, ids: Ids, place: Ids) -> NDArray[np.float64]:
        """Returns the rows ``[E, D]`` of ``ids``, given their indices ``place`` among the replaced rows."""
        rows = self.base[ids].astype(np.float64)
        replaced = place >= 0
        if replaced.any():
            rows[replaced] = self.new[place[replaced]]
        return rows


def place_in(keys: Ids, ids: Ids) -> Ids:
    """Returns ``[E]``: the index of each id in the ascending ``keys [m]``, −1 if absent."""
    if not keys.size:
        return np.full(ids.size, -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(keys, ids), keys.size - 1)
    return np.where(keys[at] == ids, at, -1)


def sums(nodes: Ids, lists: Neighbours, settings: Settings) -> tuple[Weights, Weights]:
    """Computes degree and diagonal of ``A + s I`` at ``nodes [n]``.

    For ``s > 0`` the diagonal is ``s``, or the weight of a listed self-loop if the graph is weighted; for
    ``s = 0`` it is the listed self-loop, or 0. The degree is the row sum.

    Args:
        nodes: ``[n]``.
        lists: their senders.
        settings: ``s``, and whether the graph is weighted.

    Returns:
        Degree ``[n]`` and diagonal ``[n]``.
    """
    owner = np.repeat(np.arange(nodes.size), lists.counts)
    is_loop = lists.ids == nodes[owner]
    diagonal = np.full(nodes.size, float(settings.self_loops))
    if settings.weighted or settings.self_loops == 0:
        diagonal[owner[is_loop]] = lists.weights[is_loop]
    others = np.bincount(owner, np.where(is_loop, 0.0, lists.weights), minlength=nodes.size)
    return others + diagonal, diagonal


def roots(degree: Weights) -> Weights:
    """Computes ``d^-1/2``, with 0 for ``d = 0``."""
    return np.divide(1.0, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)


def mixed(
    nodes: Ids, lists: Neighbours, diagonal: Weights, root: Weights, other_root: Weights, rows: Rows
) -> NDArray[np.float32]:
    """Computes ``h_i = r_i (m_ii r_i g_i + Σ_{j ≠ i} w_ij r_j g_j)`` with ``r = d^-1/2``, in float64.

    Each row is summed separately, in the order of its list: the result does not depend on the other rows, so an
    updated row is bitwise equal to that of a newly built store.

    Args:
        nodes: ``[n]``, the ``i``.
        lists: their senders ``j`` and ``w_ij``.
        diagonal: ``[n]``, the ``m_ii``.
        root: ``[n]``, the ``r_i``.
        other_root: ``[E]``, the ``r_j``.
        rows: ``g``.

    Returns:
        ``[n, D]``.
    """
    owner = np.repeat(nodes, lists.counts)
    factor = np.where(lists.ids == owner, 0.0, lists.weights * other_root)
    positions, starts = rows.place(lists.ids), lists.starts()
    total = np.empty((nodes.size, rows.base.shape[1]), dtype=np.float32)
    order = np.argsort(-lists.counts, kind="stable")
    step = max(1, CELLS // rows.base.shape[1])
    for begin in range(0, nodes.size, step):
        block = order[begin : begin + step]
        sum_ = rows.take(nodes[block], rows.place(nodes[block])) * (diagonal[block] * root[block])[:, None]
        _add(sum_, starts[block], lists.counts[block], lists.ids, factor, positions, rows)
        total[block] = sum_ * root[block][:, None]
    return total


def _add(
    sum_: NDArray[np.float64], starts: Ids, counts: Ids, ids: Ids, factor: Weights, place: Ids, rows: Rows
) -> None:
    """Adds ``Σ_e factor_e g_e`` of each list to its row; ``counts`` descend."""
    long = int(np.count_nonzero(counts > LONG))
    for row in range(long):
        part: Any = slice(starts[row], starts[row] + counts[row])
        sum_[row] += (rows.take(ids[part], place[part]) * factor[part, None]).sum(axis=0)
    counts, starts = counts[long:], starts[long:]
    for step in range(int(counts[0]) if counts.size else 0):
        active = int(np.count_nonzero(counts > step))
        part = starts[:active] + step
        sum_[long : long + active] += rows.take(ids[part], place[part]) * factor[part, None]
