"""What is measured: a run's student in its runtimes, its teacher, and the graph of both."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphkd.commands.bench_student import ModelState, served
from graphkd.datasets import SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.errors import GraphKDError
from graphkd.features import Propagation
from graphkd.runs import SeedRun
from graphkd.teachers import Teacher


@dataclass(frozen=True)
class Subject:
    """One seed of a run, on the CPU.

    Args:
        path: of the run.
        metrics: its ``metrics.json``.
        result: the seed that the run's bundle is of.
        view: the graph as the run's setting shows it; times are those on the full one.
        teacher: in evaluation mode.
        students: one per runtime.
        remarks: what could not be measured, and why.
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
        """Takes all parts to the CPU.

        Args:
            path: of the run.
            metrics: its ``metrics.json``.
            result: the seed that its bundle is of.
            instead: what to do where there is no teacher to run, for the error message.

        Raises:
            GraphKDError: the teacher is none of graphkd's own.
        """
        if not isinstance(result.teacher_result.model, Teacher):
            raise GraphKDError(f"{path} was made with a teacher in memory: {instead}")
        view = apply_setting(result.graph.to("cpu"), result.spec.setting, result.seed)
        teacher = copy.deepcopy(result.teacher_result.model).cpu().eval()
        students, remarks = served(path, view)
        return cls(path, metrics, result, view, teacher, students, remarks)

    @property
    def propagation(self) -> Propagation:
        """Of the student's inputs."""
        return self.result.distilled.propagation
