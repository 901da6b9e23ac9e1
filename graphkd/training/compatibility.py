"""Refusals of training settings that a method leaves without effect, or that its phases are too short for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.methods import Method
    from graphkd.training.settings import Training


def check_training(training: Training, method: Method) -> None:
    """Checks that the student's settings have an effect, in every phase of its method.

    Args:
        training: settings of the optimisation.
        method: that the student is trained by.

    Raises:
        GraphKDError: labels are smoothed that are not read, or a phase ends before its warm-up.
    """
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
