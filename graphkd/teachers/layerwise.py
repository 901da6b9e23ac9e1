"""What a teacher says of all nodes, hop by hop and a piece of the graph at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graphkd.sparse import Adjacency, Block, Features, select_rows
from graphkd.teachers.base import Teacher
from graphkd.teachers.output import TeacherOutput

ENTRIES = 2**19
"""Edges that are worked on at once; 0.5 GB where each has a sender of its own and rows have 256 columns."""

Allocator = Callable[[str, tuple[int, int]], Tensor]
"""A name and a shape → an empty table; a file may hold it: rows are assigned and selected, no more."""


@torch.no_grad()
def layerwise(
    model: Teacher, x: Features, adj: Adjacency, table: Allocator | None = None, entries: int = ENTRIES
) -> TeacherOutput:
    """The evaluation-mode output over full neighbourhoods, without ever holding more than tables and a piece.

    Each hop is finished for all nodes before the next one begins, so no row is computed twice. Equal to the
    forward pass over the whole graph up to rounding: a piece may take a product of three in another order.

    Args:
        model: the teacher, in evaluation mode.
        x: ``[N, D]``, dense or sparse.
        adj: the raw graph.
        table: makes the tables ``hop1 …`` and ``logits``, and ``embedding1 …`` where hops are taken before the
            activation; by default in memory.
        entries: edges of a piece at most; a node with more is a piece of its own.

    Returns:
        ``logits [N, C]`` and the hops, in the tables.
    """
    weight = next(model.parameters())
    fill = functools.partial(_filled, adj, entries, table or (lambda name, shape: weight.new_empty(shape)))
    last, first = x, None
    hops: list[Tensor] = []
    for k in range(len(model.norms)):
        told, *state = fill([f"hop{k + 1}", f"embedding{k + 1}"], functools.partial(_hop, model, k, last, first))
        hops.append(told)
        last = state[0] if state else told
        first = last if first is None and model.initial_residual else first
    (logits,) = fill(["logits"], functools.partial(_logits, model, last))
    return TeacherOutput(logits, [*hops, logits])


def pieces(adj: Adjacency, entries: int = ENTRIES) -> Iterator[tuple[slice, Block]]:
    """The nodes in order, each piece with as many as have at most ``entries`` edges into them, at least one."""
    rowptr, start = adj.matrix.rowptr, 0
    # A self-loop per node counts as well, or a graph without edges would be one piece.
    load = rowptr + torch.arange(rowptr.numel(), device=rowptr.device)
    while start < adj.num_nodes:
        stop = int(torch.searchsorted(load, load[start] + entries, right=True)) - 1
        stop = max(stop, start + 1)
        yield slice(start, stop), Block.of(adj, torch.arange(start, stop, device=rowptr.device))
        start = stop


def _filled(
    adj: Adjacency,
    entries: int,
    table: Allocator,
    names: list[str],
    compute: Callable[[slice, Block], list[Tensor]],
) -> list[Tensor]:
    """Tables with what ``compute`` says of every piece; as many as it has parts."""
    tables: list[Tensor] = []
    for rows, block in pieces(adj, entries):
        found = compute(rows, block)
        if not tables:
            tables = [
                table(name, (adj.num_nodes, part.shape[1])) for name, part in zip(names, found, strict=False)
            ]
        for whole, part in zip(tables, found, strict=True):
            whole[rows] = part
    return tables


def _hop(model: Teacher, k: int, last: Features, first: Tensor | None, rows: slice, block: Block) -> list[Tensor]:
    """What is told of a hidden hop, and its embedding where that is another."""
    inputs = _inputs(model, last, block)
    told, out = model.hop(k, block, inputs, None if first is None else first[rows].to(inputs.dtype))
    return [told] if told is out else [told, out]


def _logits(model: Teacher, last: Features, rows: slice, block: Block) -> list[Tensor]:
    return [model.logits(block, _inputs(model, last, block))]


def _inputs(model: Teacher, last: Features, block: Block) -> Features:
    """The rows of the sources; a table may be stored in fewer bits than the network computes with."""
    return select_rows(last, block.sources).to(next(model.parameters()).dtype)
