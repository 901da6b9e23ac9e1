"""The feature store's own journal and files beside LMDB; see README.md beside this file.

python experiments/store_lmdb/run.py [--nodes 20000,200000] [--kills 50] [--csv FILE]
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from kills import killed
from prototype import LmdbStore
from updates import KINDS, apply, graph

from graphkd.deploy import FeatureStore
from graphkd.deploy.store.settings import Settings

WIDTH, HOPS = 64, 2
STORES = ("own", "lmdb")
PROCESSES = get_context("fork")
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", default="20000,200000")
    parser.add_argument("--updates", type=int, default=300, help="of all five kinds together")
    parser.add_argument("--seconds", type=float, default=5.0, help="of reads during updates")
    parser.add_argument("--kills", type=int, default=50, help="of each store's writer")
    parser.add_argument("--writemap", action="store_true", help="LMDB writes through its map")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    LmdbStore.writemap = args.writemap
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}")
    rows: list[Row] = []
    for size in map(int, args.nodes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            rows += measured(Path(folder), size, args.updates, args.seconds)
    for store in STORES:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(killed(Path(folder) / "s", store, build, opened, args.kills))
            print(rows[-1], flush=True)
    print(table(rows))
    if args.csv is not None:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(
                file, ["nodes", "what", "store", "p50", "p95", "mean", "processor"], restval=""
            )
            writer.writeheader()
            writer.writerows(rows)


def build(store: str, path: Path, x: Any, edges: Any) -> Any:
    if store == "own":
        return FeatureStore.build(path, x, edges, hops=HOPS)
    return LmdbStore.build(path, x, edges, HOPS)


def opened(store: str, path: Path, width: int = WIDTH, write: bool = False) -> Any:
    return FeatureStore(path, write) if store == "own" else LmdbStore(path, Settings(width, HOPS), write)


def measured(folder: Path, size: int, updates: int, seconds: float) -> list[Row]:
    """All times and sizes of one graph; the two stores by turns."""
    x, edges = graph(size, WIDTH)
    rows: list[Row] = []
    for store in STORES:
        taken = timed(lambda store=store: build(store, folder / store, x, edges).close())
        rows.append({"what": "build, s", "store": store, **summary([taken], 1)})
        rows.append({"what": "on disk, MB", "store": store, "p50": megabytes(folder / store)})
    stores = {store: opened(store, folder / store, write=True) for store in STORES}
    rows += [*read_times(stores, x), *update_times(stores, size, updates)]
    for store, s in stores.items():
        s.close()
        size_after = megabytes(folder / store)
        rows.append({"what": "on disk after the updates, MB", "store": store, "p50": size_after})
    rows += beside(folder, size, updates, seconds)
    return [{"nodes": size, **row} for row in rows]


def read_times(stores: dict[str, Any], x: Any) -> Iterator[Row]:
    """Reads of drawn rows."""
    ids = np.random.default_rng(1).integers(0, len(x), (20, 1024))
    reads: dict[str, tuple[int, Callable[[Any, Any], object]]] = {
        "row, µs": (1024, lambda s, ids: [s.row(node) for node in ids.tolist()]),
        "1,024 rows, µs": (10, lambda s, ids: [s.rows(ids) for _ in range(10)]),
        "row_for, µs": (100, lambda s, ids: [s.row_for(x[node], ids[:5]) for node in ids[:100].tolist()]),
    }
    for what, (count, read) in reads.items():
        times: dict[str, list[tuple[float, float]]] = {store: [] for store in STORES}
        for drawn in ids:
            for store, s in stores.items():
                times[store].append(timed(partial(read, s, drawn)))
        yield from ({"what": what, "store": store, **summary(times[store], 1e6 / count)} for store in STORES)


def update_times(stores: dict[str, Any], size: int, updates: int) -> Iterator[Row]:
    """The same updates of both stores."""
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(updates):
        for store, s in stores.items():
            taken = timed(partial(apply, s, number, size, WIDTH))
            times.setdefault((KINDS[number % len(KINDS)], store), []).append(taken)
    for (kind, store), found in times.items():
        yield {"what": f"{kind}, ms", "store": store, **summary(found, 1e3)}


def beside(folder: Path, size: int, updates: int, seconds: float) -> list[Row]:
    """Reads during updates, of each store twice by turns; ``updates`` were applied before."""
    rows: list[Row] = []
    following = dict.fromkeys(STORES, updates)
    for turn in range(4):
        store = STORES[turn % 2]
        found, following[store] = contended(store, folder / store, size, following[store], seconds)
        rows += [{"store": store, **row, "what": f"{row['what']} (turn {1 + turn // 2})"} for row in found]
    return rows


def contended(store: str, path: Path, size: int, first: int, seconds: float) -> tuple[list[Row], int]:
    """Reads of two processes, one row and 1,024 at a time, while this one updates the store from ``first`` on."""
    results = PROCESSES.SimpleQueue()
    readers = [PROCESSES.Process(target=_read, args=(store, path, size, n, seconds, results)) for n in (1, 1024)]
    for reader in readers:
        reader.start()
    writer, begin, number = opened(store, path, write=True), time.perf_counter(), first
    while time.perf_counter() - begin < seconds:
        apply(writer, number, size, WIDTH)
        number += 1
    taken = (time.perf_counter() - begin) / (number - first)
    while number % len(KINDS):  # so that the next stream begins with a cycle
        apply(writer, number, size, WIDTH)
        number += 1
    writer.close()
    rows = [results.get() for _ in readers]
    for reader in readers:
        reader.join()
    rows.append({"what": "an update beside two readers, ms", "p50": 1e3 * taken})
    return rows, number


def _read(store: str, path: Path, size: int, count: int, seconds: float, results: Any) -> None:
    s, rng, taken = opened(store, path), np.random.default_rng(count), []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        ids = rng.integers(0, size, count)
        taken.append(timed((lambda: s.row(int(ids[0]))) if count == 1 else (lambda: s.rows(ids))))  # noqa: B023
    results.put({"what": f"{count:,} rows during updates, µs", **summary(taken, 1e6)})


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and on the processor."""
    begin, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begin, time.process_time() - busy


def summary(taken: list[tuple[float, float]], unit: float) -> Row:
    clock, processor = (unit * np.array(column) for column in zip(*taken, strict=True))
    p50, p95 = np.percentile(clock, [50, 95])
    return {
        "p50": float(p50),
        "p95": float(p95),
        "mean": float(clock.mean()),
        "processor": float(np.median(processor)),
    }


def megabytes(path: Path) -> float:
    """Space that is allocated on disk."""
    return sum(file.stat().st_blocks * 512 for file in path.iterdir()) / 1e6


def table(rows: list[Row]) -> str:
    """Markdown: both stores and the ratio, by what was measured."""
    lines = ["| nodes | what | own p50 | LMDB p50 | LMDB / own | own p95 | LMDB p95 | processor: own | LMDB |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    keys = dict.fromkeys((row["nodes"], row["what"]) for row in rows)
    for nodes, what in keys:
        own, other = (
            next(row for row in rows if (row["nodes"], row["what"], row["store"]) == (nodes, what, store))
            for store in STORES
        )
        tail = [shown(row.get(name)) for name in ("p95", "processor") for row in (own, other)]
        ratio = f"{other['p50'] / own['p50']:.2f}" if own["p50"] else ""
        lines.append(
            "| " + " | ".join([f"{nodes:,}", what, shown(own["p50"]), shown(other["p50"]), ratio, *tail]) + " |"
        )
    return "\n".join(lines)


def shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
