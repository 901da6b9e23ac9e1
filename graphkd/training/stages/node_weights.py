"""The node weights of a run: the influence gets the inputs it requests; its result is checked and cached."""

from __future__ import annotations

import functools
import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from graphkd.checks import is_whole
from graphkd.datasets import Graph, SettingView
from graphkd.errors import GraphKDError
from graphkd.influence.inputs import inputs_of, reads_teacher, signature
from graphkd.sparse import Features
from graphkd.spec import DistillSpec, name_of
from graphkd.training.stages.stage_cache import (
    StageCache,
    StageResult,
    arithmetic,
    cache_for,
    code_digest,
    computed_on_rank0,
)
from graphkd.training.stages.teacher import TeacherResult


def node_weights(
    view: SettingView,
    spec: DistillSpec,
    teacher_result: TeacherResult | None,
    seed: int,
    cache: StageCache | None = None,
) -> Tensor | None:
    """Computes the weights of the observed nodes, ``[n]``; returns None where the spec has no influence.

    Args:
        view: the setting's view of the graph; its observed part is read, and the full graph only where the method
            is published with an influence of the full graph, which warns.
        spec: names the influence.
        teacher_result: the teacher, for influences that read it; None where there is none.
        seed: of the run, added to that of an influence that has one.
        cache: where weights are saved, and loaded from.

    Raises:
        GraphKDError: the influence fails, returns no weights, or requires a teacher where there is none.
    """
    if spec.influence is None:
        return None
    if teacher_result is None and reads_teacher(spec.influence):
        raise GraphKDError(
            f"influence={name_of(spec.influence)} reads the teacher, and there is none: give one, or choose "
            "another influence"
        )
    graph, cache = view.full if spec.leaks else view.observed, cache_for(spec, cache)
    if spec.leaks:
        warnings.warn(
            f"{spec.method.name}'s variant=reference takes the influence from the full graph, hidden nodes "
            "included, as published; variant=paper reads observed nodes only",
            stacklevel=2,
        )
    arguments = {**_seed(spec, seed), **_columns(spec, view)}
    key = {
        "graph": graph.fingerprint(),
        "influence": spec.config()["influence"],
        "teacher": teacher_result.key if teacher_result is not None and reads_teacher(spec.influence) else None,
        "device": arithmetic(graph.y.device),
        "code": code_digest(spec.installed),
        **arguments,
    }
    made = functools.partial(_made, spec, graph, teacher_result, arguments)
    result = cache.stage("influence", key, lambda: computed_on_rank0(made))
    weights = result.tensors["influence"].to(graph.y.device)
    _check(weights, graph.num_nodes)
    return weights[view.nodes] if spec.leaks else weights


def _seed(spec: DistillSpec, seed: int) -> dict[str, int]:
    """Returns the ``seed`` of an influence that has one, with the run's added to it."""
    parameter = signature(spec.influence).get("seed")
    default = None if parameter is None else parameter.default
    return {"seed": (default + seed) % 2**32} if is_whole(default) and default >= 0 else {}  # type: ignore[operator]


def _columns(spec: DistillSpec, view: SettingView) -> dict[str, int]:
    """Returns the number of observed nodes as ``columns``, as in the released code, if the full graph is read."""
    parameter = signature(spec.influence).get("columns")
    open_ = spec.leaks and parameter is not None and parameter.default is None
    return {"columns": view.nodes.numel()} if open_ else {}


def _made(
    spec: DistillSpec, graph: Graph, teacher_result: TeacherResult | None, told: dict[str, int]
) -> StageResult:
    weights = _called(spec, graph, teacher_result, told)
    _check(weights, graph.num_nodes)
    return StageResult({"influence": weights}, {})


def _called(spec: DistillSpec, graph: Graph, teacher_result: TeacherResult | None, told: dict[str, int]) -> Any:
    assert spec.influence is not None
    inputs = {name: _input(name, graph, teacher_result) for name in inputs_of(spec.influence)}
    try:
        with torch.no_grad():
            return spec.influence(graph.x, graph.adj, **told, **inputs)
    except GraphKDError:
        raise
    except Exception as error:  # a user's function can fail in any way
        raise GraphKDError(
            f"influence={name_of(spec.influence)} failed when called with ({', '.join(['x', 'adj', *inputs])}): "
            f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}: correct it"
        ) from error


def _input(name: str, graph: Graph, teacher_result: TeacherResult | None) -> Any:
    """Returns one of ``graphkd.influence.inputs.INPUTS`` for this graph."""
    if name == "labels":  # the student is scored on the labels of the other nodes
        labels = torch.full_like(graph.y, -1)
        labels[graph.train] = graph.y[graph.train]
        return labels
    assert teacher_result is not None
    if name == "logits":
        return teacher_result.of(graph).logits

    def perturbed(noise: Tensor) -> Tensor:
        stored = None if graph.stored is None else _plus(graph.stored, noise)
        return teacher_result.of(replace(graph, x=_plus(graph.x, noise), stored=stored)).logits

    return perturbed


def _plus(features: Features, noise: Tensor) -> Tensor:
    dense = features if isinstance(features, Tensor) else features.to_dense()
    return dense + noise.to(dense)


def _check(weights: Any, num_nodes: int) -> None:
    right = isinstance(weights, Tensor) and weights.shape == (num_nodes,)
    if not right or not bool(((weights >= 0) & (weights <= 1)).all()):
        raise GraphKDError(f"influence must return a tensor [{num_nodes}] of weights between 0 and 1: scale them")
