"""One process's share of blocks that all processes have sampled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.sparse.block import Block
from graphkd.sparse.matrix import SparseMatrix


class Share(Block):
    """The rows of a block for a subset of its receivers, with columns for the sources of that subset only.

    Args:
        whole: the block.
        rows: ``[n']`` positions of the subset among its receivers.
    """

    def __init__(self, whole: Block, rows: Tensor) -> None:
        edges = whole.matrix.select(rows)
        nodes = SparseMatrix(edges.rowptr, whole.sources[edges.col], edges.value, whole.graph.num_nodes)
        super().__init__(whole.graph, whole.nodes[rows], nodes)
        self._whole, self._rows = whole, rows
        self.places = torch.searchsorted(whole.sources, self.sources)
        """``[m']`` positions of the share's sources among the block's."""

    @property
    def part(self) -> Shard:
        """Shard of the whole block's sources that the share reads."""
        return Shard(self.places, self._whole.num_nodes)

    @property
    def part_of_receivers(self) -> Shard:
        """Shard of the whole block's receivers that the share computes."""
        return Shard(self._rows, self._whole.num_receivers)

    @property
    def part_of_edges(self) -> Shard:
        """Shard of the entries of the whole block's ``normalize("none")`` that the share contains."""
        rowptr = self._whole.normalize("none").rowptr
        start = rowptr[self._rows]
        count = rowptr[self._rows + 1] - start
        first = torch.repeat_interleave(start - (count.cumsum(0) - count), count)
        return Shard(first + torch.arange(first.numel(), device=first.device), int(rowptr[-1]))


def shared_blocks(blocks: Sequence[Block], seeds: slice) -> list[Block]:
    """Builds blocks for a range of the seeds; they compute the same rows as the whole blocks do.

    Args:
        blocks: the first layer's first, see ``sample_blocks``.
        seeds: range of the last block's receivers.

    >>> import torch
    >>> from graphkd.sparse import Adjacency, sample_blocks
    >>> adj = Adjacency(torch.tensor([[1, 2], [0, 1]]), num_nodes=3)
    >>> blocks = sample_blocks(adj, torch.tensor([0, 1]), [5, 5], torch.Generator().manual_seed(0))
    >>> [block.num_receivers for block in shared_blocks(blocks, slice(0, 1))]
    [2, 1]
    """
    rows = torch.arange(blocks[-1].num_receivers, device=blocks[-1].sources.device)[seeds]
    shares: list[Block] = []
    for whole in reversed(blocks):
        share = Share(whole, rows)
        shares.append(share)
        rows = share.places  # its sources are the receivers of the previous block
    return shares[::-1]
