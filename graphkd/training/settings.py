"""How teacher and student are optimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from graphkd.checks import is_real, is_whole
from graphkd.errors import GraphKDError
from graphkd.ranges import check_above_zero, check_counts, check_shares
from graphkd.tasks import TASKS
from graphkd.training.optimiser import COURSES, RULES, Optimiser

TEACHER_BATCHES = ("full", "checkpointed", "neighbours", "partitions")
"""Batching strategies of a teacher's training steps."""

PRECISIONS = ("float32", "bfloat16")
"""Data types in which a student's layers are computed while it trains."""

PARTITIONERS = ("random", "metis")
"""Algorithms that partition a graph."""

METRICS = tuple(dict.fromkeys(metric for task in TASKS.values() for metric in task.metrics))
"""Scores of the validation nodes that a best epoch can be chosen by; the task of the labels has some of them."""

CLASS_WEIGHTS = ("none", "balanced")
"""Weights of classes in label losses."""

CHOICES = {
    "teacher_batches": TEACHER_BATCHES,
    "partitioner": PARTITIONERS,
    "precision": PRECISIONS,
    "class_weight": CLASS_WEIGHTS,
    "optimizer": tuple(RULES),
    "schedule": tuple(COURSES),
    "teacher_optimizer": tuple(RULES),
    "teacher_schedule": tuple(COURSES),
}

OF_EACH = ("optimizer", "schedule", "warmup", "clip_norm", "label_smoothing")
"""Settings that the student has, and the teacher as ``teacher_…``; in a cache key where they are no defaults."""

LABEL_INPUTS = ("teacher_label_rate", "teacher_label_reuse")
"""Further settings of the teacher, likewise in a cache key where they are no defaults."""


@dataclass(frozen=True)
class Training:
    """Settings of the optimisation, with early stopping on the validation score.

    What the optimiser does (learning rate to label smoothing) is set separately for the student and, as
    ``teacher_…``, for the teacher: sweeping the student's leaves the teacher unchanged.

    Args:
        max_epochs: of each stage.
        patience: epochs without a validation score at least as good as the best before training stops.
        lr: learning rate of the student.
        weight_decay: of the student: L2 in Adam, decoupled in AdamW; it applies once learning has begun.
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
        optimizer: of the student: ``adam`` or ``adamw``.
        schedule: of the student's learning rates: ``constant``, or down to 0 over ``max_epochs`` along half a
            ``cosine`` or a ``linear`` course. On a CUDA device the last two are trained without CUDA graphs.
        warmup: epochs in which the student's learning rates rise linearly; fewer than ``max_epochs``.
        clip_norm: maximum L2 norm of all gradients of a student's step; by default any. Students that train
            ``together`` are clipped each by its own norm.
        label_smoothing: ``ε`` in [0, 1): the student's cross-entropy of labels is that with
            ``(1 − ε) onehot(y) + ε / C``; LinkDist's for neighbours stays. At large ``ε`` the loss cannot halve,
            and learning counts as begun after twice ``patience`` epochs only.
        teacher_optimizer: of the teacher, as ``optimizer``.
        teacher_schedule: of the teacher, as ``schedule``.
        teacher_warmup: of the teacher, as ``warmup``.
        teacher_clip_norm: of the teacher, as ``clip_norm``.
        teacher_label_smoothing: of the teacher, as ``label_smoothing``.
        teacher_label_rate: share in [0, 1) of the training labels that the teacher reads beside the features,
            drawn for every epoch; its loss is that of the other training nodes. To its answers it reads all
            training labels, and never those of validation and test nodes. 0 leaves labels out.
        teacher_label_reuse: how often, in every step and answer, the teacher's own distributions are filled in
            for the labels that it does not read.
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
    optimizer: str = "adam"
    schedule: str = "constant"
    warmup: int = 0
    clip_norm: float | None = None
    label_smoothing: float = 0.0
    teacher_optimizer: str = "adam"
    teacher_schedule: str = "constant"
    teacher_warmup: int = 0
    teacher_clip_norm: float | None = None
    teacher_label_smoothing: float = 0.0
    teacher_label_rate: float = 0.0
    teacher_label_reuse: int = 0
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
        self._check_optimisers()

    @property
    def optimiser(self) -> Optimiser:
        """The student's."""
        return Optimiser(self.optimizer, self.schedule, self.warmup, self.clip_norm)

    @property
    def teacher_optimiser(self) -> Optimiser:
        """The teacher's."""
        return Optimiser(
            self.teacher_optimizer, self.teacher_schedule, self.teacher_warmup, self.teacher_clip_norm
        )

    def teacher_width(self, num_features: int, num_classes: int) -> int:
        """Returns the width of a teacher's inputs: features, and a column per class where labels are inputs."""
        return num_features + (num_classes if self.teacher_label_rate else 0)

    def key_of(self, stage: str) -> list[list[Any]]:
        """What a cache key has more where settings are no defaults: nothing else, so that keys stay as they were.

        Args:
            stage: ``teacher`` or ``student``.
        """
        prefix = "teacher_" if stage == "teacher" else ""
        names = ["class_weight", *(prefix + name for name in OF_EACH), *(LABEL_INPUTS if prefix else ())]
        return [[name, getattr(self, name)] for name in names if getattr(self, name) != getattr(Training, name)]

    def _check_optimisers(self) -> None:
        for of in ("", "teacher_"):
            warmup, clip_norm, smoothing = (
                {of + name: getattr(self, of + name)} for name in ("warmup", "clip_norm", "label_smoothing")
            )
            check_counts("training", 0, **warmup)
            check_shares("training", **smoothing)
            if clip_norm[f"{of}clip_norm"] is not None:
                check_above_zero("training", **clip_norm)
            if (epochs := warmup[f"{of}warmup"]) >= self.max_epochs:
                raise GraphKDError(
                    f"training.{of}warmup is {epochs}, but training.max_epochs only {self.max_epochs}: lower the "
                    "one or raise the other"
                )
        self._check_label_inputs()

    def _check_label_inputs(self) -> None:
        check_shares("training", teacher_label_rate=self.teacher_label_rate)
        check_counts("training", 0, 100, teacher_label_reuse=self.teacher_label_reuse)
        if self.teacher_label_reuse and not self.teacher_label_rate:
            raise GraphKDError(
                f"training.teacher_label_reuse is {self.teacher_label_reuse}, but no labels are inputs: set "
                "training.teacher_label_rate above 0, such as 0.5"
            )
        if self.teacher_label_rate and self.teacher_batches != "full":
            raise GraphKDError(
                f"training.teacher_label_rate is {self.teacher_label_rate}, and needs the whole graph in a step: "
                "use training.teacher_batches=full"
            )

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
