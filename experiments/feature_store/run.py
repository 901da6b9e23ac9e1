"""What a feature store costs, and what a node that is not inserted loses; see README.md beside this file.

python experiments/feature_store/run.py --data-dir data [--part times|newcomers] [--datasets cora,pubmed,…]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))
from timing import machine  # experiments/timing.py

import graphkd
from graphkd.deploy import FeatureStore, Predictor

HOPS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--part", choices=("times", "newcomers", "all"), default="all")
    parser.add_argument("--datasets", default="", help="some of cora, pubmed, synthetic-arxiv")
    parser.add_argument("--updates", type=int, default=100, help="of each kind")
    args = parser.parse_args()
    print(machine())
    if args.part in ("times", "all"):
        print("| data | nodes | what | p50 | p95 | largest | processor | rows changed: p50, most |")
        print("|---|---|---|---|---|---|---|---|")
        for name in names(args.datasets, "cora,pubmed,synthetic-arxiv"):
            times(name, args.data_dir, args.updates)
    if args.part in ("newcomers", "all"):
        print("| data | hops | row | error p50 | p95 | most | exact | other |\n|---|---|---|---|---|---|---|---|")
        for name in names(args.datasets, "cora,pubmed"):
            newcomers(name, args.data_dir)


def names(given: str, known: str) -> list[str]:
    return [name for name in known.split(",") if not given or name in given.split(",")]


def times(name: str, data_dir: str, updates: int) -> None:
    """Reads and updates of a store with two hops, one after the other."""
    data = graphkd.load_dataset(name, data_dir, download="never")
    x = np.asarray(data.x.to_dense(), dtype=np.float32)
    edges, size, rng = data.edge_index.numpy(), x.shape[0], np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        both = np.unique(
            np.concatenate([edges, edges[::-1]], axis=1), axis=1
        )  # arxiv's citations have a direction
        store = FeatureStore.build(Path(folder) / "s", x, both, hops=HOPS)
        print(f"| {name} | {size} | build, s | {time.perf_counter() - begin:.1f} | | | | |")
        for what, call in reads(store, x, rng):
            report(name, size, what, [timed(call) for _ in range(2000)], 1e6, "")
        for what, call in changes(store, x, both, rng):
            counted = [counting(store, call) for _ in range(updates)]
            seconds, rows = zip(*counted, strict=True)
            report(name, size, what, list(seconds), 1e3, f"{np.median(rows):.0f}, {max(rows)}")
        store.close()


def counting(store: FeatureStore, call: Callable[[], object]) -> tuple[tuple[float, float], int]:
    """What a call takes, and how many nodes have another row afterwards."""
    before = store._reader.read(lambda arrays: arrays.nodes["crc"].copy())
    taken = timed(call)
    after = store._reader.read(lambda arrays: arrays.nodes["crc"].copy())
    return taken, int((after[: len(before)] != before).any(axis=1).sum())


def reads(
    store: FeatureStore, x: NDArray[np.float32], rng: np.random.Generator
) -> Iterator[tuple[str, Callable[[], object]]]:
    size, ids = x.shape[0], iter(rng.integers(0, x.shape[0], 100_000).tolist())
    batches = iter([rng.integers(0, size, 64) for _ in range(2000)])
    yield "row, µs", lambda: store.row(next(ids))
    yield "rows of 64, µs", lambda: store.rows(next(batches))
    yield "row_for, µs", lambda: store.row_for(x[(node := next(ids))], of(store, node))


def of(store: FeatureStore, node: int) -> NDArray[np.int64]:
    """Neighbours of a node; part of what is timed, a tenth of it."""
    return store.neighbours(node)[0]


def changes(
    store: FeatureStore, x: NDArray[np.float32], edges: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Nodes come as copies of drawn ones and go again; edges come between drawn nodes, and go as drawn."""
    nodes = iter(rng.integers(0, x.shape[0], 10_000).tolist())
    ends = iter(edges[:, rng.permutation(edges.shape[1])].T.tolist())
    pairs = iter(rng.integers(0, x.shape[0], (10_000, 2)).tolist())
    added: list[int] = []
    yield "insert_node, ms", lambda: added.append(store.insert_node(x[(node := next(nodes))], of(store, node)))
    yield "delete_node, ms", lambda: store.delete_node(added.pop())
    yield "insert_edges of one, ms", lambda: store.insert_edges(np.array([next(pairs)]).T)
    yield "delete_edges of one, ms", lambda: store.delete_edges(np.array([next(ends)]).T)
    yield "update_features of one, ms", lambda: store.update_features(next(nodes), x[next(nodes)])


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and on the processor."""
    begin, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begin, time.process_time() - busy


def report(name: str, size: int, what: str, taken: list[tuple[float, float]], unit: float, rows: str) -> None:
    clock, processor = (unit * np.array(column) for column in zip(*taken, strict=True))
    figures = " | ".join(f"{value:.1f}" for value in np.percentile(clock, [50, 95, 100]))
    print(f"| {name} | {size} | {what} | {figures} | {np.mean(processor):.1f} | {rows} |", flush=True)


def newcomers(name: str, data_dir: str) -> None:
    """A thousand drawn nodes as newcomers: edges taken away, rows made from the neighbours, edges put back."""
    data = graphkd.load_dataset(name, data_dir, download="never")
    rng = np.random.default_rng(0)
    for hops in (2, 3):
        method = graphkd.methods.InfGraND(hops=hops)
        model = graphkd.distill(data, teacher="sage", method=method, seed=0).predictor
        with tempfile.TemporaryDirectory() as folder:
            settings = {"hops": hops, "row_normalize": model.preprocessing.row_normalize}
            store = FeatureStore.build(Path(folder) / "s", data.x, data.edge_index, **settings)
            raw = data.x.to_dense().numpy()
            drawn = rng.permutation(len(raw))[:1000]
            exact, with_, without = rows_of(store, raw, drawn, hops)
            store.close()
        compare(name, hops, "row_for", exact, with_, model)
        compare(name, hops, "neighbours as stored", exact, without, model)


def rows_of(
    store: FeatureStore, raw: NDArray[np.float32], nodes: NDArray[np.int64], hops: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Of each node: its exact row, what ``row_for`` gives once its edges are gone, and the plain approximation."""
    exact, corrected, plain = [], [], []
    for node in nodes.tolist():
        others = store.neighbours(node)[0]
        others = others[others != node]
        exact.append(store.row(node))
        if others.size:
            ends = np.stack([np.full(others.size, node), others])
            store.delete_edges(ends)
            corrected.append(store.row_for(raw[node], others))
            plain.append(plain_row(store, node, others, hops))
            store.insert_edges(ends)
        else:
            corrected.append(store.row_for(raw[node]))
            plain.append(exact[-1])
        assert np.array_equal(store.row(node), exact[-1])  # all is as it was, to the bit
    return np.stack(exact), np.stack(corrected), np.stack(plain)


def plain_row(store: FeatureStore, node: int, others: NDArray[np.int64], hops: int) -> NDArray[np.float64]:
    """The rows of the neighbours as they are stored, weighted by the degrees that they would have."""
    arrays = store._reader.arrays
    own = 1.0 / np.sqrt(others.size + 1)
    root = 1.0 / np.sqrt(arrays.nodes["degree"][others] + 1)
    made = [arrays.hops[node, 0].astype(np.float64)]
    for hop in range(hops):
        made.append(own * (own * made[hop] + root @ arrays.hops[others, hop]))
    return np.mean(made, axis=0)


def compare(
    name: str, hops: int, what: str, exact: NDArray[np.float32], found: NDArray[np.float32], model: Predictor
) -> None:
    error = np.linalg.norm(found - exact, axis=1) / np.maximum(np.linalg.norm(exact, axis=1), 1e-30)
    p50, p95, largest = (f"{value:.1e}" for value in np.percentile(error, [50, 95, 100]))
    other = model.predict(found.astype(np.float32), propagated=True) != model.predict(exact, propagated=True)
    shares = f"{100 * (error < 1e-6).mean():.0f} % | {other.sum()} of {other.size}"
    print(f"| {name} | {hops} | {what} | {p50} | {p95} | {largest} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
