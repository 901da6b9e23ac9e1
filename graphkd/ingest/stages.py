"""The stages of an ingest: each leaves files that a later call goes on from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.atomic_io import read_json, whole_file, whole_folder, write_json
from graphkd.errors import GraphKDError
from graphkd.ingest.csr import write_csr
from graphkd.ingest.edges import EdgeTable, edge_table
from graphkd.ingest.forward import Lookup, RowNumbers, forward_run
from graphkd.ingest.graph import CARD, card_of
from graphkd.ingest.join import IdJoin
from graphkd.ingest.nodes import NodeTable, node_table
from graphkd.ingest.plan import Plan
from graphkd.ingest.runs import (
    WEIGHTED,
    Combine,
    Entries,
    largest,
    merged,
    open_run,
    sorted_run,
    summed,
    write_run,
)


class Ingest:
    """One folder's tables on their way to mapped files.

    Args:
        folder: with the tables ``nodes`` and ``edges``.
        work: folder for what is made on the way.
        budget: bytes of memory.
    """

    def __init__(self, folder: Path, work: Path, budget: float) -> None:
        self.nodes: NodeTable = node_table(folder)
        self.edges: EdgeTable = edge_table(folder / "edges")
        _check_kinds(self.nodes, self.edges, folder)
        self.work = work
        self.plan = Plan.within(budget, self.edges.weighted)

    def ids(self) -> int:
        """Writes the ids with their rows, unless they are there, and checks that they differ; returns ``N``."""
        done = self.work / "nodes.json"
        if done.is_file():
            return int(read_json(done, "an ingest")["num_nodes"])
        count = self.nodes.count
        if self.nodes.kind is not None:
            count = _write_ids(self.work / "ids.parquet", self.nodes)
            if found := self._join().repeated():
                name, *rows = found
                raise GraphKDError(
                    f"{self.nodes.called()} holds {name!r} twice (rows {rows[0]} and {rows[1]}): make ids unique"
                )
        write_json(done, {"num_nodes": count})
        return int(count or 0)

    def forward(self, num_nodes: int) -> NDArray[Any]:
        """Makes the merged directed edges, sorted by sender; weights are rounded to single precision."""
        place = self.work / "forward.run"
        if not place.is_file():
            lookup: Lookup | None = None
            runs = self.work / "forward"
            for number, chunk in enumerate(self.edges.chunks(self.plan.chunk)):
                if not (path := _part(runs, number)).is_file():
                    if lookup is None:
                        lookup = RowNumbers(num_nodes) if self.nodes.kind is None else self._join()
                    write_run(path, iter([forward_run(self.edges, chunk, lookup, self.nodes, num_nodes)]))
            lookup = None  # DuckDB's memory is free for the merge
            write_run(place, map(_single, self._merged(runs, summed)))
            shutil.rmtree(runs, ignore_errors=True)
        return open_run(place, self.edges.weighted)

    def backward(self, forward: NDArray[Any], num_nodes: int) -> Path:
        """Makes runs of the reversed edges, sorted by receiver, and returns their folder."""
        runs = self.work / "backward"
        for number, start in enumerate(range(0, forward.size, self.plan.chunk)):
            if not (path := _part(runs, number)).is_file():
                write_run(path, iter([_reversed(forward[start : start + self.plan.chunk], num_nodes)]))
        return runs

    def finish(self, output: Path, directed: bool, made_of: dict[str, Any]) -> None:
        """Writes the matrices into ``output``, which exists once all of them are complete."""
        num_nodes = self.ids()
        forward = self.forward(num_nodes)
        backward = self.backward(forward, num_nodes)
        weighted = self.edges.weighted
        with whole_folder(output) as draft:
            write: Callable[[str, Iterator[Entries]], int] = lambda name, entries: write_csr(  # noqa: E731
                draft, name, entries, num_nodes, weighted
            )
            if directed:
                num_edges = write("outgoing", _slices(forward, self.plan.merge))
                write("incoming", self._merged(backward, summed))
            else:
                num_edges = write("outgoing", self._merged(backward, largest, forward))
            graph = {"num_nodes": num_nodes, "num_edges": num_edges, "directed": directed, "weighted": weighted}
            write_json(draft / CARD, card_of(draft, {**graph, "made_of": made_of}))

    def _merged(self, folder: Path, combine: Combine, *others: NDArray[Any]) -> Iterator[Entries]:
        runs = [open_run(path, self.edges.weighted) for path in sorted(folder.glob("*.run"))]
        return merged([*others, *runs], self.plan.merge, combine)

    def _join(self) -> IdJoin:
        return IdJoin(self.work / "ids.parquet", self.plan.memory, self.work / "spill")


def _part(folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    return folder / f"{number:06}.run"


def _write_ids(path: Path, nodes: NodeTable) -> int:
    """Writes ids and rows to a parquet file; returns their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string() if nodes.kind == "texts" else pa.int64()), ("row", pa.int64())])
    row = 0
    with whole_file(path) as draft, pq.ParquetWriter(draft, schema) as writer:
        for ids in nodes.ids():
            rows = pa.array(np.arange(row, row + len(ids)))
            writer.write_batch(pa.RecordBatch.from_arrays([ids, rows], schema=schema))
            row += len(ids)
    return row


def _check_kinds(nodes: NodeTable, edges: EdgeTable, folder: Path) -> None:
    if nodes.kind is not None and edges.groups and nodes.kind != edges.kind:
        raise GraphKDError(
            f"{folder / 'edges'} names nodes by {edges.kind} where {nodes.called()} holds {nodes.kind}: "
            "give both one kind of id"
        )


def _single(part: Entries) -> Entries:
    """Rounds sums of weights to single precision, in which all computation is."""
    if part.weight is None:
        return part
    with np.errstate(over="ignore"):
        single = part.weight.astype(np.float32)
    if np.isinf(single).any():
        raise GraphKDError("weights of an edge add up to more than single precision holds: scale the weights")
    return Entries(part.keys, single.astype(np.float64))


def _reversed(part: NDArray[Any], num_nodes: int) -> Entries:
    weight = np.ascontiguousarray(part["weight"]) if part.dtype == WEIGHTED else None
    keys = np.asarray(part["key"] if part.dtype == WEIGHTED else part)
    row = keys // num_nodes
    return sorted_run((keys - row * num_nodes) * num_nodes + row, weight)


def _slices(run: NDArray[Any], most: int) -> Iterator[Entries]:
    for start in range(0, run.size, most):
        part = run[start : start + most]
        if part.dtype == WEIGHTED:
            yield Entries(np.ascontiguousarray(part["key"]), np.ascontiguousarray(part["weight"]))
        else:
            yield Entries(np.asarray(part))
