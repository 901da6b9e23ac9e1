"""The backends of graphkd.sparse.spmm side by side; see README.md beside this file.

python experiments/spmm/run.py [--nodes 200000 --edges 2000000]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from graphkd.sparse import Adjacency, SparseMatrix, spmm
from graphkd.sparse.spmm import backend_for, multiply

sys.path.insert(0, str(Path(__file__).parents[1]))
from timing import interleaved, machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--edges", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    half = (args.nodes * torch.rand(2, args.edges // 2) ** 2).long()
    adj = Adjacency(torch.cat([half, half.flip(0)], dim=1), args.nodes)
    print(f"{args.nodes:,} nodes, {adj.matrix.nnz:,} directed edges, skewed degrees; {machine()}\n")
    print("| dtype | width | pass | embedding_bag ms | torch CSR ms | gather + index_add ms | rule picks |")
    print("|---|---|---|---|---|---|---|")
    for dtype in (torch.float32, torch.float64):
        operator = adj.normalize("symmetric", 1, dtype)
        operator.t()
        for width in (16, 64, 256):
            report(operator, width, dtype, args.rounds)


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


def index_add(operator: SparseMatrix, x: Tensor) -> Tensor:
    """Gather every edge, add into the receivers: what message passing does without a fused kernel."""
    messages = x.index_select(0, operator.col) * operator.value.unsqueeze(1)
    return x.new_zeros(operator.shape[0], x.shape[1]).index_add(0, operator.row, messages)


if __name__ == "__main__":
    main()
