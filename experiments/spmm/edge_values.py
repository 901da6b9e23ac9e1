"""The kernels behind attention: reductions over the entries of a row, and the gradient to an entry."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from timing import interleaved
from torch import Tensor

from graphkd.sparse import Adjacency, SparseMatrix
from graphkd.sparse.segment import segment_backends, segment_reduce

BLOCK = 1 << 15


def table(adj: Adjacency, rounds: int) -> None:
    pattern = adj.normalize("none")
    print("| what | kernel, ms |")
    print("|---|---|")
    for heads in (1, 4):
        values = torch.randn(pattern.nnz, heads)
        for reduction in ("sum", "max"):
            report(f"{reduction} over rows, [nnz, {heads}]", reductions(pattern, values, reduction), rounds)
    for width in (16, 64):
        left, right = torch.randn(2, adj.num_nodes, width)
        report(f"⟨g[row], x[col]⟩, {width} columns", sampled(pattern, left, right), rounds)


def report(what: str, contenders: dict[str, Callable[[], object]], rounds: int) -> None:
    seconds = sorted(interleaved(contenders, rounds).items(), key=lambda item: item[1])
    print(f"| {what} | {', '.join(f'{name} {1000 * value:.0f}' for name, value in seconds)} |", flush=True)


def reductions(pattern: SparseMatrix, values: Tensor, reduction: str) -> dict[str, Callable[[], object]]:
    entry, row = torch.arange(pattern.nnz), pattern.row
    index = row.unsqueeze(1).expand_as(values)
    start, reduce = values.new_zeros(pattern.shape[0], values.shape[1]), {"sum": "sum", "max": "amax"}[reduction]
    contenders: dict[str, Callable[[], object]] = {
        backend: lambda backend=backend: segment_reduce(pattern.rowptr, values, reduction, backend)
        for backend in segment_backends(values.device)
    }
    contenders["scatter_reduce"] = lambda: start.scatter_reduce(0, index, values, reduce, include_self=False)
    contenders["embedding_bag"] = lambda: F.embedding_bag(
        entry, values, pattern.rowptr, mode=reduction, include_last_offset=True
    )
    if reduction == "sum":
        contenders["index_add"] = lambda: start.index_add(0, row, values)
    return contenders


def sampled(pattern: SparseMatrix, left: Tensor, right: Tensor) -> dict[str, Callable[[], object]]:
    csr = SparseMatrix(pattern.rowptr, pattern.col, torch.zeros(pattern.nnz), pattern.shape[1]).torch()
    row, col = pattern.row, pattern.col

    def blocks() -> Tensor:
        out = left.new_empty(pattern.nnz)
        for start in range(0, pattern.nnz, BLOCK):
            part = slice(start, start + BLOCK)
            product = left.index_select(0, row[part]).mul_(right.index_select(0, col[part]))
            torch.sum(product, 1, out=out[part])
        return out

    return {
        "sampled_addmm": lambda: torch.sparse.sampled_addmm(csr, left, right.t(), beta=0.0, out=csr),
        "gather in blocks": blocks,
    }
