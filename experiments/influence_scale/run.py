"""InfGraND's influence for signed features of any size; see README.md beside this file.

python experiments/influence_scale/run.py arxiv|products|check [--kinds correlated spread gaussian]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from data import KINDS, graph, groups, table
from memory import extra_megabytes  # experiments/memory.py
from timing import machine  # experiments/timing.py

from graphkd.influence.certificate import Interval, infgrand_interval
from graphkd.sparse import Adjacency

ARXIV = (169_343, 128, 1_200_000, 1_000)
PRODUCTS = (2_449_029, 100, 30_000_000, 10_000)
"""Nodes, columns, undirected edges, groups."""

SAMPLE = 200_000

SHARE = 8
"""The bare product is measured on one of so many rows, close to what it is compared with on a busy machine."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("arxiv", "products", "check"))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--size", type=float, default=1.0, help="of the graph, for a trial run")
    parser.add_argument("--seconds", type=float, default=180.0, help="for products, all in all")
    parser.add_argument("--check-seconds", type=float, default=20.0, help="for check")
    args = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    print(f"{machine()}; load average before: {os.getloadavg()[0]:.1f}")
    size = ARXIV if args.part == "arxiv" else PRODUCTS
    nodes, columns, pairs, number = (max(1, int(each * args.size)) for each in size)
    group = groups(nodes, number)
    start = time.perf_counter()
    made: list[Adjacency] = []
    built = extra_megabytes(lambda: made.append(graph(group, pairs)))
    (adj,), columns = made, size[1]
    print(f"{nodes:,} nodes, {adj.matrix.nnz:,} directed edges", end="; ")
    print(f"generated in {time.perf_counter() - start:.0f} s with {built:.0f} MB")
    if args.part == "check":
        nodes = torch.randperm(group.numel())[: min(SAMPLE, group.numel() // 2)].sort().values
        adj, group = adj.subgraph(nodes), group[nodes]
        print(f"induced on {adj.num_nodes:,} nodes: {adj.matrix.nnz:,} directed edges")
    tables = ((kind, table(kind, group, columns)) for kind in args.kinds)
    if args.part == "arxiv":
        exact(tables, columns, adj)
    elif args.part == "products":
        for kind, x in tables:
            limited(kind, x, adj, args.seconds)
    else:
        for kind, x in tables:
            check(kind, x, adj, args.check_seconds)


def exact(tables: Iterable[tuple[str, Tensor]], columns: int, adj: Adjacency) -> None:
    """The exact influence of each table, and before and after it the bare product for a share of the rows."""
    bare = product(torch.randn(adj.num_nodes, columns), adj.num_nodes // SHARE)
    bare()
    for kind, x in tables:
        found: list[Interval] = []
        peak: list[float] = []
        before = SHARE * seconds(bare)
        ours = seconds(lambda: peak.append(influence_of(x, adj, found)))  # noqa: B023
        after = SHARE * seconds(bare)
        show(kind, found[0])
        print(f"  {ours:.1f} s, product {before:.1f} s before and {after:.1f} s after", end=", ")
        print(f"ratio {2.0 * ours / (before + after):.2f}; ", end="")
        print(f"peak memory above the loaded process: {peak[0]:.0f} MB", flush=True)


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def influence_of(x: Tensor, adj: Adjacency, found: list[Interval], **keys: float) -> float:
    """Peak memory of the influence, nothing of the graph being prepared."""
    return extra_megabytes(lambda: found.append(infgrand_interval(x, fresh(adj), **keys)))


def limited(kind: str, x: Tensor, adj: Adjacency, most: float) -> None:
    """As exact as the time allows."""
    found: list[Interval] = []
    peak: list[float] = []
    took = seconds(lambda: peak.append(influence_of(x, adj, found, max_seconds=most)))
    show(kind, found[0])
    print(f"  {took:.1f} s, peak memory above the loaded process: {peak[0]:.0f} MB", flush=True)


def check(kind: str, x: Tensor, adj: Adjacency, most: float) -> None:
    """Whether the exact minimum and every exact weight are where the certificate says."""
    found: list[Interval] = []
    for keys in ({"max_seconds": most}, {}):
        took = seconds(lambda: found.append(infgrand_interval(x, fresh(adj), **keys)))  # noqa: B023
        show(f"{kind}, {took:.1f} s", found[-1])
    part, whole = found
    assert whole.exact
    assert part.minimum[0] <= whole.minimum[0] <= part.minimum[1]
    assert bool(((part.low <= whole.low) & (whole.low <= part.high)).all())
    print("  the exact minimum and all exact weights are in their intervals", flush=True)


def show(name: str, found: Interval) -> None:
    low, high = found.minimum
    print(f"{name}: minimum in [{low:.6f}, {high:.6f}], width of the weights {found.width:.6f}", end=", ")
    print(f"share of pairs seen {found.share:.2e}")


def fresh(adj: Adjacency) -> Adjacency:
    """The same graph, its normalised form not made yet."""
    return adj._like(adj.matrix)


def product(x: Tensor, share: int) -> Callable[[], None]:
    """The first ``share`` rows times all, in blocks that torch splits over its threads; nothing is kept."""
    rows, columns = 2048, 16_384
    out = torch.empty(rows * columns)

    def run() -> None:
        for left in x[:share].split(rows):
            for right in x.split(columns):
                size = len(left), len(right)
                torch.mm(left, right.t(), out=out[: size[0] * size[1]].view(size))

    return run


if __name__ == "__main__":
    main()
