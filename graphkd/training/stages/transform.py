"""The stage between teacher and targets: the teacher is transformed, with what the transform requires."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from graphkd import teachers
from graphkd.datasets import Graph, SettingView
from graphkd.registry import lookup
from graphkd.spec import DistillSpec, name_of, resolve
from graphkd.teachers import TeacherOutput
from graphkd.training.scoring.setting_scores import SettingLogits
from graphkd.training.seeds import seeded
from graphkd.training.stages.stage_cache import (
    StageCache,
    StageResult,
    arithmetic,
    cache_for,
    code_digest,
    computed_on_rank0,
)
from graphkd.training.stages.teacher import TeacherResult, train_teacher
from graphkd.transforms import Fitted


def transformed(
    view: SettingView, spec: DistillSpec, teacher_result: TeacherResult, seed: int, cache: StageCache | None = None
) -> TeacherResult:
    """Returns the teacher that is distilled, with its own scores; without a transform it is the same object.

    One that has been transformed is returned as it is. What the transform trains is a stage of the cache, which
    depends on the teacher and on no method; further teachers are stages like the run's own.

    Args:
        view: the graph as the setting shows it.
        spec: names the transform, and the teacher.
        teacher_result: the frozen teacher.
        seed: of the run.
        cache: where trained parts are saved, and loaded from.

    Raises:
        GraphKDError: the teacher's output has not what the transform reads.
    """
    if spec.transform.name == "none" or teacher_result.transformed or not spec.uses_teacher:
        return teacher_result
    graph, transform, tau = view.observed, spec.transform, spec.method.tau
    transform.check(teacher_result.output)
    others = _others(view, spec, seed, cache)
    tensors = _fitted(view, spec, teacher_result, seed, cache_for(spec, cache))

    def output(on: Graph, results: list[TeacherOutput]) -> TeacherOutput:
        with torch.no_grad():
            return transform(on, results[0], tau, Fitted(tensors, results[1:]))

    results = [teacher_result, *others]
    distilled = output(graph, [each.output for each in results])
    hidden = distilled.logits[:0]
    if view.setting.hides:
        hidden = output(view.full, [each.of(view.full) for each in results]).logits[view.hidden]
    scored = SettingLogits.of_nodes(view, distilled.logits, hidden)
    return replace(
        teacher_result, output=distilled, scores=scored.scores, confusion=scored.confusion, transformed=True
    )


def _others(view: SettingView, spec: DistillSpec, seed: int, cache: StageCache | None) -> list[TeacherResult]:
    """Trains the further teachers, or loads them: with the run's own settings those of the same name."""
    own, results = name_of(spec.teacher), []
    for name, other in spec.transform.others(own, seed):
        teacher = spec.teacher if name == own else lookup(teachers, name)
        alone = resolve(teacher, training=spec.training, setting=spec.setting)
        results.append(train_teacher(view, alone, other, [], cache))
    return results


def _fitted(
    view: SettingView, spec: DistillSpec, teacher_result: TeacherResult, seed: int, cache: StageCache
) -> dict[str, Tensor]:
    """Returns what the transform has learned, trained or from the cache."""
    if not spec.transform.learns:
        return {}
    graph = view.observed
    key: dict[str, Any] = {
        "graph": graph.fingerprint(),
        "teacher": teacher_result.key,
        "transform": spec.config()["transform"],
        "seed": seed,
        "device": arithmetic(graph.y.device),
        "code": code_digest(spec.installed),
    }

    def fit() -> StageResult:
        with seeded(seed, "transform", graph.y.device), torch.enable_grad():
            return StageResult(spec.transform.fit(graph, teacher_result.output), {})

    return dict(cache.stage("transform", key, lambda: computed_on_rank0(fit)).tensors)
