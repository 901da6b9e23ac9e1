"""Contexts of anchor nodes: nodes that are near by, and nodes drawn from all."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphkd.positions.graph import Undirected
from graphkd.positions.walks import Walker
from graphkd.ranges import check_counts
from graphkd.sparse import Adjacency


@dataclass(frozen=True)
class Contexts:
    """A context for each anchor.

    Args:
        anchors: ``[A]``, the nodes that have an edge, ascending.
        nodes: ``[A, S]``, none of which is the row's own anchor; a node that walks meet twice is in it twice.

    >>> Contexts(torch.tensor([0, 4]), torch.tensor([[1, 2], [3, 3]])).pairs().tolist()
    [[0, 1], [0, 2], [4, 3], [4, 3]]
    """

    anchors: Tensor
    nodes: Tensor

    def pairs(self) -> Tensor:
        """Returns ``[A · S, 2]``, each anchor with each node of its context, row by row."""
        return torch.stack([self.anchors.repeat_interleave(self.nodes.shape[1]), self.nodes.reshape(-1)], dim=1)


def draw_contexts(adj: Adjacency, walks: int = 3, length: int = 3, uniform: int = 9, seed: int = 0) -> Contexts:
    """Draws the context of each node that has an edge: ``S = walks · length + uniform`` nodes.

    Near nodes are those that random walks of ``length`` steps from the anchor meet; a step back onto the anchor
    itself is replaced by a node drawn uniformly, of which there are ``uniform`` more.

    Source: Guo et al., Linkless Link Prediction via Relational Distillation, ICML 2023, section 4.1

    Args:
        adj: ``N`` nodes.
        walks: from each anchor.
        length: steps of a walk.
        uniform: nodes drawn uniformly from all others, with replacement.
        seed: of the walks and of the draws.

    Raises:
        GraphKDError: a size is out of its range.

    >>> triangle = Adjacency(torch.tensor([[0, 1, 2], [1, 2, 0]]), num_nodes=4)
    >>> contexts = draw_contexts(triangle, walks=2, length=2, uniform=1)
    >>> contexts.anchors.tolist(), contexts.nodes.shape
    ([0, 1, 2], torch.Size([3, 5]))
    """
    check_context(walks, length, uniform)
    check_counts("links", 2, nodes=adj.num_nodes)
    graph = Undirected.of(adj)
    rng = np.random.default_rng(zlib.crc32(f"links-contexts-{seed}".encode()))
    anchors, walker = graph.linked, Walker(graph)
    met = [walker.walks(anchors, length + 1, rng)[:, 1:] for _ in range(walks)]
    # Numbers from 0 to N − 2, moved past the anchor, are the other nodes.
    others = rng.integers(adj.num_nodes - 1, size=(anchors.size, walks * length + uniform))
    own = anchors[:, None]
    others = others + (others >= own)
    near = np.concatenate([*met, np.broadcast_to(own, (anchors.size, uniform))], axis=1)
    nodes = np.where(near == own, others, near)
    return Contexts(torch.from_numpy(anchors), torch.from_numpy(nodes.astype(np.int64)))


def check_context(walks: int, length: int, uniform: int) -> None:
    """Checks the sizes of a context: two nodes at least, else there is nothing to order.

    Raises:
        GraphKDError: a size is out of its range.
    """
    check_counts("links", 0, walks=walks, length=length, uniform=uniform)
    check_counts("links", 2, context=walks * length + uniform)
