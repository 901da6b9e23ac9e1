"""The search space: what a sampler draws, as overrides of ``graphkd distill``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from graphkd import methods, teachers
from graphkd.registry import catalogue, lookup, parameters_of
from graphkd.tuning.limits import Shape

if TYPE_CHECKING:
    from optuna.trial import Trial

READS: dict[str, tuple[str, ...]] = {
    "x": ("raw",),
    "positions": ("raw", "positions"),
    "neighbours": ("raw", "propagated", "positions", "positions_propagated", "labels"),
}
"""What a student may read when it answers → its encoders."""

ENCODERS: dict[str, tuple[str, ...]] = {
    "raw": ("encoder=raw",),
    "propagated": ("encoder=propagated",),
    "positions": ("encoder=positions",),
    "positions_propagated": ("encoder=positions", "encoder.features=propagated"),
    "labels": ("encoder=labels",),
    "positions_alone": ("encoder=positions", "encoder.features=none"),
}
"""Overrides of each encoder."""

TEACHERS = ("gcn", "sage", "gat", "gcnii", "appnp")
METHODS = ("glnn", "krd", "ff_g2m", "hgmd", "infgrand")
"""Methods that are searched by default: their students train in seconds; ``mlp`` always is beside them."""

OTHER_TASKS = ("glnn", "infgrand", "teacher_bounded")
"""The same where a node has labels or numbers, which most methods do not train."""

READS_LABELS = ("teacher_bounded",)
"""Methods that labels must have a share in, so that they do not start from ``lam=0``."""

OWN_ENCODER = {"cohop": "labels"}
"""Methods whose students have one encoder, which is not drawn: ``reads=neighbours`` searches them, too."""

SHAPES: tuple[Shape, ...] = ((1, 64), (2, 64), (2, 128), (2, 256), (2, 512), (3, 64), (3, 128), (3, 256), (3, 512))
NORMS = ("none", "layer", "batch")
TRANSFORMS = ("none", "propagate", "correct_and_smooth", "ensemble")
MATCHINGS = ("none", "forward")

DEFAULT_STUDENT: dict[str, Any] = {
    "teachers": 0,
    "transform": "none",
    "method.lam": 0.0,
    "method.tau": 1.0,
    "matching": "none",
    "student.dropout": 0.5,
    "student.norm": "none",
    "training.lr": 0.01,
    "training.weight_decay": 5e-4,
}
"""Draws of the starting points, beyond the method."""

DEFAULT_TEACHER: dict[str, Any] = {
    "teacher.num_layers": 2,
    "teacher.hidden_dim": 128,
    "teacher.dropout": 0.5,
    "teacher.norm": "none",
    "teacher.residual": False,
    "teacher.aggregator": "mean",
    "teacher.teleport": 0.1,
    "gcnii_layers": 8,
    "teacher.initial_residual": 0.2,
    "training.teacher_lr": 0.01,
    "training.teacher_weight_decay": 5e-4,
}
STARTING_TEACHERS: tuple[dict[str, Any], ...] = (
    {"teacher": "gcn"},
    {"teacher": "sage"},
    {"teacher": "gat"},
    {"teacher": "appnp", "teacher.hidden_dim": 64},
    {"teacher": "gcnii", "teacher.hidden_dim": 64},
    {"teacher": "gcn", "teacher.hidden_dim": 256, "teacher.dropout": 0.7, "training.teacher_lr": 0.003},
    {"teacher": "sage", "teacher.num_layers": 3, "teacher.norm": "layer", "teacher.residual": True},
)


class Draw:
    """Draws settings, and keeps them as overrides; a key that the user has given is not drawn.

    Args:
        trial: of Optuna.
        fixed: given keys and their values.
    """

    def __init__(self, trial: Trial, fixed: Mapping[str, str]) -> None:
        self.trial, self.fixed = trial, fixed
        self.overrides: list[str] = []
        self._keys: dict[str, set[str]] = {}

    def part(self, group: str, package: ModuleType, name: str) -> None:
        """States which part of a group was drawn: keys of the group that it does not have are not drawn."""
        self._keys[group] = {*parameters_of(lookup(package, name))} if name in catalogue(package) else set()

    def choice(self, key: str, values: Sequence[Any], name: str = "") -> Any:
        """Returns one of the values of a key; ``name`` tells other values of the same key apart."""
        return self._kept(key, lambda: self.trial.suggest_categorical(name or key, list(values)))

    def number(self, key: str, low: float, high: float, log: bool = False) -> Any:
        """Returns a number of two digits between two bounds."""
        return self._kept(key, lambda: float(f"{self.trial.suggest_float(key, low, high, log=log):.2g}"))

    def index(self, name: str, count: int) -> int:
        """Returns a whole number below ``count``, which is no key."""
        return int(self.trial.suggest_categorical(name, list(range(count))))

    def _kept(self, key: str, draw: Any) -> Any:
        if key in self.fixed:
            return self.fixed[key]
        group, _, name = key.partition(".")
        if name and group in self._keys and name not in self._keys[group]:
            return None
        value = draw()
        self.overrides.append(f"{key}={_written(value)}")
        return value


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Space:
    """What a search draws from.

    Args:
        fixed: keys that the user has given, and their values.
        encoders: of ``ENCODERS``, that the student may have.
        methods: beside ``mlp``.
        untaught: those of the methods that read no teacher.
        shapes: of students, within the limits.
        weighs_classes: whether class weights are drawn: where validation selects by a metric of classes.
        transforms: of the teacher.
        metric: that validation selects by; higher is better.
    """

    fixed: Mapping[str, str] = field(default_factory=dict)
    encoders: tuple[str, ...] = ("raw",)
    methods: tuple[str, ...] = METHODS
    untaught: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = SHAPES
    weighs_classes: bool = False
    transforms: tuple[str, ...] = TRANSFORMS
    metric: str = "accuracy"

    def teacher(self, trial: Trial) -> tuple[str, ...]:
        """Draws a teacher: architecture, depth, width, regularisation and rates."""
        draw = Draw(trial, self.fixed)
        name = draw.choice("teacher", TEACHERS)
        draw.part("teacher", teachers, name)
        draw.choice("teacher.hidden_dim", (64, 128, 256))
        draw.choice("teacher.dropout", (0.2, 0.5, 0.7))
        if name == "gcnii":
            draw.choice("teacher.num_layers", (8, 16), "gcnii_layers")
            draw.choice("teacher.initial_residual", (0.1, 0.2))
        else:
            draw.choice("teacher.num_layers", (2, 3))
        if name == "appnp":
            draw.choice("teacher.teleport", (0.05, 0.1, 0.2))
        if name in ("gcn", "sage", "gat"):
            draw.choice("teacher.norm", NORMS)
            draw.choice("teacher.residual", (False, True))
        if name == "sage":
            draw.choice("teacher.aggregator", ("mean", "gcn"))
        draw.choice("training.teacher_lr", (0.001, 0.003, 0.01))
        draw.choice("training.teacher_weight_decay", (0.0, 5e-5, 5e-4, 5e-3))
        return tuple(draw.overrides)

    def student(self, trial: Trial, pool: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """Draws a student, and one of the teachers unless the student is plain.

        Args:
            trial: of Optuna.
            pool: overrides of the teachers.
        """
        draw = Draw(trial, self.fixed)
        method = draw.choice("method", ("mlp", *self.methods))
        draw.part("method", methods, method)
        draw.overrides += ENCODERS[OWN_ENCODER.get(method) or self._encoder(draw)]
        if method not in ("mlp", *self.untaught):
            draw.overrides += pool[draw.index("teachers", len(pool))]
            self._distillation(draw)
        layers, width = self.shapes[draw.index("shape", len(self.shapes))]
        draw.overrides += [f"student.num_layers={layers}", f"student.hidden_dim={width}"]
        draw.choice("student.dropout", (0.0, 0.2, 0.4, 0.5, 0.6, 0.8))
        draw.choice("student.norm", NORMS)
        draw.number("training.lr", 1e-3, 2e-2, log=True)
        draw.number("training.weight_decay", 1e-6, 1e-2, log=True)
        if self.weighs_classes:
            draw.choice("training.class_weight", ("none", "balanced"))
        return tuple(draw.overrides)

    def starts(self) -> list[dict[str, Any]]:
        """Returns the draws of the first round: plain MLPs of every input, then methods with default settings.

        The first one is the plain MLP that all are compared with. Every encoder is there with a teacher, and one
        student has an ensemble of teachers, if that is searched.
        """
        first, *others = self.encoders
        found = [self._start("mlp", encoder) for encoder in self.encoders]
        found += [self._start(method, first) for method in self.methods]
        taught = [method for method in self.methods if method not in self.untaught]
        found += [self._start(method, encoder) for method in taught[:1] for encoder in others]
        if "ensemble" in self.transforms:
            found += [{**self._start(method, first), "transform": "ensemble"} for method in taught[1:2]]
        return found

    def _start(self, method: str, encoder: str) -> dict[str, Any]:
        linear = method in OWN_ENCODER  # CoHOp, the only one, is published so
        wanted = (1, 64) if linear else (2, 128)
        shape = next((number for number, each in enumerate(self.shapes) if each == wanted), 0)
        if linear:
            return {**DEFAULT_STUDENT, "method": method, "shape": shape, "student.dropout": 0.0}
        own = {"method.lam": 0.5} if method in READS_LABELS else {}
        return {**DEFAULT_STUDENT, **own, "method": method, "encoder": encoder, "shape": shape}

    def _encoder(self, draw: Draw) -> str:
        if len(self.encoders) == 1:
            return self.encoders[0]
        return str(draw.trial.suggest_categorical("encoder", list(self.encoders)))

    def _distillation(self, draw: Draw) -> None:
        """Draws what is between a teacher and its student."""
        draw.number("method.lam", 0.0, 0.6)
        draw.number("method.tau", 0.5, 4.0, log=True)
        if len(self.transforms) > 1:
            draw.choice("transform", self.transforms)
        if draw.choice("matching", MATCHINGS) != "none":
            draw.number("matching.weight", 0.03, 3.0, log=True)
