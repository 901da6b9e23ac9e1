"""Negative samples: the distribution that skip-gram's noise is drawn from."""

from __future__ import annotations

import math

import numpy as np

from graphkd.positions.graph import Floats, Indices, Undirected


def visits(graph: Undirected, length: int) -> Floats:
    """Computes how often each node is expected on walks of first order, one from every node that has an edge.

    Args:
        graph: the graph.
        length: ``L``, the number of nodes of a walk.

    Returns:
        ``[N]``; the sum is L times the number of starts.
    """
    strength = graph.strength()
    here = (strength > 0).astype(np.float64)
    total = here.copy()
    scale = np.divide(1.0, strength, out=np.zeros_like(strength), where=strength > 0)
    for _ in range(length - 1):
        here = graph.matrix @ (here * scale)  # A is symmetric: (D^-1 A)ᵀ h = A D^-1 h
        total += here
    return total


class Noise:
    """Draws nodes with probabilities in proportion to expected visits to the power 3/4, as word2vec does.

    Args:
        visits: ``[N]``, not all of them 0.
    """

    def __init__(self, visits: Floats) -> None:
        self.node = np.flatnonzero(visits > 0)
        self.upto = np.cumsum(visits[self.node] ** 0.75)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Indices:
        """Draws independent nodes; sorted numbers are found faster, and are shuffled afterwards."""
        uniform = np.sort(rng.random(math.prod(shape))) * self.upto[-1]
        place = np.searchsorted(self.upto, uniform, side="right")
        rng.shuffle(place)
        chosen: Indices = self.node[np.minimum(place, self.node.size - 1)]
        return chosen.reshape(shape)
