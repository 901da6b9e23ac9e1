"""Neighbours drawn at random, so that a layer's cost depends on the batch and not on the graph.

Plain torch over CSR: one way that works wherever torch does, so PyG's ``NeighborLoader``, which needs a compiled
extension, is not used beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.block import Block
from graphkd.sparse.matrix import SparseMatrix


def sample_blocks(
    graph: Adjacency, seeds: Tensor, fanouts: Sequence[int], generator: torch.Generator
) -> list[Block]:
    """What a network needs for the rows of ``seeds``: one block per layer, neighbours drawn anew in each.

    Args:
        graph: the raw graph.
        seeds: ``[n]`` int64 nodes, each once; the receivers of the last block, in this order.
        fanouts: neighbours that each layer draws per node at most, the first layer's first.
        generator: on the graph's device.

    Returns:
        The first layer's block first; the receivers of each are the sources of the next one.
    """
    blocks: list[Block] = []
    for fanout in reversed(fanouts):
        blocks.append(sample(graph, blocks[-1].sources if blocks else seeds, fanout, generator))
    return blocks[::-1]


def sample(graph: Adjacency, receivers: Tensor, fanout: int, generator: torch.Generator) -> Block:
    """Up to ``f`` edges into each receiver, drawn without replacement.

    Of the ``d_i`` entries of row i, ``s_i = min(d_i, f)`` are kept, every set of that size equally likely, with
    weights ``A_ij d_i / s_i``: the expected row is that of ``A``, and a row's mean is that of what was drawn.

    Args:
        graph: the raw graph.
        receivers: ``[n]`` int64 nodes, each once.
        fanout: ``f``, from 1.
        generator: on the graph's device.
    """
    matrix = graph.matrix
    start = matrix.rowptr[receivers]
    degree = matrix.rowptr[receivers + 1] - start
    place = subsets(degree, fanout, generator)
    drawn = degree.clamp(max=place.shape[1])
    kept = torch.arange(place.shape[1], device=degree.device) < drawn.unsqueeze(1)
    entry = place.add_(start.unsqueeze(1))[kept]
    weight = torch.repeat_interleave(degree / drawn.clamp(min=1).double(), drawn) * matrix.value[entry]
    rowptr = torch.cat([drawn.new_zeros(1), drawn.cumsum(0)])
    return Block(graph, receivers, SparseMatrix(rowptr, matrix.col[entry], weight, graph.num_nodes))


def subsets(sizes: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """``k`` of the numbers ``0 … sizes[i] − 1`` for each ``i``, ascending, all sets of ``k`` equally likely.

    Step t of k draws from ``0 … j`` with ``j = sizes[i] − k + t``, and takes ``j`` itself where the number is
    there already: k steps, whatever the sizes.

    Args:
        sizes: ``[n]`` int64.
        most: ``k``, lowered to the largest size.
        generator: on the device of ``sizes``.

    Returns:
        ``[n, k]``; where ``sizes[i] ≤ k`` simply ``0 … k − 1``.

    Source: Floyd's algorithm, in Bentley, Programming Pearls: A Sample of Brilliance, Comm. ACM 1987
    """
    most = min(most, int(sizes.max())) if sizes.numel() else 0
    steps = torch.arange(most, device=sizes.device)
    chosen = steps.repeat(sizes.numel(), 1)
    large = (sizes > most).nonzero().squeeze(1)
    last = sizes[large] - most + steps.unsqueeze(1)
    uniform = torch.rand(last.shape, generator=generator, dtype=torch.float64, device=sizes.device)
    pick = uniform.mul_(last + 1).long()
    for step in range(1, most):
        before = (pick[:step] == pick[step]).any(dim=0)
        pick[step] = torch.where(before, last[step], pick[step])
    chosen[large] = pick.t().sort(dim=1).values
    return chosen
