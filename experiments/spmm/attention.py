"""One layer of attention: ours beside PyG's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from memory import extra_megabytes
from timing import interleaved
from torch import nn
from torch_geometric.nn import GATConv

from graphkd.sparse import Adjacency
from graphkd.teachers.gat import GATLayer


def table(adj: Adjacency, width: int, rounds: int) -> None:
    print("| heads | layer | forward ms | ratio | extra MB | + backward ms | ratio | extra MB |")
    print("|---|---|---|---|---|---|---|---|")
    for heads in (1, 4):
        report(adj, width, heads, rounds)


def report(adj: Adjacency, width: int, heads: int, rounds: int) -> None:
    """Two lines; PyG gets the edges in order and with their self-loops, so that it need not add them."""
    pattern = adj.normalize("none")
    edges = torch.stack([pattern.col, pattern.row])
    ours = GATLayer(width, width // heads, heads, True, 0.0)
    theirs = GATConv(width, width // heads, heads, add_self_loops=False)
    for mine, other in ((ours.linear.weight, theirs.lin.weight), (ours.bias, theirs.bias)):
        other.data.copy_(mine.data)
    theirs.att_src.data.copy_(ours.att_src.data)
    theirs.att_dst.data.copy_(ours.att_dst.data)
    x, upstream = torch.randn(2, adj.num_nodes, width)
    tracked = x.clone().requires_grad_()
    with torch.no_grad():
        torch.testing.assert_close(ours(x, adj), theirs(x, edges), atol=1e-4, rtol=1e-4)

    def forget() -> None:
        for layer in (ours, theirs):
            layer.zero_grad()
        tracked.grad = None

    def forward(layer: nn.Module, graph: object) -> Callable[[], object]:
        return torch.no_grad()(lambda: layer(x, graph))

    def both(layer: nn.Module, graph: object) -> Callable[[], object]:
        return lambda: layer(tracked, graph).backward(upstream)

    runs = [{"graphkd": make(ours, adj), "PyG GATConv": make(theirs, edges)} for make in (forward, both)]
    seconds = [interleaved(run, rounds) for run in runs]
    for name in runs[0]:
        cells = []
        for run, taken in zip(runs, seconds, strict=True):
            forget()
            megabytes = extra_megabytes(run[name])
            cells.append(f"{1000 * taken[name]:.0f} | {taken[name] / taken['graphkd']:.1f} | {megabytes:.0f}")
        print(f"| {heads} | {name} | {' | '.join(cells)} |", flush=True)
