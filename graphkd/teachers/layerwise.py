"""What a teacher says of all nodes, hop by hop and a piece of the graph at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graphkd.outofcore import table_store
from graphkd.sparse import Adjacency, Block, Features, row_pieces, select_rows
from graphkd.teachers.base import Teacher
from graphkd.teachers.output import TeacherOutput

PIECE_BYTES = 2**29
"""What the rows that one piece of the graph reads may take, each edge with a sender of its own; half a GiB."""

Rows = Callable[[Block, slice], Tensor]
"""A piece of the graph, and which nodes its receivers are → their rows ``[n, d]``."""


@torch.no_grad()
def layerwise(model: Teacher, x: Features, adj: Adjacency) -> TeacherOutput:
    """The evaluation-mode output over full neighbourhoods, without ever holding more than tables and a piece.

    Each hop is finished for all nodes before the next one begins, so no row is computed twice. Equal to the
    forward pass over the whole graph up to rounding: a piece may take a product of three in another order. The
    tables are those of the workspace, which may keep them in files and finds finished blocks again.

    Args:
        model: the teacher, in evaluation mode.
        x: ``[N, D]``, dense or sparse.
        adj: the raw graph.

    Returns:
        ``logits [N, C]`` and the hops. Where hops are taken before the activation, each stands in one table with
        the embedding that the next one is made from.
    """
    last, first = x, None
    hops: list[Tensor] = []
    for k in range(len(model.norms)):
        table = _table(f"teacher-hop{k + 1}", adj, last, functools.partial(_hop, model, k, last, first))
        same = model.hops_from == "after_activation"
        told, last = (table, table) if same else table.chunk(2, dim=1)
        hops.append(told)
        first = last if first is None and model.initial_residual else first
    logits = _table("teacher-logits", adj, last, lambda block, rows: model.logits(block, _read(last, block)))
    return TeacherOutput(logits, [*hops, logits])


def pieces(adj: Adjacency, rows: slice, entries: int) -> Iterator[tuple[slice, Block]]:
    """The nodes ``rows`` in order, each piece with as many as have ``entries`` edges at most, at least one.

    Args:
        adj: the raw graph.
        rows: from which node to which.
        entries: edges into a piece's nodes, and one self-loop for each.
    """
    rowptr = adj.matrix.rowptr
    load = rowptr + torch.arange(rowptr.numel(), device=rowptr.device)
    for part in row_pieces(load, rows, entries):
        yield part, Block.of(adj, torch.arange(part.start, part.stop, device=rowptr.device))


def _table(name: str, adj: Adjacency, last: Features, compute: Rows) -> Tensor:
    """``[N, d]``, what ``compute`` says of all nodes from the rows ``last [N, d_in]``."""
    (rows, block), *_ = pieces(adj, slice(0, 1), 1)
    one = compute(block, rows)
    entries = table_store().within(PIECE_BYTES) // (one.element_size() * (last.shape[1] + one.shape[1]))

    def make(rows: slice) -> Tensor:
        made = one.new_empty(rows.stop - rows.start, one.shape[1])
        for part, block in pieces(adj, rows, entries):
            made[part.start - rows.start : part.stop - rows.start] = compute(block, part)
        return made

    shape = (adj.num_nodes, one.shape[1])
    return table_store().by_rows(name, shape, one.dtype, make, 2 * shape[1] * one.element_size())


def _hop(model: Teacher, k: int, last: Features, first: Tensor | None, block: Block, rows: slice) -> Tensor:
    """What is told of a hidden hop, and beside it the embedding where that is another."""
    earlier = None if first is None else first[rows].to(block.sources.device)
    told, out = model.hop(k, block, _read(last, block), earlier)
    return told if told is out else torch.cat([told, out], dim=1)


def _read(last: Features, block: Block) -> Features:
    """The rows of the sources; a table in a file is on the CPU."""
    return select_rows(last, block.sources.to(last.device)).to(block.sources.device)
