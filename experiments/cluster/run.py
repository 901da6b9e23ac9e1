"""Propagation by columns on a cluster of this machine, beside this process alone.

python experiments/cluster/run.py --nodes 2449029 --edges 61859140 --features 100 --workers 1 2
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from graphkd.cluster import Ray
from graphkd.cluster.columns import ClusterColumns
from graphkd.cluster.session import cluster_session
from graphkd.outofcore import TableStore
from graphkd.sparse import Adjacency, propagate

FIELDS = (
    "nodes",
    "edges",
    "features",
    "hops",
    "workers",
    "seconds",
    "started",
    "ratio",
    "anon_mb",
    "disk_mb",
    "same",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=2_449_029)
    parser.add_argument("--edges", type=int, default=61_859_140, help="undirected ones that are drawn")
    parser.add_argument("--features", type=int, nargs="+", default=[100])
    parser.add_argument("--hops", type=int, default=2)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--memory-budget", type=float, default=8.0)
    parser.add_argument("--output-dir", type=Path, default=Path("runs/cluster"))
    args = parser.parse_args()
    torch.set_num_threads(1)  # as a task of one processor has
    args.output_dir.mkdir(parents=True, exist_ok=True)
    adj = drawn(args.nodes, args.edges)
    rows = [row for width in args.features for row in measured(adj, width, args)]
    with (args.output_dir / "results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(" ".join(f"{key}={value}" for key, value in row.items()))


def drawn(num_nodes: int, num_edges: int) -> Adjacency:
    ends = torch.randint(num_nodes, (2, num_edges), generator=torch.Generator().manual_seed(0))
    adj = Adjacency(torch.cat([ends, ends.flip(0)], dim=1), num_nodes)
    adj.normalize("symmetric", 1, torch.float32)  # once, for all ways
    return adj


def measured(adj: Adjacency, width: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    x = torch.randn(adj.num_nodes, width, generator=torch.Generator().manual_seed(1))
    here = wanted = None
    for workers in [0, *args.workers]:
        folder = args.output_dir / "tables"
        shutil.rmtree(folder, ignore_errors=True)
        store = TableStore(folder, int(1e9 * args.memory_budget))
        started = started_in(workers) if workers else 0.0
        if workers:
            store.columns = ClusterColumns(Ray(workers=workers), store)
        with anonymous() as peak, store:
            start = time.perf_counter()
            table = propagate(x, adj, args.hops)
            seconds = time.perf_counter() - start - started
            wanted = table.sum(dim=1) if wanted is None else wanted
            same = torch.equal(table.sum(dim=1), wanted)
        here = seconds if here is None else here
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        figures = (seconds, started, seconds / here, peak[0] / 1e6, size / 1e6)
        facts = (adj.num_nodes, adj.matrix.nnz, width, args.hops, workers)
        yield dict(zip(FIELDS, [*facts, *(round(figure, 2) for figure in figures), same], strict=True))
    shutil.rmtree(folder, ignore_errors=True)


def started_in(workers: int) -> float:
    """Seconds that a cluster takes to start and to end, with a process for each task."""
    start = time.perf_counter()
    with cluster_session(Ray(workers=workers)) as cluster:
        cluster.check([], [])
    return time.perf_counter() - start


@contextmanager
def anonymous() -> Iterator[list[int]]:
    """The largest own memory of a process of the cluster, or of this one where there is none, in the block."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            peak[0] = max([peak[0], *(own_bytes(process) for process in tasks())])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
        peak[0] = peak[0] or 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def tasks() -> list[str]:
    return [process for process in os.listdir("/proc") if process.isdigit() and named(process).startswith("ray::")]


def named(process: str) -> str:
    try:
        return Path("/proc", process, "cmdline").read_text()
    except OSError:
        return ""


def own_bytes(process: str) -> int:
    """Memory without mapped files."""
    try:
        lines = Path("/proc", process, "status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
    except (OSError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
