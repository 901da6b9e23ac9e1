"""One product, every kernel of the PyTorch world that computes it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from memory import extra_megabytes
from timing import interleaved
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.utils import scatter

from graphkd.backends import has_torch_scatter
from graphkd.sparse import Adjacency, SparseMatrix, spmm

Product = Callable[[Tensor], Tensor]


def table(adj: Adjacency, width: int, rounds: int) -> None:
    operator = adj.normalize("symmetric")
    contenders = products(operator)
    x = torch.randn(operator.shape[1], width)
    tracked = x.clone().requires_grad_()
    expected = spmm(operator, x)
    for name, product in contenders.items():
        torch.testing.assert_close(product(x), expected, atol=1e-4, rtol=1e-4, msg=lambda m, n=name: f"{n}: {m}")
    forward = {name: lambda product=product: product(x) for name, product in contenders.items()}
    both = {name: lambda product=product: product(tracked).backward(x) for name, product in contenders.items()}
    forward_ms, both_ms = interleaved(forward, rounds), interleaved(both, rounds)
    print("| kernel | forward ms | ratio | extra MB | + backward ms | ratio | extra MB |")
    print("|---|---|---|---|---|---|---|")
    ours = next(iter(contenders))
    for name in contenders:
        cells = []
        for seconds, runs in ((forward_ms, forward), (both_ms, both)):
            tracked.grad = None
            ratio = seconds[name] / seconds[ours]
            cells.append(f"{1000 * seconds[name]:.0f} | {ratio:.1f} | {extra_megabytes(runs[name]):.0f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def products(operator: SparseMatrix) -> dict[str, Product]:
    """Each with the backward pass that its library gives it; whatever can be prepared once is prepared."""
    operator.t()
    coo = EdgeIndex(
        torch.stack([operator.row, operator.col]),
        sparse_size=operator.shape,
        sort_order="row",
        is_undirected=True,
    ).fill_cache_()
    contenders: dict[str, Product] = {
        "graphkd.sparse.spmm (embedding_bag)": lambda x: spmm(operator, x),
        "torch_geometric EdgeIndex.matmul": lambda x: coo.matmul(x, input_value=operator.value),
        "torch.sparse.mm(reduce='sum')": lambda x: torch.sparse.mm(operator.torch(), x, "sum"),
        "torch CSR @ dense": lambda x: operator.torch() @ x,
        "gather, torch_geometric scatter": scatter_sum(operator),
        "gather, index_add": lambda x: index_add(operator, x),
    }
    if has_torch_scatter():
        contenders["gather, torch_scatter.segment_csr"] = segment_sum(operator)
    return contenders


def messages(operator: SparseMatrix, x: Tensor) -> Tensor:
    """The weighted sender of every edge: ``[nnz, d]``."""
    return x.index_select(0, operator.col).mul_(operator.value.unsqueeze(1))


def index_add(operator: SparseMatrix, x: Tensor) -> Tensor:
    """Gather every edge, add into the receivers: what message passing does without a fused kernel."""
    return x.new_zeros(operator.shape[0], x.shape[1]).index_add(0, operator.row, messages(operator, x))


def scatter_sum(operator: SparseMatrix) -> Product:
    row = operator.row
    return lambda x: scatter(messages(operator, x), row, dim=0, dim_size=operator.shape[0], reduce="sum")


def segment_sum(operator: SparseMatrix) -> Product:
    from torch_scatter import segment_csr

    return lambda x: segment_csr(messages(operator, x), operator.rowptr, reduce="sum")
