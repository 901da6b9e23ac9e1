"""A teacher's output on a few nodes, whose whole neighbourhood is gathered first."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Adjacency, Block, Features, select_rows
from graphkd.teachers.base import Teacher


@torch.no_grad()
def fetched(model: Teacher, x: Features, adj: Adjacency, nodes: Tensor) -> Tensor:
    """Computes the evaluation-mode logits of some nodes from all edges in reach, without sampling or caching.

    Reads one block per hop, where ``nodes`` are the receivers of the last block, and the feature rows of the first
    block's sources. Equal to the rows of the forward pass over the whole graph, up to rounding.

    Args:
        model: the teacher, in evaluation mode.
        x: ``[N, D]``, dense or sparse.
        adj: the raw graph.
        nodes: ``[n]`` int64, without duplicates.

    Returns:
        ``[n, C]``.
    """
    blocks = neighbourhood(adj, nodes, len(model.convs))
    logits: Tensor = model(select_rows(x, blocks[0].sources), blocks).logits
    return logits


def neighbourhood(adj: Adjacency, nodes: Tensor, hops: int) -> list[Block]:
    """Returns all edges that the rows of ``nodes [n]`` depend on: a block per hop, the first hop's first."""
    blocks = [Block.of(adj, nodes)]
    while len(blocks) < hops:
        blocks.insert(0, Block.of(adj, blocks[0].sources))
    return blocks
