"""What is timed: the same nodes, asked of the student in every runtime and of its teacher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphkd.commands.bench_subject import Subject
from graphkd.datasets import Graph
from graphkd.deploy import FeatureStore, Predictor, RowPredictor
from graphkd.deploy.exports.sample import numpy_rows
from graphkd.evaluation.latency import Call
from graphkd.features import Propagation
from graphkd.system import memory
from graphkd.teachers import Teacher
from graphkd.teachers.fetch import fetched
from graphkd.teachers.layerwise import layerwise

BATCHES = (1, 64, 1024)
"""Rows of a call."""

MOST_CALLS, MOST_ROWS = 512, 2**15
"""With rows of their own, after which they come round again."""

SEED = 0
"""Of the draw of nodes."""

FETCH, STORE = "teacher, with fetch", ", row from a FeatureStore"
LAYERWISE, AT_ONCE = "teacher, full graph layer-wise", "teacher, full graph at once"
TEACHER = (FETCH, LAYERWISE, AT_ONCE)
STORED = ("numpy", "native")
"""Runtimes that are also timed with rows read from a store."""

Key = tuple[str, int]
"""Name of what is timed, and rows of a call."""


def batches_of(num_nodes: int) -> dict[int, list[Tensor]]:
    """By rows of a call, batches of node ids ``[rows]``, each node once in a batch.

    Drawn from ``N`` nodes; where there are fewer than a batch should have, it has all of them.
    """
    order = torch.randperm(num_nodes, generator=torch.Generator().manual_seed(SEED))
    sizes = dict.fromkeys(min(size, num_nodes) for size in BATCHES)
    counts = {size: min(MOST_CALLS, MOST_ROWS // size, num_nodes // size) for size in sizes}
    return {size: list(torch.split(order[: size * count], size)) for size, count in counts.items()}


def student_calls(subject: Subject) -> dict[Key, Call]:
    """``predict`` in every runtime: of raw rows, or where it has hops of propagated ones."""
    graph, hops = subject.view.full, subject.propagation.hops > 0
    inputs = subject.propagation.mix(graph.x, graph.adj) if hops else as_it_came(graph)
    calls = {}
    for size, batches in batches_of(graph.num_nodes).items():
        rows = [numpy_rows(inputs, nodes) for nodes in batches]
        for each in subject.students:
            calls[each.runtime, size] = _predict(each.model, rows, hops)
    return calls


def store_calls(subject: Subject, store: FeatureStore) -> dict[Key, Call]:
    """The row is read from a store first, by the id of its node."""
    calls = {}
    for size, batches in batches_of(subject.view.full.num_nodes).items():
        ids = [nodes.numpy() for nodes in batches]
        for each in subject.students:
            if each.runtime in STORED:
                calls[each.runtime + STORE, size] = _read_and_predict(each.model, store, ids)
    return calls


def teacher_calls(subject: Subject) -> dict[Key, Call]:
    """The teacher where nodes are asked for, and where all nodes are: in two ways, if there is memory for both.

    Layer-wise is what works at any size; at once is faster, since the normalised graph is kept between calls.
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
    """Whether three tables as large as all hops together do; where free memory is unknown, yes."""
    hops, found = subject.result.teacher_result.output.hops, memory()
    need = 3 * 4 * subject.view.full.num_nodes * sum(hop.shape[1] for hop in hops)
    return found is None or need < found.free


def as_it_came(graph: Graph) -> Any:
    """``[N, D]`` features before preprocessing."""
    return graph.x if graph.stored is None else graph.stored


def store_size(graph: Graph, propagation: Propagation) -> int:
    """Bytes of the propagated rows of a store."""
    return 4 * graph.num_nodes * graph.num_features * (propagation.hops + 1)


@contextmanager
def store_of(path: Path, graph: Graph, folder: str) -> Iterator[FeatureStore]:
    """A store of the graph for the student of a run, in a folder that is thrown away later."""
    matrix = graph.adj.matrix
    rows = numpy_rows(as_it_came(graph), torch.arange(graph.num_nodes))
    edges, weight = torch.stack([matrix.col, matrix.row]), matrix.value if graph.adj.weighted else None
    place, directed = Path(folder) / "store", matrix.t() is not matrix
    FeatureStore.for_bundle(place, path, rows, edges, weight, directed).close()
    with FeatureStore(place) as store:
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
