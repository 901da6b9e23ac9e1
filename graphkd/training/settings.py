"""How teacher and student are optimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from graphkd.checks import is_real, is_whole
from graphkd.errors import GraphKDError

TEACHER_BATCHES = ("full", "checkpointed", "neighbours", "partitions")
"""Batching strategies of a teacher's training steps."""

PRECISIONS = ("float32", "bfloat16")
"""Data types in which a student's layers are computed while it trains."""

PARTITIONERS = ("random", "metis")
"""Algorithms that partition a graph."""

METRICS = ("accuracy", "macro_f1", "balanced_accuracy", "roc_auc")
"""Scores of the validation nodes that a best epoch can be chosen by; ``graphkd.evaluation.METRICS``."""

CLASS_WEIGHTS = ("none", "balanced")
"""Weights of classes in label losses."""

CHOICES = {
    "teacher_batches": TEACHER_BATCHES,
    "partitioner": PARTITIONERS,
    "precision": PRECISIONS,
    "class_weight": CLASS_WEIGHTS,
}


@dataclass(frozen=True)
class Training:
    """Settings of the optimisation: Adam, with early stopping on the validation score.

    Teacher and student have separate learning rates and weight decays: sweeping the student's leaves the teacher
    unchanged.

    Args:
        max_epochs: of each stage.
        patience: epochs without a validation score at least as good as the best before training stops.
        lr: learning rate of the student.
        weight_decay: of the student, L2 in Adam.
        teacher_lr: learning rate of the teacher.
        teacher_weight_decay: of the teacher.
        batch_size: rows of a step of the student, redrawn in every epoch; by default all of them.
        metric: score of the validation nodes by which teacher and student keep their best epoch, and a run its
            best seed: ``accuracy``, ``macro_f1``, ``balanced_accuracy`` or ``roc_auc``; by default the data's own.
        together: students of several seeds, or of several jobs of one multirun, that have the same shape train as
            one batched model.
        precision: ``bfloat16`` computes the student's layers in it; weights, losses and scores stay float32.
        compile: the student's layers are compiled by ``torch.compile``, whose dropout draws other masks.
        class_weight: ``balanced`` weights the cross-entropy of labels, of teacher and students, by ``n / (C n_c)``
            of ``n`` training nodes in ``C`` classes, as scikit-learn's does; the mean weight of a node is 1.
        teacher_batches: the data of one step of the teacher. ``full``: the graph. ``checkpointed``: the graph,
            most activations recomputed instead of kept, with the same result. ``neighbours``: some training nodes
            and neighbours sampled around them. ``partitions``: the graph that some of its parts induce.
        teacher_batch_size: training nodes of a step with ``neighbours``.
        fanout: neighbours that a layer samples per node at most, or a list with one number per layer, the first
            layer's first.
        parts: number of parts that ``partitions`` divides the graph into.
        parts_per_step: number of these in a step.
        partitioner: ``random``, repeated in every epoch, or ``metis``, which cuts few edges.

    Raises:
        GraphKDError: a value outside its range.

    >>> Training(max_epochs=20).patience
    50
    """

    name: ClassVar[str] = "default"

    max_epochs: int = 500
    patience: int = 50
    lr: float = 0.01
    weight_decay: float = 5e-4
    teacher_lr: float = 0.01
    teacher_weight_decay: float = 5e-4
    batch_size: int | None = None
    metric: str | None = None
    together: bool = False
    precision: str = "float32"
    compile: bool = False
    class_weight: str = "none"
    teacher_batches: str = "full"
    teacher_batch_size: int = 1024
    fanout: int | list[int] = 10
    parts: int = 32
    parts_per_step: int = 4
    partitioner: str = "random"

    def __post_init__(self) -> None:
        for key in ("max_epochs", "patience", "teacher_batch_size", "parts", "parts_per_step"):
            if not _counts(getattr(self, key)):
                raise GraphKDError(f"training.{key} is {getattr(self, key)}: it must be a whole number, 1 or more")
        if self.batch_size is not None and not _counts(self.batch_size):
            raise GraphKDError(
                f"training.batch_size is {self.batch_size}: it must be a whole number, 1 or more, or null for all"
            )
        for key in ("lr", "teacher_lr"):
            if not (is_real(getattr(self, key)) and 0 < getattr(self, key) < 1e30):
                raise GraphKDError(f"training.{key} is {getattr(self, key)}: it must lie between 0 and 1e30")
        for key in ("weight_decay", "teacher_weight_decay"):
            if not (is_real(getattr(self, key)) and 0 <= getattr(self, key) < 1e30):
                raise GraphKDError(f"training.{key} is {getattr(self, key)}: it must lie between 0 and 1e30")
        for key in ("together", "compile"):
            if not isinstance(getattr(self, key), bool):
                raise GraphKDError(f"training.{key} is {getattr(self, key)}: it must be true or false")
        self._check_names()

    @property
    def class_weight_key(self) -> list[str]:
        """What a cache key has more with class weights: nothing without, so that keys stay as they were."""
        return [] if self.class_weight == "none" else [self.class_weight]

    def _check_names(self) -> None:
        if self.metric is not None and self.metric not in METRICS:
            raise GraphKDError(f"training.metric is '{self.metric}': choose one of {', '.join(METRICS)}")
        for key, choices in CHOICES.items():
            if getattr(self, key) not in choices:
                raise GraphKDError(f"training.{key} is '{getattr(self, key)}': choose one of {', '.join(choices)}")
        self._check_batches()

    def _check_batches(self) -> None:
        fanouts = self.fanout if isinstance(self.fanout, list) else [self.fanout]
        if not fanouts or not all(_counts(fanout) for fanout in fanouts):
            raise GraphKDError(
                f"training.fanout is {self.fanout}: it must be a whole number, 1 or more, or a list of such, "
                "one per layer"
            )
        if self.parts_per_step > self.parts:
            raise GraphKDError(
                f"training.parts_per_step is {self.parts_per_step}, but training.parts only {self.parts}: "
                "raise the one or lower the other"
            )


def _counts(value: Any) -> bool:
    return is_whole(value) and value >= 1
