"""A measurement as JSON: what was measured, on what, how, and how many times faster the student is."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from torch import Tensor, nn

from graphkd.commands.bench_calls import AT_ONCE, FETCH, LAYERWISE, STORE, TEACHER, Key, as_it_came, batches_of
from graphkd.commands.bench_subject import Subject
from graphkd.commands.table import method_of
from graphkd.evaluation import Times
from graphkd.runs.metrics import versions
from graphkd.sparse import Adjacency, Features, Inputs, SparseMatrix
from graphkd.system import cpu_name, memory, usable_cpus
from graphkd.teachers.fetch import neighbourhood

SCHEMA_VERSION = 1

LOOKED_AT = 64
"""Single nodes whose neighbourhoods are counted."""


def record(subject: Subject, times: Mapping[Key, Times], threads: int, seconds: float) -> dict[str, Any]:
    """Everything that the table, the plot and a later reader need.

    Args:
        subject: what was measured.
        times: by name and rows of a call.
        threads: of torch and BLAS.
        seconds: that each was timed for.
    """
    names = ("dataset", "split", "setting", "metric", "teacher")
    return {
        "schema_version": SCHEMA_VERSION,
        "run": str(subject.path),
        **{name: subject.metrics[name] for name in names},
        "method": method_of(subject.metrics),
        "seed": subject.result.seed,
        "machine": _machine(threads),
        "versions": {**versions(), **_onnxruntime()},
        "seconds_per_measurement": seconds,
        "graph": _graph(subject),
        "student": _student(subject),
        "teacher_network": _teacher(subject),
        "models": _models(subject, times),
        "speed_up": _speed_ups(times),
        "remarks": subject.remarks,
    }


def _machine(threads: int) -> dict[str, Any]:
    """The load is that after the measurement, which adds up to the number of threads to it."""
    found = memory()
    return {
        "cpu": cpu_name(),
        "usable_cpus": usable_cpus(),
        "threads": threads,
        "memory_bytes": None if found is None else found.total,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
    }


def _onnxruntime() -> dict[str, str]:
    try:
        return {"onnxruntime": version("onnxruntime")}
    except PackageNotFoundError:
        return {}


def _graph(subject: Subject) -> dict[str, Any]:
    graph, hops = subject.view.full, len(subject.teacher.convs)
    singles = next(iter(batches_of(graph.num_nodes).values()))[:LOOKED_AT]
    reached = [neighbourhood(graph.adj, nodes, hops)[0].num_nodes for nodes in singles]
    return {
        "nodes": graph.num_nodes,
        "edges": graph.adj.matrix.nnz,
        "features": graph.num_features,
        "mean_nodes_fetched_for_one": sum(reached) / len(reached),
    }


def _student(subject: Subject) -> dict[str, Any]:
    student, propagation, graph = subject.result.distilled.model, subject.propagation, subject.view.full
    linear = [part for part in student.modules() if isinstance(part, nn.Linear)]
    inputs = propagation.mix(graph.x, graph.adj) if propagation.hops else as_it_came(graph)
    return {
        "widths": [linear[0].in_features, *(layer.out_features for layer in linear)],
        "parameters": _parameters(student),
        "hops": propagation.hops,
        "non_zeros_per_row": _non_zeros(inputs),
    }


def _non_zeros(inputs: Inputs) -> float | None:
    """Of sparse rows; nothing of dense ones."""
    return inputs.nnz / inputs.shape[0] if isinstance(inputs, SparseMatrix) else None


def _teacher(subject: Subject) -> dict[str, Any]:
    return {
        "layers": len(subject.teacher.convs),
        "widths": [hop.shape[1] for hop in subject.result.teacher_result.output.hops],
        "parameters": _parameters(subject.teacher),
        "graph_bytes": _bytes_of(subject.view.full.x) + _bytes_of(subject.view.full.adj),
    }


def _models(subject: Subject, times: Mapping[Key, Times]) -> list[dict[str, Any]]:
    """One per name, with what it scores and takes."""
    weights = sum(part.numel() * part.element_size() for part in subject.teacher.state_dict().values())
    facts: dict[str, dict[str, Any]] = {
        each.runtime: {"scores": each.scores, "bytes": each.size, "resident_bytes": each.resident}
        for each in subject.students
    }
    teacher_result = {"scores": subject.result.teacher_result.scores, "bytes": weights, "resident_bytes": None}
    models = []
    for name in dict.fromkeys(name for name, _ in times):
        own = teacher_result if name in TEACHER else facts[name.removesuffix(STORE)]
        role = "teacher" if name in TEACHER else "student"
        rows = [_row(size, found) for (of, size), found in times.items() if of == name]
        models.append({"name": name, "role": role, **own, "batches": rows})
    return models


def _row(size: int, times: Times) -> dict[str, Any]:
    return {"rows": size, **asdict(times), "rows_per_second": size / times.p50 * 1e6}


def _speed_ups(times: Mapping[Key, Times]) -> list[dict[str, Any]]:
    """Medians: one row against one node with fetch, and a row of the largest batch against a node of all."""
    single, largest = (chosen(size for name, size in times if name == FETCH) for chosen in (min, max))
    per_node = {name: found.p50 / size for (name, size), found in times.items() if name in (LAYERWISE, AT_ONCE)}
    found = []
    for name in dict.fromkeys(name for name, _ in times if name not in TEACHER):
        one, row = times[name, single].p50, times[name, largest].p50 / largest
        found.append(
            {
                "name": name,
                "single_node_with_fetch": times[FETCH, single].p50 / one,
                "full_graph_layerwise_per_node": per_node[LAYERWISE] / row,
                "full_graph_at_once_per_node": per_node[AT_ONCE] / row if AT_ONCE in per_node else None,
            }
        )
    return found


def _parameters(model: nn.Module) -> int:
    return sum(part.numel() for part in model.parameters())


def _bytes_of(part: Features | Adjacency) -> int:
    if isinstance(part, Tensor):
        return part.numel() * part.element_size()
    matrix = part.matrix if isinstance(part, Adjacency) else part
    return sum(array.numel() * array.element_size() for array in (matrix.rowptr, matrix.col, matrix.value))
