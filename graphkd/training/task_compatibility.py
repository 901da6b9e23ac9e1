"""Refusals of parts that make no sense for a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.errors import GraphKDError
from graphkd.influence.inputs import inputs_of

if TYPE_CHECKING:
    from graphkd.spec import DistillSpec
    from graphkd.tasks import Task

OF_CLASSES = ("transform", "calibration", "balance", "term")
"""Groups whose parts read a node's answer as one distribution over classes."""


def check_task(spec: DistillSpec, task: Task) -> None:
    """Checks that every part of a run makes sense for the task of its data.

    Args:
        spec: the parts.
        task: of the data's labels.

    Raises:
        GraphKDError: a part is for one class per node, and the labels are others; or the metric is not the task's.
    """
    if spec.training.metric is not None:
        task.check_metric(spec.training.metric, "training.metric")
    if task.name not in spec.method.tasks:
        raise GraphKDError(
            f"method={spec.method.name} is for tasks {', '.join(spec.method.tasks)}, and the labels are those of "
            f"{task.name}: choose method=glnn, infgrand, teacher_bounded or mlp"
        )
    if task.one_class:
        return
    faults = [
        *(f"{group}={name}" for group in OF_CLASSES if (name := getattr(spec, group).name) != "none"),
        *(["encoder=labels"] if spec.inputs.name == "labels" else []),
        *(["deploy.calibrate"] if spec.calibrate else []),
        *_of_training(spec),
        *([f"influence={_name(spec.influence)}"] if inputs_of(spec.influence) else []),
    ]
    if faults:
        raise GraphKDError(f"{faults[0]} is for one class per node, and task={task.name} is not: leave it out")


def _of_training(spec: DistillSpec) -> list[str]:
    """Returns the keys of training settings that read classes and are set."""
    training = spec.training
    keys = ("label_smoothing", "teacher_label_smoothing", "teacher_label_rate")
    faults = [f"training.{key}" for key in keys if getattr(training, key)]
    return faults + (["training.class_weight"] if training.class_weight != "none" else [])


def _name(part: object) -> str:
    from graphkd.spec import name_of

    return name_of(part)
