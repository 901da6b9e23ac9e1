"""Which backend of ``spmm`` is fastest, by dtype and width."""

from __future__ import annotations

from collections.abc import Callable

import torch
from kernels import index_add
from timing import interleaved

from graphkd.sparse import Adjacency, SparseMatrix, spmm
from graphkd.sparse.spmm import backend_for, multiply


def table(adj: Adjacency, rounds: int) -> None:
    print("| dtype | width | pass | embedding_bag ms | torch CSR ms | gather + index_add ms | rule picks |")
    print("|---|---|---|---|---|---|---|")
    for dtype in (torch.float32, torch.float64):
        operator = adj.normalize("symmetric", 1, dtype)
        operator.t()
        for width in (16, 64, 256):
            report(operator, width, dtype, rounds)


def report(operator: SparseMatrix, width: int, dtype: torch.dtype, rounds: int) -> None:
    """Two lines of the table: the product, and the product with its backward pass as training does it."""
    x = torch.randn(operator.shape[1], width, dtype=dtype)
    tracked = x.clone().requires_grad_()
    chosen = backend_for(dtype, x.device)
    forward = {
        "embedding_bag": lambda: multiply(operator, x, "embedding_bag"),
        "csr": lambda: multiply(operator, x, "csr"),
        "index_add": lambda: index_add(operator, x),
    }
    both: dict[str, Callable[[], object]] = {
        "ours": lambda: spmm(operator, tracked).backward(x),
        "csr": lambda: (operator.torch() @ tracked).backward(x),
        "index_add": lambda: index_add(operator, tracked).backward(x),
    }
    ms = {name: 1000 * seconds for name, seconds in interleaved(forward, rounds).items()}
    row = f"{ms['embedding_bag']:.0f} | {ms['csr']:.0f} | {ms['index_add']:.0f} | {chosen}"
    print(f"| {str(dtype)[6:]} | {width} | forward | {row} |", flush=True)
    ms = {name: 1000 * seconds for name, seconds in interleaved(both, rounds).items()}
    ours = f"{ms['ours']:.0f} (ours)"
    cells = (ours, f"{ms['csr']:.0f}") if chosen == "embedding_bag" else ("–", f"{ms['csr']:.0f} ({ours})")
    print(
        f"| {str(dtype)[6:]} | {width} | + backward | {cells[0]} | {cells[1]} | {ms['index_add']:.0f} | {chosen} |"
    )
