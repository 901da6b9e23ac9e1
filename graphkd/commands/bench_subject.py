"""The measured models: a run's student in its runtimes, its teacher, and their graph."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphkd.commands.bench_student import ModelState, served
from graphkd.datasets import SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.encoders import Encoding
from graphkd.errors import GraphKDError
from graphkd.runs import SeedRun
from graphkd.teachers import Teacher
from graphkd.training.stages.encoder import with_positions


@dataclass(frozen=True)
class Subject:
    """One seed of a run, on the CPU.

    Args:
        path: of the run.
        metrics: its ``metrics.json``.
        result: the seed of the run's bundle.
        view: the graph as visible in the run's setting; times are measured on the full one.
        teacher: in evaluation mode.
        students: one per runtime.
        remarks: measurements that were not possible, and why.
    """

    path: Path
    metrics: dict[str, Any]
    result: SeedRun
    view: SettingView
    teacher: Teacher
    students: list[ModelState]
    remarks: list[str]

    @classmethod
    def of(cls, path: Path, metrics: dict[str, Any], result: SeedRun, instead: str) -> Subject:
        """Moves all parts to the CPU and loads the student in its runtimes.

        Args:
            path: of the run.
            metrics: its ``metrics.json``.
            result: the seed of its bundle.
            instead: advice if there is no teacher to run, for the error message.

        Raises:
            GraphKDError: the teacher is not one of graphkd's, or answers for the whole graph only.
        """
        if not result.spec.uses_teacher:
            raise GraphKDError(f"{path} was made without a teacher, to which its student could be compared")
        if not isinstance(result.teacher_result.model, Teacher):
            raise GraphKDError(f"{path} was made with a teacher in memory: {instead}")
        if not result.teacher_result.model.answers_blocks:
            raise GraphKDError(
                f"graphkd bench times how a teacher answers for one node, and {result.teacher_result.model.name} "
                "answers for the whole graph only: choose a run with another teacher"
            )
        view = apply_setting(result.graph.to("cpu"), result.spec.setting, result.seed)
        if result.graph.num_features == 0:
            view = with_positions(view, result.distilled.encoding)
        teacher = copy.deepcopy(result.teacher_result.model).cpu().eval()
        students, remarks = served(path, view)
        return cls(path, metrics, result, view, teacher, students, remarks)

    @property
    def encoding(self) -> Encoding:
        """Encoding of the student's inputs."""
        return self.result.distilled.encoding
