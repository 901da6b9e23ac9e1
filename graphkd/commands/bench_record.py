"""JSON record of a measurement: models, machine, times, and speed-ups of the student."""

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
from graphkd.evaluation import Times
from graphkd.runs.metrics import versions
from graphkd.runs.table import method_of
from graphkd.sparse import Adjacency, Features, Inputs, SparseMatrix
from graphkd.system import cpu_name, memory, usable_cpus
from graphkd.teachers.fetch import neighbourhood

SCHEMA_VERSION = 1

LOOKED_AT = 64
"""Number of single nodes whose neighbourhoods are counted."""


def record(subject: Subject, times: Mapping[Key, Times], threads: int, seconds: float) -> dict[str, Any]:
    """Builds the record from which table and plot are made.

    Args:
        subject: the measured run.
        times: by name and rows of a call.
        threads: of torch and BLAS.
        seconds: duration of each timing.
    """
    names = ("dataset", "split", "setting", "metric", "teacher")
    task = {"task": subject.metrics["task"]} if "task" in subject.metrics else {}
    return {
        "schema_version": SCHEMA_VERSION,
        "run": str(subject.path),
        **{name: subject.metrics[name] for name in names},
        **task,
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
    """Describes the machine; the load average includes the measurement itself, up to the number of threads."""
    system_memory = memory()
    return {
        "cpu": cpu_name(),
        "usable_cpus": usable_cpus(),
        "threads": threads,
        "memory_bytes": None if system_memory is None else system_memory.total,
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
    counts = [neighbourhood(graph.adj, nodes, hops)[0].num_nodes for nodes in singles]
    return {
        "nodes": graph.num_nodes,
        "edges": graph.adj.matrix.nnz,
        "features": graph.num_features,
        "mean_nodes_fetched_for_one": sum(counts) / len(counts),
    }


def _student(subject: Subject) -> dict[str, Any]:
    student, encoding, graph = subject.result.distilled.model, subject.encoding, subject.view.full
    linear = [part for part in student.modules() if isinstance(part, nn.Linear)]
    nodes = subject.view.numbers
    inputs = as_it_came(graph) if encoding.is_raw else encoding.mix(graph.x, graph.adj, nodes)
    return {
        "widths": [linear[0].in_features, *(layer.out_features for layer in linear)],
        "parameters": _parameters(student),
        "hops": encoding.hops,
        "reads": encoding.reads,
        "non_zeros_per_row": _non_zeros(inputs),
    }


def _non_zeros(inputs: Inputs) -> float | None:
    """Returns the mean number of non-zeros per sparse row; None for dense rows."""
    return inputs.nnz / inputs.shape[0] if isinstance(inputs, SparseMatrix) else None


def _teacher(subject: Subject) -> dict[str, Any]:
    return {
        "layers": len(subject.teacher.convs),
        "widths": [hop.shape[1] for hop in subject.result.teacher_result.output.hops],
        "parameters": _parameters(subject.teacher),
        "graph_bytes": _bytes_of(subject.view.full.x) + _bytes_of(subject.view.full.adj),
    }


def _models(subject: Subject, times: Mapping[Key, Times]) -> list[dict[str, Any]]:
    """Builds a record per name: scores, sizes and times."""
    weights = sum(part.numel() * part.element_size() for part in subject.teacher.state_dict().values())
    facts: dict[str, dict[str, Any]] = {
        student.runtime: {"scores": student.scores, "bytes": student.size, "resident_bytes": student.resident}
        for student in subject.students
    }
    teacher_result = {"scores": subject.result.teacher_result.scores, "bytes": weights, "resident_bytes": None}
    models = []
    for name in dict.fromkeys(name for name, _ in times):
        state = teacher_result if name in TEACHER else facts[name.removesuffix(STORE)]
        role = "teacher" if name in TEACHER else "student"
        rows = [_row(size, latencies) for (of, size), latencies in times.items() if of == name]
        models.append({"name": name, "role": role, **state, "batches": rows})
    return models


def _row(size: int, times: Times) -> dict[str, Any]:
    return {"rows": size, **asdict(times), "rows_per_second": size / times.p50 * 1e6}


def _speed_ups(times: Mapping[Key, Times]) -> list[dict[str, Any]]:
    """Computes ratios of medians: one node with fetch to one row, a node of all to a row of the largest batch."""
    single, largest = (select(size for name, size in times if name == FETCH) for select in (min, max))
    per_node = {name: stats.p50 / size for (name, size), stats in times.items() if name in (LAYERWISE, AT_ONCE)}
    stats = []
    for name in dict.fromkeys(name for name, _ in times if name not in TEACHER):
        row_time, batch_time = times[name, single].p50, times[name, largest].p50 / largest
        stats.append(
            {
                "name": name,
                "single_node_with_fetch": times[FETCH, single].p50 / row_time,
                "full_graph_layerwise_per_node": per_node[LAYERWISE] / batch_time,
                "full_graph_at_once_per_node": per_node[AT_ONCE] / batch_time if AT_ONCE in per_node else None,
            }
        )
    return stats


def _parameters(model: nn.Module) -> int:
    return sum(part.numel() for part in model.parameters())


def _bytes_of(part: Features | Adjacency) -> int:
    if isinstance(part, Tensor):
        return part.numel() * part.element_size()
    matrix = part.matrix if isinstance(part, Adjacency) else part
    return sum(array.numel() * array.element_size() for array in (matrix.rowptr, matrix.col, matrix.value))
