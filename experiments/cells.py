"""One seed of one cell: a teacher, and every student that is distilled from it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from omegaconf import DictConfig, OmegaConf

from graphkd.config_data import load_graph
from graphkd.datasets import SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.spec import DistillSpec
from graphkd.training.fit.loop import Log
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, train_student
from graphkd.training.stages.teacher import TeacherResult, train_teacher


def view_of(config: DictConfig, seed: int, data_dir: str, device: str = "cpu") -> SettingView:
    """The data set of a config as its setting shows it."""
    here = OmegaConf.merge(config, {"data_dir": data_dir, "device": device})
    assert isinstance(here, DictConfig)
    return apply_setting(load_graph(here, seed), config.setting.name, seed)


def run_cell(
    config: DictConfig,
    seed: int,
    data_dir: str,
    students: Mapping[str, DistillSpec],
    cache: StageCache,
    device: str = "cpu",
) -> dict[str, dict[str, float]]:
    """Returns scores, epochs and seconds of the teacher, if any student reads it, and of every student, by name.

    Args:
        config: names data set and setting.
        seed: of the split, of what a setting hides, and of every network.
        data_dir: where the data is.
        students: specs with the same teacher.
        cache: where trained networks are kept, and found.
        device: ``cpu`` or ``cuda``.
    """
    view, log = view_of(config, seed, data_dir, device), Log()
    taught = [spec for spec in students.values() if spec.uses_teacher]
    spec = (taught or [*students.values()])[0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*hides nodes that the given teacher may have seen")
        teacher_result = train_teacher(view, spec, seed, log, cache)
    results: dict[str, TeacherResult | StudentResult] = {"teacher": teacher_result} if taught else {}
    for name, spec in students.items():
        results[name] = train_student(view, spec, teacher_result, seed, log, cache)
    return {name: _facts(result) for name, result in results.items()}


def _facts(result: TeacherResult | StudentResult) -> dict[str, float]:
    """Returns all scores, epochs and seconds; of a student also its transformed teacher's test score."""
    student = result if isinstance(result, StudentResult) else None
    compiled = student.compile_seconds if student else 0.0
    changed = student is not None and student.teacher_result.transformed
    return {
        **result.scores,
        **({"teacher_test": student.teacher_result.scores["test"]} if student and changed else {}),
        "epochs": result.fit.epochs,
        "seconds": round(result.fit.seconds + compiled, 2),
    }
