"""Pairs of nodes ``[P, 2]``: checked, taken from edges, and drawn where there is no edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse.adjacency import INDEX_TYPES, check_edges


def check_pairs(pairs: Any, num_nodes: int, name: str = "pairs") -> Tensor:
    """Checks pairs of nodes, and returns them as ``[P, 2]`` int64.

    Args:
        pairs: ``[P, 2]`` whole numbers: tensor, array or nested lists.
        num_nodes: ``N``.
        name: of the argument, for the error message.

    Raises:
        GraphKDError: they are not ``[P, 2]`` whole numbers, or one lies outside ``[0, N)``.

    >>> check_pairs([[0, 1], [2, 2]], num_nodes=3).shape
    torch.Size([2, 2])
    >>> check_pairs([[0, 3]], num_nodes=3)
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: pairs names nodes 0 to 3, but there are nodes 0 to 2: correct the pairs
    """
    try:
        table = pairs if isinstance(pairs, Tensor) else torch.as_tensor(np.asarray(pairs))
    except (TypeError, ValueError, RuntimeError):
        raise GraphKDError(f"{name} is no table of whole numbers: give [P, 2] node numbers") from None
    if not isinstance(pairs, Tensor) and not table.numel():
        table = table.long().reshape(-1, 2)  # an empty list has no dtype of its own
    if table.dtype not in INDEX_TYPES:
        kind = str(table.dtype).removeprefix("torch.")
        raise GraphKDError(f"{name} must hold whole numbers, but holds {kind}: give [P, 2] node numbers")
    if table.dim() != 2 or table.shape[1] != 2:
        raise GraphKDError(f"{name} must be [P, 2], one pair a row, but has shape {list(table.shape)}")
    if table.numel():
        low, high = (int(bound) for bound in table.aminmax())
        if low < 0 or high >= num_nodes:
            raise GraphKDError(
                f"{name} names nodes {low} to {high}, but there are nodes 0 to {num_nodes - 1}: correct the {name}"
            )
    return table.long()


def undirected_pairs(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Returns every undirected edge once, as ``[E, 2]`` with ``u < v``, sorted; self-loops are left out.

    Args:
        edge_index: ``[2, E']``, in one direction or both.
        num_nodes: ``N``.

    Raises:
        GraphKDError: it is no edge index of ``N`` nodes.

    >>> undirected_pairs(torch.tensor([[1, 0, 2, 2], [0, 1, 2, 0]]), num_nodes=3).tolist()
    [[0, 1], [0, 2]]
    """
    check_edges(edge_index, num_nodes)
    return pairs_of(torch.unique(keys_of(edge_index.t().long(), num_nodes)), num_nodes)


def keys_of(pairs: Tensor, num_nodes: int) -> Tensor:
    """Returns ``min · N + max`` of each pair ``[P, 2]``, the same for both directions, without self pairs."""
    low, high = pairs.amin(dim=1), pairs.amax(dim=1)
    return (low * num_nodes + high)[low != high]


def pairs_of(keys: Tensor, num_nodes: int) -> Tensor:
    """Returns the pairs ``[P, 2]`` of ``keys_of``."""
    return torch.stack([keys // num_nodes, keys % num_nodes], dim=1)


def both_ways(pairs: Tensor) -> Tensor:
    """Returns an edge index ``[2, 2P]`` with each pair ``[P, 2]`` in both directions."""
    return torch.cat([pairs, pairs.flip(1)]).t()


def draw_non_edges(
    edges: Tensor, num_nodes: int, count: int, generator: torch.Generator, ends: Tensor | None = None
) -> Tensor:
    """Draws distinct pairs without an edge, and without self pairs.

    Pairs are drawn uniformly and rejected where there is an edge, so that memory is O(E + count), not O(N²).

    Args:
        edges: ``[E, 2]``.
        num_nodes: ``N``.
        count: of the pairs to draw.
        generator: read in the order of the draws.
        ends: ``[h]`` distinct nodes of which each pair has one at least; by default all nodes.

    Returns:
        ``[count, 2]`` with ``u < v``, in the order in which they were drawn.

    Raises:
        GraphKDError: there are fewer pairs without an edge.

    >>> path = torch.tensor([[0, 1], [1, 2]])
    >>> draw_non_edges(path, num_nodes=3, count=1, generator=torch.Generator().manual_seed(0)).tolist()
    [[0, 2]]
    """
    ends = torch.arange(num_nodes) if ends is None else ends
    taken = torch.unique(keys_of(edges, num_nodes))
    _check_enough(taken, num_nodes, count, ends)
    drawn = taken.new_empty(0)
    while drawn.numel() < count:
        size = 2 * (count - drawn.numel()) + 100
        first = ends[torch.randint(ends.numel(), (size,), generator=generator)]
        second = torch.randint(num_nodes, (size,), generator=generator)
        keys = keys_of(torch.stack([first, second], dim=1), num_nodes)
        keys = keys[~torch.isin(keys, taken)]
        drawn = _first_of_each(torch.cat([drawn, keys]))
    return pairs_of(drawn[:count], num_nodes)


def _check_enough(taken: Tensor, num_nodes: int, count: int, ends: Tensor) -> None:
    """Raises if fewer pairs than ``count`` have an end among ``ends`` and no edge."""
    is_end = torch.zeros(num_nodes, dtype=torch.bool)
    is_end[ends] = True
    others = num_nodes - ends.numel()
    possible = ends.numel() * (ends.numel() - 1) // 2 + ends.numel() * others
    free = possible - int(is_end[pairs_of(taken, num_nodes)].any(dim=1).sum())
    if free < count:
        raise GraphKDError(
            f"{count} pairs without an edge are needed, but there are {free}: the graph is too dense to split"
        )


def _first_of_each(keys: Tensor) -> Tensor:
    """Returns the distinct keys in the order of their first places."""
    order = keys.argsort(stable=True)
    ordered = keys[order]
    is_first = torch.ones(keys.numel(), dtype=torch.bool)
    is_first[order[1:]] = ordered[1:] != ordered[:-1]
    return keys[is_first]
