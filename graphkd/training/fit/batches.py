"""The rows of compiled targets in an order that is drawn anew for every epoch."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import torch
from torch import Tensor

from graphkd.distributed import Shard, world
from graphkd.methods import Targets
from graphkd.prefetch import ahead
from graphkd.sparse import Factored, Features, SparseMatrix, at_least_single, select_rows

BLOCK_ROWS = 2**12
"""Rows that are read in one piece, at most."""

POOL_BYTES = 2**28
"""Of the rows that are shuffled together; two such pools are in memory at once."""

BLOCKS = 16
"""From so many places in the tables, at least, come the rows of a pool."""


class Batches:
    """Batches of ``B`` rows; over an epoch each row comes once, and only the last batch is smaller.

    Tables may be mapped files, larger than memory: the rows are cut into blocks, the blocks come in an order that
    is drawn, and of their stream a pool of whole batches at a time is read into memory, each row to a place that
    is drawn. While batches are cut from one pool a thread reads the next. Where all rows fit into one pool this is
    an exact uniform shuffle. What is drawn depends on seed, epoch and sizes, and on nothing else: the generator is
    one of its own.

    Factored inputs become a table of sparse rows, once: their advantage is that of all rows at once.

    Where several processes share a run, each draws the same batches and gets its part of every one.

    Args:
        targets: all rows.
        size: ``B``; nothing, or ``N`` and more, gives all rows at once in their own order.
        seed: of the run.
        device: of the batches.
        moves: whether the targets are changed in place between epochs: what is copied of them is copied anew then.
    """

    def __init__(
        self, targets: Targets, size: int | None, seed: int, device: torch.device, moves: bool = False
    ) -> None:
        self.size, self.seed, self.device = size, seed, device
        self.whole = size is None or size >= targets.num_rows
        self._moving = targets if moves and self.whole and world().is_distributed else None
        inputs = targets.inputs
        if self.whole and world().is_distributed:
            targets = _piece(targets, range(targets.num_rows), device)
        elif self.whole:
            inputs = inputs if isinstance(inputs, Factored) else inputs.to(device)
            targets = targets.batch(inputs, lambda table: table.to(device), targets.num_rows)
        elif isinstance(inputs, Factored):
            every = select_rows(inputs, torch.arange(targets.num_rows, device=inputs.device))
            targets = targets.batch(every, lambda table: table, targets.num_rows)
        self.targets = targets

    def epoch(self, epoch: int) -> Iterator[Targets]:
        """Yields the batches of an epoch, the same ones whenever it is called for this epoch."""
        if self._moving is not None:
            yield _piece(self._moving, range(self._moving.num_rows), self.device)
            return
        if self.whole or self.size is None:
            yield self.targets
            return
        if self.targets.edges is not None:
            yield from self._with_neighbours(epoch, self.size)
            return
        for pool in ahead(self._pools(epoch, self.size)):
            for start in range(0, pool.num_rows, self.size):
                yield _piece(pool, range(start, min(start + self.size, pool.num_rows)), self.device)

    def _generator(self, epoch: int) -> torch.Generator:
        return torch.Generator().manual_seed(zlib.crc32(f"rows-{self.seed}-{epoch}".encode()))

    def _with_neighbours(self, epoch: int, size: int) -> Iterator[Targets]:
        """Batches of rows in an order that is drawn, each with its edges and their senders' rows."""
        generator = self._generator(epoch)
        order = torch.randperm(self.targets.num_rows, generator=generator)
        for start in range(0, order.numel(), size):
            yield self.targets.select(order[start : start + size])

    def _pools(self, epoch: int, size: int) -> Iterator[Targets]:
        generator = self._generator(epoch)
        rows, pool = self.targets.num_rows, max(1, POOL_BYTES // (row_bytes(self.targets) * size)) * size
        block = max(1, min(BLOCK_ROWS, pool // BLOCKS))
        order = torch.randperm(-(-rows // block), generator=generator).tolist()
        blocks = [range(k * block, min((k + 1) * block, rows)) for k in order]
        for pieces in cut(blocks, pool):
            place = torch.randperm(sum(map(len, pieces)), generator=generator)
            yield _read(self.targets, pieces, place)


def row_bytes(targets: Targets) -> int:
    """Of one row in a pool, in float32; 1 or more."""
    inputs, soft = targets.inputs, targets.soft
    width = sum(hop.shape[1] for hop in targets.hops) + (soft.table.shape[1] + 1 if soft is not None else 0)
    if soft is not None and soft.adjust_rows is not None:
        width += soft.adjust_rows.shape[1]
    width += sum(table[:1].numel() for table in targets.tables.values())
    if isinstance(inputs, SparseMatrix):  # a value and its column
        return 4 * width + 12 * -(-inputs.nnz // max(targets.num_rows, 1)) + 1
    return 4 * (width + inputs.shape[1])


def cut(blocks: list[range], size: int) -> Iterator[list[range]]:
    """The stream of the blocks' rows in pieces of ``size`` rows, the last of what is left; blocks may be split."""
    piece: list[range] = []
    space = size
    for block in blocks:
        while block:
            piece.append(block[:space])
            block, space = block[space:], space - len(piece[-1])
            if space == 0:
                yield piece
                piece, space = [], size
    if piece:
        yield piece


def _read(targets: Targets, pieces: list[range], place: Tensor) -> Targets:
    """Rows as a batch in memory: row ``k`` of the pieces' stream at ``place[k]``."""

    def rows(table: Tensor) -> Tensor:
        dtype = at_least_single(table[:0]).dtype
        pool = torch.empty((place.numel(), *table.shape[1:]), dtype=dtype, device=table.device)
        parts = torch.split(place.to(table.device), [len(piece) for piece in pieces])
        for piece, part in zip(pieces, parts, strict=True):
            pool.index_copy_(0, part, table[piece.start : piece.stop].to(dtype))
        return pool

    inputs = targets.inputs
    if isinstance(inputs, Tensor):
        return targets.batch(rows(inputs), rows, place.numel())
    stream = torch.cat([torch.arange(piece.start, piece.stop) for piece in pieces])
    order = torch.empty_like(stream).index_copy_(0, place, stream)
    return targets.batch(inputs.select(order.to(inputs.device)), rows, place.numel())


def _piece(pool: Targets, batch: range, device: torch.device) -> Targets:
    """Neighbouring rows of a pool, or this process's part; of dense tables on the device already a view."""
    inputs: Features
    own = world().rows(len(batch))
    rows = batch[own]
    if isinstance(pool.inputs, Tensor):
        inputs = pool.inputs[rows.start : rows.stop]
    else:
        inputs = pool.inputs.select(torch.arange(rows.start, rows.stop, device=pool.inputs.device))
    piece = pool.batch(inputs.to(device), lambda table: table[rows.start : rows.stop].to(device), len(rows))
    if not world().is_distributed:
        return piece
    return piece.as_shard(Shard(own, len(batch)), pool.scale * pool.num_rows / len(batch))
