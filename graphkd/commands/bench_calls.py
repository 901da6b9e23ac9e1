"""The timed calls: predictions on the same nodes by the student in every runtime and by its teacher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphkd.commands.bench_subject import Subject
from graphkd.datasets import Graph
from graphkd.deploy import Encoded, FeatureStore, Predictor, RowPredictor
from graphkd.deploy.exports.sample import numpy_rows
from graphkd.encoders import Encoding
from graphkd.evaluation.latency import Call
from graphkd.system import memory
from graphkd.teachers import Teacher
from graphkd.teachers.fetch import fetched
from graphkd.teachers.layerwise import layerwise

BATCHES = (1, 64, 1024)
"""Rows of a call."""

MOST_CALLS, MOST_ROWS = 512, 2**15
"""Maximum number of calls and rows with distinct inputs, after which inputs are reused."""

SEED = 0
"""Seed for drawing nodes."""

FETCH, STORE = "teacher, with fetch", ", row from a FeatureStore"
LAYERWISE, AT_ONCE = "teacher, full graph layer-wise", "teacher, full graph at once"
TEACHER = (FETCH, LAYERWISE, AT_ONCE)
STORED = ("numpy", "native")
"""Runtimes that are also timed with rows read from a store."""

Key = tuple[str, int]
"""Name of the timed model, and rows of a call."""


def batches_of(num_nodes: int) -> dict[int, list[Tensor]]:
    """Draws batches of distinct node ids ``[rows]``, by rows of a call.

    Drawn from ``N`` nodes; where there are fewer than a batch requires, it contains all of them.
    """
    order = torch.randperm(num_nodes, generator=torch.Generator().manual_seed(SEED))
    sizes = dict.fromkeys(min(size, num_nodes) for size in BATCHES)
    counts = {size: min(MOST_CALLS, MOST_ROWS // size, num_nodes // size) for size in sizes}
    return {size: list(torch.split(order[: size * count], size)) for size, count in counts.items()}


def student_calls(subject: Subject) -> dict[Key, Call]:
    """Returns calls of ``predict`` in every runtime: on raw rows, or propagated ones if the student has hops."""
    graph, encoded = subject.view.full, not subject.encoding.is_raw
    inputs = subject.encoding.mix(graph.x, graph.adj, subject.view.numbers) if encoded else as_it_came(graph)
    by_name = graph.column_encoding is not None and not graph.column_encoding.is_identity
    if by_name and not encoded:
        subject.remarks.append("rows at hand are features: how a table's columns are encoded is not timed")
    calls = {}
    for size, batches in batches_of(graph.num_nodes).items():
        rows: list[Any] = [numpy_rows(inputs, nodes) for nodes in batches]
        rows = [Encoded(part) for part in rows] if by_name and not encoded else rows
        for state in subject.students:
            calls[state.runtime, size] = _predict(state.model, rows, encoded)
    return calls


def store_calls(subject: Subject, store: FeatureStore) -> dict[Key, Call]:
    """Returns calls of ``predict`` on rows that are read from a store first, by node id."""
    calls = {}
    for size, batches in batches_of(subject.view.full.num_nodes).items():
        ids = [nodes.numpy() for nodes in batches]
        for state in subject.students:
            if state.runtime in STORED:
                calls[state.runtime + STORE, size] = _read_and_predict(state.model, store, ids)
    return calls


def teacher_calls(subject: Subject) -> dict[Key, Call]:
    """Returns calls of the teacher on batches of nodes, and on all nodes: in two ways, if memory suffices.

    Layer-wise inference works at any size; at once is faster, since the normalised graph is cached between calls.
    """
    model, graph = subject.teacher, subject.view.full
    calls: dict[Key, Call] = {
        (FETCH, size): _fetch(model, graph, nodes) for size, nodes in batches_of(graph.num_nodes).items()
    }
    calls[LAYERWISE, graph.num_nodes] = lambda _: layerwise(model, graph.x, graph.adj)
    if _fits(subject):
        calls[AT_ONCE, graph.num_nodes] = torch.no_grad()(lambda _: model(graph.x, graph.adj))
    else:
        subject.remarks.append("the full graph at once is not timed: there is too little free memory")
    return calls


def _fits(subject: Subject) -> bool:
    """Returns whether three times the size of all hops fits into free memory; True where that is unknown."""
    hops, available = subject.result.teacher_result.output.hops, memory()
    need = 3 * 4 * subject.view.full.num_nodes * sum(hop.shape[1] for hop in hops)
    return available is None or need < available.free


def as_it_came(graph: Graph) -> Any:
    """Returns the features ``[N, D]`` before preprocessing."""
    return graph.x if graph.stored is None else graph.stored


def store_size(graph: Graph, encoding: Encoding) -> int:
    """Computes bytes of the propagated rows and positions of a store."""
    features = 0 if encoding.propagation is None else graph.num_features * (encoding.hops + 1)
    return 4 * graph.num_nodes * (features + (0 if encoding.vectors is None else encoding.vectors.dim))


@contextmanager
def store_of(subject: Subject, folder: str) -> Iterator[FeatureStore]:
    """Yields a feature store of the full graph for a run's student, in a temporary folder."""
    graph, numbers = subject.view.full, subject.view.numbers
    matrix = graph.adj.matrix
    reads_features = subject.encoding.propagation is not None
    rows = Encoded(numpy_rows(as_it_came(graph), torch.arange(graph.num_nodes))) if reads_features else None
    edges, weight = torch.stack([matrix.col, matrix.row]), matrix.value if graph.adj.weighted else None
    store_path, directed = Path(folder) / "store", matrix.t() is not matrix
    FeatureStore.for_bundle(store_path, subject.path, rows, edges, weight, directed, numbers).close()
    with FeatureStore(store_path) as store:
        yield store


def _predict(model: Predictor | RowPredictor, rows: list[Any], propagated: bool) -> Call:
    return lambda i: model.predict(rows[i % len(rows)], propagated=propagated)


def _read_and_predict(model: Predictor | RowPredictor, store: FeatureStore, ids: list[Any]) -> Call:
    if len(ids[0]) == 1:
        single = [int(nodes[0]) for nodes in ids]
        return lambda i: model.predict(store.row(single[i % len(single)])[None], propagated=True)
    return lambda i: model.predict(store.rows(ids[i % len(ids)]), propagated=True)


def _fetch(model: Teacher, graph: Graph, batches: list[Tensor]) -> Call:
    return lambda i: fetched(model, graph.x, graph.adj, batches[i % len(batches)])
