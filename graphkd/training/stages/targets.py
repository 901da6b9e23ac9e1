"""The second stage: graph and teacher become targets, after which the graph is not needed."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch

from graphkd.balance import Balance
from graphkd.calibration import Calibration
from graphkd.datasets import Graph, SettingView
from graphkd.distributed import world
from graphkd.encoders import Encoding
from graphkd.errors import GraphKDError
from graphkd.methods import Targets
from graphkd.spec import DistillSpec, part_config
from graphkd.teachers import TeacherOutput
from graphkd.training.seeds import seeded
from graphkd.training.stages.encoder import fit_encoder
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.stage_cache import StageCache, cache_for, code_digest
from graphkd.training.stages.teacher import TeacherResult
from graphkd.training.stages.transform import transformed


def compile_targets(
    view: SettingView,
    spec: DistillSpec,
    teacher_result: TeacherResult,
    seed: int,
    cache: StageCache | None = None,
    encoding: Encoding | None = None,
) -> Targets:
    """Everything the student will see, computed once; the graph is not needed afterwards.

    With a memory budget its tables are files in the cache, made in blocks; a compile that was killed goes on after
    the last block that it finished.

    Args:
        view: the graph as the setting shows it; all but its observed part is left alone, unless the method
            is published with an influence of the full graph, which warns.
        spec: names method, matching and influence.
        teacher_result: the frozen teacher, transformed here if it has not been.
        seed: of the run, for an influence that draws.
        cache: where node influences are kept, and found, and how tables are kept.
        encoding: of the student's inputs; fitted here if it is not given.
    """
    kept, method = cache_for(spec, cache), spec.method
    fitted = encoding or fit_encoder(view.observed, spec, seed, cache)
    teacher_result = transformed(view, spec, teacher_result, seed, cache)
    teacher = teacher_result.answering
    check_in_memory(spec, kept)
    with kept.table_store("compile", _key(view, spec, teacher_result, seed)), torch.no_grad():
        influence = node_weights(view, spec, teacher_result, seed, cache)
        graph = view.observed.with_influence(influence)
        in_files = kept.tables.bytes is not None  # which the first of several processes writes

        def prepare() -> Targets:
            encode = fitted.mix if method.is_plain else fitted.table  # other steps read the entries of rows
            encoded = graph.with_inputs(encode(graph.x, graph.adj))
            return prepared(spec, encoded, teacher, seed)

        targets = world().rank0_first(prepare, in_files)
    targets = targets if spec.moves_targets else targets.without_fold()
    targets = replace(targets, task=view.observed.task)
    return targets.with_hops(teacher_result.output.hops[:-1]) if spec.reads_hops else targets


def prepared(spec: DistillSpec, graph: Graph, teacher: TeacherOutput, seed: int) -> Targets:
    """Returns the method's targets of the teacher: calibrated, then balanced.

    Args:
        spec: names method, calibration and balance.
        graph: the observed one, with encoded rows.
        teacher: transformed.
        seed: of the run.

    Raises:
        GraphKDError: the calibration cannot reach such targets, or the balance cannot take them apart.
    """
    calibration, balance = built_calibration(spec, graph, seed), built_balance(spec, graph, teacher)
    logits = balance.teacher(calibration.teacher(teacher.logits), spec.method.tau)
    targets = spec.method.prepare(graph, replace(teacher, logits=logits))
    calibration.check(targets, spec.method.name)
    weight = calibration.sender_weight(teacher.logits)
    if weight is not None:
        targets.refold(sender_weight=weight)
    return balance.fold(targets)


def built_calibration(spec: DistillSpec, graph: Graph, seed: int) -> Calibration:
    """Returns a copy of the spec's calibration, built with draws of its own."""
    calibration = copy.deepcopy(spec.calibration)
    with seeded(seed, "calibration", graph.y.device):
        calibration.build(graph)
    return calibration


def built_balance(spec: DistillSpec, graph: Graph, teacher: TeacherOutput) -> Balance:
    """Returns a copy of the spec's balance, built on the classes' sizes in a graph."""
    balance = copy.deepcopy(spec.balance)
    balance.build(graph, teacher.logits)
    return balance


def check_in_memory(spec: DistillSpec, cache: StageCache) -> None:
    """Refuses a memory budget for a method whose steps cannot read tables from files.

    Raises:
        GraphKDError: its targets are folded again, which files with checksums cannot be, or it reads rows in no
            order.
    """
    method = spec.method
    if cache.tables.bytes is not None and spec.balance.regroups:
        raise GraphKDError(
            f"balance={spec.balance.name} makes tables of other columns, in memory: leave memory_budget out"
        )
    folds_again = spec.moves_targets or spec.calibration.weighs_senders
    if cache.tables.bytes is None or (method.is_plain and not folds_again):
        return
    in_method = method.moves_targets or not method.is_plain
    name = f"method={method.name}" if in_method else f"calibration={spec.calibration.name}"
    raise GraphKDError(
        f"{name} folds its targets again, or reads rows at both ends of edges, which "
        "tables in files cannot: leave memory_budget out"
    )


def _key(view: SettingView, spec: DistillSpec, teacher_result: TeacherResult, seed: int) -> dict[str, Any]:
    """All that the tables depend on."""
    config = spec.config()
    return {
        "teacher": teacher_result.key,
        "graph": view.observed.fingerprint(),
        "full": view.full.fingerprint() if spec.leaks else None,
        **{key: config[key] for key in ("method", "transform", "calibration", "influence")},
        "balance": config["balance"] if spec.balance.acts_on == "soft" else None,
        "encoder": part_config(spec.inputs),
        "seed": seed,
        "code": code_digest(spec.installed),
    }
