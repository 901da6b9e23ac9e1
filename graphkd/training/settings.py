"""How teacher and student are optimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graphkd.errors import GraphKDError
from graphkd.numbers import is_real, is_whole


@dataclass(frozen=True)
class Training:
    """Adam, early stopping on validation.

    The teacher's rate and decay are its own: sweeping the student's leaves the teacher unchanged.

    Args:
        max_epochs: of each stage.
        patience: epochs without a validation score at least as good as the best, then it stops.
        lr: learning rate of the student.
        weight_decay: of the student, L2 in Adam.
        teacher_lr: learning rate of the teacher.
        teacher_weight_decay: of the teacher.
        batch_size: rows of a step of the student, drawn anew in every epoch; by default all of them.

    Raises:
        GraphKDError: a value outside its range.
    """

    name: ClassVar[str] = "default"

    max_epochs: int = 500
    patience: int = 50
    lr: float = 0.01
    weight_decay: float = 5e-4
    teacher_lr: float = 0.01
    teacher_weight_decay: float = 5e-4
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for key in ("max_epochs", "patience"):
            if not is_whole(getattr(self, key)) or getattr(self, key) < 1:
                raise GraphKDError(f"training.{key} is {getattr(self, key)}: it must be a whole number, 1 or more")
        if self.batch_size is not None and (not is_whole(self.batch_size) or self.batch_size < 1):
            raise GraphKDError(
                f"training.batch_size is {self.batch_size}: it must be a whole number, 1 or more, or null for all"
            )
        for key in ("lr", "teacher_lr"):
            if not (is_real(getattr(self, key)) and 0 < getattr(self, key) < 1e30):
                raise GraphKDError(f"training.{key} is {getattr(self, key)}: it must lie between 0 and 1e30")
        for key in ("weight_decay", "teacher_weight_decay"):
            if not (is_real(getattr(self, key)) and 0 <= getattr(self, key) < 1e30):
                raise GraphKDError(f"training.{key} is {getattr(self, key)}: it must lie between 0 and 1e30")
