"""One seed of a run: its stages in order, and their results."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from graphkd.atomic_io import write_json, write_text
from graphkd.callbacks import Callback
from graphkd.callbacks.session import Session, session_of
from graphkd.classes import class_array
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.deploy import write_bundle
from graphkd.outofcore import TableOptions
from graphkd.runs.live_log import LOG
from graphkd.runs.metrics import TRANSFORMED, protocol, versions
from graphkd.runs.saved_teacher import trained_teacher, write_teacher
from graphkd.runs.stages import Stages
from graphkd.spec import DistillSpec
from graphkd.training.fit.train_state import Log
from graphkd.training.stages.encoder import fit_encoder, with_positions
from graphkd.training.stages.stage_cache import StageCache, cache_for
from graphkd.training.stages.student import StudentResult, train_baselines, train_student
from graphkd.training.stages.teacher import TeacherResult, train_teacher


@dataclass(frozen=True)
class SeedRun:
    """Results of one trained seed of a run.

    Args:
        seed: the seed.
        graph: the training data.
        spec: its parts.
        teacher_result: the teacher.
        distilled: the student.
        baselines: the plainly trained students by name, see ``DistillSpec.baselines``; empty without.
        log: one record per epoch and stage.
        tables: how the tables between the stages were stored.
    """

    seed: int
    graph: Graph
    spec: DistillSpec
    teacher_result: TeacherResult
    distilled: StudentResult
    baselines: dict[str, StudentResult]
    log: Log
    tables: TableOptions = field(default_factory=TableOptions)

    @classmethod
    def train(
        cls,
        graph: Graph,
        spec: DistillSpec,
        seed: int,
        baseline: bool = False,
        cache: StageCache | None = None,
        tell: Callable[[str], None] | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> SeedRun:
        """Runs the stages.

        Args:
            graph: checked data on its device.
            spec: the parts.
            seed: of everything random, the nodes that a setting hides included.
            baseline: also train the student plainly, for comparison, see ``DistillSpec.baselines``.
            cache: of finished stages.
            tell: called with a line at the end of each stage, such as ``seed 0: teacher gcn, 1.2 s``.
            callbacks: of epochs and stages.
        """
        with session_of(callbacks, seed) as session:
            return cls._train(graph, spec, seed, baseline, cache, tell, session)

    @classmethod
    def _train(
        cls,
        graph: Graph,
        spec: DistillSpec,
        seed: int,
        baseline: bool,
        cache: StageCache | None,
        tell: Callable[[str], None] | None,
        session: Session | None,
    ) -> SeedRun:
        log: Log = []
        stages, names = Stages(seed, cache_for(spec, cache), tell), spec.names
        view = apply_setting(graph, spec.setting, seed)
        if graph.num_features == 0:
            view = with_positions(view, fit_encoder(view.observed, spec, seed, cache))
        teacher_result = train_teacher(view, spec, seed, log, cache)
        if spec.uses_teacher:
            stages.over("teacher", names["teacher"], "teacher")
            _deliver(session, "teacher", log, teacher_result)
        distilled = train_student(view, spec, teacher_result, seed, log, cache)
        stages.over("student", names["method"], "student", distilled.compile_seconds)
        _deliver(session, "student", log, distilled)
        plain = train_baselines(view, spec, teacher_result, seed, log, cache) if baseline else {}
        if plain:
            stages.over("baselines", ", ".join(plain), "student")
        for name, result in plain.items():
            _deliver(session, name, log, result)
        tables = TableOptions() if cache is None else cache.tables
        rows = [{"seed": seed, **row} for row in log]
        return cls(seed, graph, spec, teacher_result, distilled, plain, rows, tables)

    @property
    def entry(self) -> dict[str, Any]:
        """This seed's element of ``metrics.json``."""
        teacher, student, distilled = self.teacher_result.fit, self.distilled.fit, self.distilled.teacher_result
        entry = {
            "seed": self.seed,
            **self.task,
            **({"teacher": self.teacher_result.scores} if self.teacher_result.scores else {}),
            **({TRANSFORMED: distilled.scores} if distilled.transformed else {}),
            "student": self.distilled.scores,
            "epochs": {"teacher": teacher.epochs, "student": student.epochs},
            "best_epoch": {"teacher": teacher.best_epoch, "student": student.best_epoch},
            "seconds": {
                "teacher": round(teacher.seconds, 3),
                "compile": round(self.distilled.compile_seconds, 3),
                "student": round(student.seconds, 3),
            },
        }
        entry |= {name: plain.scores for name, plain in self.baselines.items()}
        classes = {"classes": self.classes} if self.distilled.confusion is not None else {}
        return {**entry, **self.calibration, **classes}

    @property
    def task(self) -> dict[str, str]:
        """Name of the task, which records state where it is not ``multiclass``."""
        return {} if self.graph.task.name == "multiclass" else {"task": self.graph.task.name}

    @property
    def classes(self) -> dict[str, Any]:
        """Names of the classes, and metrics of each of them on test nodes, by model."""
        students = {"student": self.distilled, **self.baselines}
        models = {
            "teacher": self.teacher_result.confusion,
            **{name: each.confusion for name, each in students.items()},
        }
        names = class_array(self.graph.class_names, self.graph.num_classes).tolist()
        return {"names": names, **{name: found.record for name, found in models.items() if found is not None}}

    @property
    def calibration(self) -> dict[str, Any]:
        """The temperature of the student, and errors of its probabilities without it; empty without."""
        temperature, errors = self.distilled.temperature, ("test_ece", "test_brier")
        if temperature is None:
            return {}
        return {
            "temperature": temperature.value,
            "uncalibrated": {error: temperature.before[error] for error in errors},
        }

    @property
    def card(self) -> dict[str, Any]:
        """Provenance and scores of the student, for the bundle."""
        encoding, distilled = self.graph.column_encoding, self.distilled.teacher_result
        return {
            "dataset": self.graph.dataset,
            "split": self.graph.split,
            **self.spec.names,
            **self.task,
            "seed": self.seed,
            "metric": self.graph.metric,
            **protocol(self.spec),
            "directed": self.graph.origin.get("directed"),
            **({} if encoding is None else {"columns": encoding.summary()}),
            "teacher_scores": self.teacher_result.scores,
            **({f"{TRANSFORMED}_scores": distilled.scores} if distilled.transformed else {}),
            "student_scores": self.distilled.scores,
            "plain_scores": {name: plain.scores for name, plain in self.baselines.items()},
            **self.calibration,
            "versions": versions(),
        }

    def write(self, folder: Path, save_teacher: bool = False) -> None:
        """Writes ``bundle/``, ``log.jsonl`` and ``metrics.json`` (the entry), and the teacher where asked to."""
        write_bundle(
            folder / "bundle",
            self.distilled.model,
            self.distilled.arguments,
            self.graph.preprocessing,
            self.distilled.encoding,
            self.graph.class_names,
            self.card,
            self.graph.feature_names,
            self.graph.column_encoding,
            self.graph.task.name,
        )
        write_text(folder / LOG, "".join(json.dumps(row) + "\n" for row in self.log))
        write_json(folder / "metrics.json", self.entry)
        if save_teacher:
            write_teacher(folder, trained_teacher(self.spec, self.teacher_result.model))


def _deliver(session: Session | None, stage: str, log: Log, result: TeacherResult | StudentResult) -> None:
    """Hands the end of a stage to the callbacks, if there are any."""
    if session is not None:
        session.stage_over(stage, log, {**asdict(result.fit), **result.scores})
