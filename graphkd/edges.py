"""Edges as a graph has them: the same for training and for serving, with numpy alone."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = "NDArray[np.int64]"
Weights: TypeAlias = "NDArray[np.float64] | None"


def merge(sender: Rows, receiver: Rows, weight: Weights, num_nodes: int) -> tuple[Rows, Rows, Weights]:
    """Every directed edge once, sorted by sender; the weights of its copies are added."""
    keys, place = np.unique(sender * num_nodes + receiver, return_inverse=True)
    total: Weights = None
    if weight is not None:
        total = np.zeros(keys.size)
        np.add.at(total, place, weight)
    return keys // num_nodes, keys % num_nodes, total


def both_directions(sender: Rows, receiver: Rows, weight: Weights, num_nodes: int) -> tuple[Rows, Rows, Weights]:
    """Every merged edge in both directions; where both were there the larger weight counts for both.

    An undirected edge may so be listed once or twice: its weight is not doubled.
    """
    both = np.concatenate([sender * num_nodes + receiver, receiver * num_nodes + sender])
    if weight is None:  # places of the copies would take three times the memory
        keys = np.unique(both)
    else:
        keys, place = np.unique(both, return_inverse=True)
        larger = np.zeros(keys.size)
        np.maximum.at(larger, place, np.concatenate([weight, weight]))
        weight = larger
    return keys // num_nodes, keys % num_nodes, weight
