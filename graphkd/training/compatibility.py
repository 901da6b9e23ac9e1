"""Refusals of training settings that a method leaves without effect, or that its phases are too short for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.methods import Method
    from graphkd.training.settings import Training


def check_training(training: Training, method: Method, given: bool) -> None:
    """Checks that settings have an effect, in every phase of the method.

    Args:
        training: settings of the optimisation.
        method: that the student is trained by.
        given: whether the teacher is given, so that none is trained.

    Raises:
        GraphKDError: labels are smoothed that are not read, a phase ends before its warm-up, a given teacher is to
            be trained, or one with labels as inputs is copied.
    """
    if given and (names := [name for name, _ in training.key_of("teacher") if name != "class_weight"]):
        raise GraphKDError(
            f"training.{names[0]} is of a teacher that the run trains, and this one is given: leave it out"
        )
    if training.teacher_label_rate and method.copies_teacher:
        raise GraphKDError(
            f"method={method.name} copies the teacher's layers, which read labels as well: leave "
            "training.teacher_label_rate out"
        )
    if training.label_smoothing and method.lam == 0:
        raise GraphKDError(
            "training.label_smoothing smooths labels, which a student with method.lam=0 is not trained on: leave "
            "it out, set method.lam above 0, or smooth the teacher's by training.teacher_label_smoothing"
        )
    for phase in method.phases():
        if phase.max_epochs is not None and training.warmup >= phase.max_epochs:
            raise GraphKDError(
                f"training.warmup is {training.warmup}, but phase {phase.name} of method={method.name} has only "
                f"{phase.max_epochs} epochs: lower the one or raise the other"
            )
