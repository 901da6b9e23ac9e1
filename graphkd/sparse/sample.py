"""Neighbour sampling, so that a layer's cost depends on the batch and not on the graph.

Plain torch over CSR runs wherever torch does; PyG's ``NeighborLoader`` needs a compiled extension and is not used.
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
    """Samples the blocks of a network for the rows of ``seeds``: one per layer, with independent neighbours.

    Args:
        graph: the raw graph.
        seeds: ``[n]`` int64 nodes, each once; the receivers of the last block, in this order.
        fanouts: maximal number of sampled neighbours per node for each layer, the first layer's first.
        generator: on the graph's device.

    Returns:
        The first layer's block first; the receivers of each are the sources of the next one.

    >>> adj = Adjacency(torch.tensor([[1, 2, 3], [0, 1, 2]]), num_nodes=4)
    >>> blocks = sample_blocks(adj, torch.tensor([0]), [5, 5], torch.Generator().manual_seed(0))
    >>> [(block.num_nodes, block.num_receivers) for block in blocks]
    [(3, 2), (2, 1)]
    """
    blocks: list[Block] = []
    for fanout in reversed(fanouts):
        blocks.append(sample(graph, blocks[-1].sources if blocks else seeds, fanout, generator))
    return blocks[::-1]


def sample(graph: Adjacency, receivers: Tensor, fanout: int, generator: torch.Generator) -> Block:
    """Samples up to ``f`` edges into each receiver without replacement.

    Of the ``d_i`` entries of row i, ``s_i = min(d_i, f)`` are sampled, every set of that size equally likely, with
    weights ``A_ij d_i / s_i``: the expected row is that of ``A``, and a row's mean is that of the sample.

    Args:
        graph: the raw graph.
        receivers: ``[n]`` int64 nodes, each once.
        fanout: ``f``, from 1.
        generator: on the graph's device.

    >>> adj = Adjacency(torch.tensor([[1, 2, 3], [0, 0, 0]]), num_nodes=4)
    >>> block = sample(adj, torch.tensor([0]), fanout=2, generator=torch.Generator().manual_seed(0))
    >>> block.normalize("row", self_loops=0).value
    tensor([0.5000, 0.5000])
    """
    matrix = graph.matrix
    start = matrix.rowptr[receivers]
    degree = matrix.rowptr[receivers + 1] - start
    position = subsets(degree, fanout, generator)
    count = degree.clamp(max=position.shape[1])
    mask = torch.arange(position.shape[1], device=degree.device) < count.unsqueeze(1)
    entry = position.add_(start.unsqueeze(1))[mask]
    weight = torch.repeat_interleave(degree / count.clamp(min=1).double(), count) * matrix.value[entry]
    rowptr = torch.cat([count.new_zeros(1), count.cumsum(0)])
    return Block(graph, receivers, SparseMatrix(rowptr, matrix.col[entry], weight, graph.num_nodes))


def subsets(sizes: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Draws ``k`` of the numbers ``0 … sizes[i] − 1`` for each ``i``, ascending, all sets of ``k`` equally likely.

    Step t of k draws from ``0 … j`` with ``j = sizes[i] − k + t``, and uses ``j`` itself if the number
    has been drawn before: k steps, for any sizes.

    Args:
        sizes: ``[n]`` int64.
        most: ``k``, clamped to the largest size.
        generator: on the device of ``sizes``.

    Returns:
        ``[n, k]``; ``0 … k − 1`` where ``sizes[i] ≤ k``.

    Source: Floyd's algorithm, in Bentley, Programming Pearls: A Sample of Brilliance, Comm. ACM 1987
    """
    most = min(most, int(sizes.max())) if sizes.numel() else 0
    steps = torch.arange(most, device=sizes.device)
    subset = steps.repeat(sizes.numel(), 1)
    large = (sizes > most).nonzero().squeeze(1)
    last = sizes[large] - most + steps.unsqueeze(1)
    uniform = torch.rand(last.shape, generator=generator, dtype=torch.float64, device=sizes.device)
    pick = uniform.mul_(last + 1).long()
    for step in range(1, most):
        duplicate = (pick[:step] == pick[step]).any(dim=0)
        pick[step] = torch.where(duplicate, last[step], pick[step])
    subset[large] = pick.t().sort(dim=1).values
    return subset
