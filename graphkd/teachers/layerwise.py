"""A teacher's output on all nodes, computed hop by hop and over one piece of the graph at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from graphkd.outofcore import table_store
from graphkd.sparse import Adjacency, Block, Features, row_pieces, select_rows
from graphkd.teachers.base import Teacher
from graphkd.teachers.output import TeacherOutput

PIECE_BYTES = 2**29
"""Bytes of the rows that one piece of the graph reads, at most, with one sender per edge; half a GiB."""

Rows = Callable[[Block, slice], Tensor]
"""A piece of the graph, and the node numbers of its receivers → their rows ``[n, d]``."""


@torch.no_grad()
def layerwise(model: Teacher, x: Features, adj: Adjacency) -> TeacherOutput:
    """Computes the evaluation-mode output over full neighbourhoods, with only tables and one piece in memory.

    Each hop is finished for all nodes before the next one begins, so no row is computed twice. Equal to the
    forward pass over the whole graph up to rounding: a piece may multiply three matrices in another order. The
    tables belong to the current table store, which may keep them in files and reuses finished blocks.

    Args:
        model: the teacher, in evaluation mode.
        x: ``[N, D]``, dense or sparse.
        adj: the raw graph.

    Returns:
        ``logits [N, C]`` and the hops. Where hops are taken before the activation, each shares one table with
        the embedding that the next hop is computed from.
    """
    first = _start(model, x) if model.starts else None
    last = x if first is None else first
    hops: list[Tensor] = []
    earlier: list[Tensor] = []
    for k in range(len(model.convs) - 1):
        table = _table(f"teacher-hop{k + 1}", adj, last, functools.partial(_hop, model, k, last, first))
        same = model.hops_from == "after_activation"
        embedding, last = (table, table) if same else table.chunk(2, dim=1)
        hops.append(embedding)
        first = last if first is None and model.initial_residual else first
        earlier += [last] if model.reads_earlier else []
    beside: list[Tensor | None] = [] if model.readout is None else [first, *earlier]
    logits = _table("teacher-logits", adj, last, functools.partial(_logits, model, last, beside))
    return TeacherOutput(logits, [*hops, logits])


def pieces(adj: Adjacency, rows: slice, entries: int) -> Iterator[tuple[slice, Block]]:
    """Yields the nodes ``rows`` in order, in pieces of ``entries`` edges at most, but of one node at least.

    Args:
        adj: the raw graph.
        rows: the range of nodes.
        entries: edges into a piece's nodes, and one self-loop per node.
    """
    rowptr = adj.matrix.rowptr
    load = rowptr + torch.arange(rowptr.numel(), device=rowptr.device)
    for part in row_pieces(load, rows, entries):
        yield part, Block.of(adj, torch.arange(part.start, part.stop, device=rowptr.device))


def _table(name: str, adj: Adjacency, last: Features, compute: Rows) -> Tensor:
    """Computes ``[N, d]``: ``compute`` on all nodes, from the rows ``last [N, d_in]``."""
    (rows, block), *_ = pieces(adj, slice(0, 1), 1)
    sample = compute(block, rows)
    entries = table_store().within(PIECE_BYTES) // (sample.element_size() * (last.shape[1] + sample.shape[1]))

    def make(rows: slice) -> Tensor:
        result = sample.new_empty(rows.stop - rows.start, sample.shape[1])
        for part, block in pieces(adj, rows, entries):
            result[part.start - rows.start : part.stop - rows.start] = compute(block, part)
        return result

    shape = (adj.num_nodes, sample.shape[1])
    return table_store().by_rows(name, shape, sample.dtype, make, 2 * shape[1] * sample.element_size())


def _start(model: Teacher, x: Features) -> Tensor:
    """Computes ``e_0 [N, h]``, which needs no edges."""

    def make(rows: slice) -> Tensor:
        started = model.start(select_rows(x, torch.arange(rows.start, rows.stop, device=x.device)))
        assert isinstance(started, Tensor)
        return started

    sample = make(slice(0, 1))
    width = sample.shape[1]
    row_bytes = (x.shape[1] + width) * sample.element_size()
    return table_store().by_rows("teacher-start", (x.shape[0], width), sample.dtype, make, row_bytes)


def _hop(model: Teacher, k: int, last: Features, first: Tensor | None, block: Block, rows: slice) -> Tensor:
    """Computes a hop's embedding in the output and, in further columns, the next hop's input where it differs."""
    embedding, out = model.hop(k, block, _read(last, block), _at(first, block, rows))
    return embedding if embedding is out else torch.cat([embedding, out], dim=1)


def _logits(model: Teacher, last: Features, beside: list[Tensor | None], block: Block, rows: slice) -> Tensor:
    tables: list[Any] = [_at(table, block, rows) for table in beside]
    return model.logits(block, _read(last, block), *tables)


def _at(table: Tensor | None, block: Block, rows: slice) -> Tensor | None:
    return None if table is None else table[rows].to(block.sources.device)


def _read(last: Features, block: Block) -> Features:
    """Reads the rows of the sources; a table in a file is on the CPU."""
    return select_rows(last, block.sources.to(last.device)).to(block.sources.device)
