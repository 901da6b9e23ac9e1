"""Merging and symmetrisation of edges with numpy alone, shared by training and serving."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = "NDArray[np.int64]"
Weights: TypeAlias = "NDArray[np.float64] | None"


def merge(sender: Rows, receiver: Rows, weight: Weights, num_nodes: int) -> tuple[Rows, Rows, Weights]:
    """Merges duplicate directed edges, adding their weights; the result is sorted by sender."""
    keys, inverse = np.unique(sender * num_nodes + receiver, return_inverse=True)
    total: Weights = None
    if weight is not None:
        total = np.zeros(keys.size)
        np.add.at(total, inverse, weight)
    return keys // num_nodes, keys % num_nodes, total


def both_directions(sender: Rows, receiver: Rows, weight: Weights, num_nodes: int) -> tuple[Rows, Rows, Weights]:
    """Returns every merged edge in both directions; where both exist the larger weight is used for both.

    So an undirected edge may be listed once or twice: its weight is not doubled.
    """
    both = np.concatenate([sender * num_nodes + receiver, receiver * num_nodes + sender])
    if weight is None:  # inverse indices of the copies would take three times the memory
        keys = np.unique(both)
    else:
        keys, inverse = np.unique(both, return_inverse=True)
        larger = np.zeros(keys.size)
        np.maximum.at(larger, inverse, np.concatenate([weight, weight]))
        weight = larger
    return keys // num_nodes, keys % num_nodes, weight
