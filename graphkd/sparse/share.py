"""What one of several processes needs of blocks that all of them have drawn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphkd.distributed.shard import Shard
from graphkd.sparse.block import Block
from graphkd.sparse.matrix import SparseMatrix


class Share(Block):
    """The rows of a block that belong to some of its receivers, over those of its sources that they need.

    Args:
        whole: the block.
        rows: ``[n']`` which of its receivers.
    """

    def __init__(self, whole: Block, rows: Tensor) -> None:
        edges = whole.matrix.select(rows)
        nodes = SparseMatrix(edges.rowptr, whole.sources[edges.col], edges.value, whole.graph.num_nodes)
        super().__init__(whole.graph, whole.nodes[rows], nodes)
        self._whole, self._rows = whole, rows
        self.places = torch.searchsorted(whole.sources, self.sources)
        """``[m']`` which of the block's sources are its own."""

    @property
    def part(self) -> Shard:
        """Which of the whole's sources it is given the rows of."""
        return Shard(self.places, self._whole.num_nodes)

    @property
    def part_of_edges(self) -> Shard:
        """Which of the entries of the whole's ``normalize("none")`` are its own."""
        rowptr = self._whole.normalize("none").rowptr
        start = rowptr[self._rows]
        count = rowptr[self._rows + 1] - start
        first = torch.repeat_interleave(start - (count.cumsum(0) - count), count)
        return Shard(first + torch.arange(first.numel(), device=first.device), int(rowptr[-1]))


def shared_blocks(blocks: Sequence[Block], seeds: slice) -> list[Block]:
    """Blocks for some of the seeds: the rows they compute are those that the whole blocks would.

    Args:
        blocks: the first layer's first, see ``sample_blocks``.
        seeds: which of the last block's receivers.
    """
    rows = torch.arange(blocks[-1].num_receivers, device=blocks[-1].sources.device)[seeds]
    shares: list[Block] = []
    for whole in reversed(blocks):
        share = Share(whole, rows)
        shares.append(share)
        rows = share.places  # its sources are the receivers of the block before
    return shares[::-1]
