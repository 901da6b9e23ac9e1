"""Edges of a synthetic graph: a degree-corrected block model, drawn in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphkd.datasets.synthetic.plan import Plan

BLOCK = 1 << 22
"""Number of pairs per draw; each is stored as one int64."""


@dataclass(frozen=True)
class _Nodes:
    """Nodes sorted by community with the cumulative sum of their weights, for sampling ends.

    Args:
        order: ``[N]`` node ids, sorted by community.
        until: ``[N]`` cumulative sum of the weights in that order.
        bounds: ``[C + 1]`` cumulative sums at the boundaries of the communities.
    """

    order: NDArray[np.int64]
    until: NDArray[np.float64]
    bounds: NDArray[np.float64]

    def at(self, place: NDArray[np.float64]) -> NDArray[np.int64]:
        """Returns the positions in the order at the cumulative weights ``place``."""
        return np.minimum(np.searchsorted(self.until, place, side="right"), self.order.size - 1)


def pairs(plan: Plan, community: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws ``E`` distinct pairs ``a · N + b``, ascending, without self-loops; undirected ones have ``a < b``.

    Node ``i`` has a weight ``w_i`` from a power law. The sender is drawn in proportion to ``w``, the receiver
    likewise, with probability ``homophily`` from the sender's community only, else from all nodes. Duplicate pairs
    are replaced by new ones, so that the count is exact.

    Returns:
        ``[E]`` int64.
    """
    nodes, keys = _by_community(plan, community, rng), np.zeros(0, dtype=np.int64)
    while (missing := plan.num_edges - keys.size) > 0:
        sizes = [min(BLOCK, missing - start) for start in range(0, missing, BLOCK)]
        keys = _distinct(np.concatenate([keys, *(_drawn(plan, nodes, size, rng) for size in sizes)]))
    return keys


def both_directions(keys: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Converts undirected pairs ``[E]`` to ends ``[2, 2 E]``, sorted by the first."""
    all_keys = np.concatenate([keys, keys % num_nodes * num_nodes + keys // num_nodes])
    all_keys.sort()
    return ends(all_keys, num_nodes)


def ends(keys: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Converts pairs ``a · N + b`` to ids ``a`` and ``b``, ``[2, E]``."""
    out = np.empty((2, keys.size), dtype=np.int64)
    np.floor_divide(keys, num_nodes, out=out[0])
    np.remainder(keys, num_nodes, out=out[1])
    return out


def _by_community(plan: Plan, community: NDArray[np.int64], rng: np.random.Generator) -> _Nodes:
    """Draws weights ``(1 - u)^(-1 / (γ - 1))``, at most ``√N``, so that duplicate pairs are rare."""
    weight = (1.0 - rng.random(plan.num_nodes)) ** (-1.0 / (plan.degree_exponent - 1.0))
    order = np.argsort(community, kind="stable")
    until = np.cumsum(np.minimum(weight, np.sqrt(plan.num_nodes))[order])
    last = np.cumsum(np.bincount(community, minlength=plan.num_classes)) - 1
    return _Nodes(order, until, np.concatenate([[0.0], until[last]]))


def _drawn(plan: Plan, nodes: _Nodes, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws up to ``size`` keys; self-loops are removed."""
    position = rng.random(size)
    position *= nodes.until[-1]
    position.sort()  # sorted search is ten times as fast, and the order of pairs is irrelevant
    sender = nodes.at(position)
    within = np.searchsorted(nodes.bounds, nodes.until[sender], side="left") - 1
    low, width = nodes.bounds[within], np.diff(nodes.bounds)[within]
    anywhere = rng.random(size) >= plan.homophily
    low[anywhere], width[anywhere] = 0.0, nodes.until[-1]
    receiver = nodes.at(low + rng.random(size) * width)
    first, second = nodes.order[sender], nodes.order[receiver]
    if not plan.directed:
        first, second = np.minimum(first, second), np.maximum(first, second)
    return np.asarray((first * plan.num_nodes + second)[first != second])


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    keys.sort()
    return np.asarray(keys[np.concatenate([[True], keys[1:] != keys[:-1]])])
