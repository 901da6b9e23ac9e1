"""What every distillation method is: targets once, then a loss over rows; more where a paper needs more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from graphkd.checks import LARGEST, is_real
from graphkd.encoders import Encoder, Raw
from graphkd.errors import GraphKDError
from graphkd.methods.epoch import Epoch, Phase
from graphkd.methods.stacked import StackedTargets
from graphkd.methods.targets import Targets
from graphkd.sparse import Inputs
from graphkd.students.output import StudentOutput
from graphkd.tasks import TASKS

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput

Student = Callable[[Inputs], StudentOutput]
"""The student as a step calls it, as often as it likes: precision, dropout and shares of rows are seen to."""


CLASSES = ("multiclass", "binary")
"""Tasks with one class per node."""

ANY = tuple(TASKS)
"""All tasks of nodes: of a method whose losses are those of the task."""


class Method(nn.Module):
    """``lam · label + (1 − lam) · soft`` over targets that are made once, by a subclass.

    A subclass has a ``name``, a docstring with a ``Source:`` line, an ``__init__`` whose arguments have
    defaults and are kept under their own names, and ``prepare``. One whose loss has another shape overrides
    ``loss``; one that calls the student more than once, ``training_step``; one whose targets move,
    ``on_epoch_start``.

    State that outlives a step is a registered buffer or parameter, made in ``build``: it is in checkpoints then,
    and a run that was killed ends with the same bits. ``prepare`` keeps nothing on the method, which all seeds
    share.

    Args:
        lam: share of the label term, in [0, 1].
        tau: temperature of teacher and student.

    >>> from graphkd.methods.fold import node_targets
    >>> from graphkd.methods.targets import mean_over
    >>> class Distilled(Method):
    ...     name = "distilled"
    ...
    ...     def prepare(self, graph, teacher):
    ...         weight = mean_over(graph.train, graph.num_nodes)
    ...         soft = node_targets(teacher.logits, self.tau)
    ...         return Targets(graph.inputs, graph.y, weight, soft)
    ...
    >>> Distilled(lam=0.5, tau=2.0).facts()
    ('teacher', 'student reads x', 'no edges in a step', 'loss N C')
    """

    name: ClassVar[str]
    influence: ClassVar[str] = "none"
    """The node weights it is published with; ``none`` for a method that weights no nodes."""
    has_teacher: ClassVar[bool] = True
    """Whether it reads the teacher's output; without, no teacher is trained for it."""
    needs_teacher: ClassVar[str] = ""
    """Name of the only one of ``graphkd.teachers`` whose output it can read; empty for any."""
    copies_teacher: ClassVar[bool] = False
    """Whether it reads the layers of the teacher's network, not its output alone."""
    row_sum: ClassVar[bool | None] = None
    """Declares that the loss is a sum over rows of what depends on nothing but the row, so that several processes
    can share them. None: derived, see ``is_row_sum``. A contract test checks a declaration."""
    static_step: ClassVar[bool | None] = None
    """Declares that a step makes the same calls to the device every time and reads nothing back, so that a CUDA
    graph can hold it. None: derived, see ``is_static``."""
    live_edges: ClassVar[bool] = False
    """Whether a step reads the student at both ends of edges, or over neighbours."""
    step_cost: ClassVar[str] = "N C"
    """Multiply-adds of the loss in a step, beyond the student's own passes, in ``N`` nodes, ``E`` edges, ``C``
    classes, ``d`` hidden units, ``D`` features, ``K`` members, ``M`` codes; without a constant factor."""
    ratio_of_sums: ClassVar[bool] = False
    """Whether the loss is no linear function of sums over rows, such as a ratio of two: the mean of the batches'
    losses is not the loss over all rows then, as it is of other methods."""
    tasks: ClassVar[tuple[str, ...]] = CLASSES
    """Names of the tasks that its losses make sense for: by default those with one class per node."""
    folds_edges: ClassVar[bool] = False
    """Whether soft targets are folded over edges, which takes a table in float64 for a while."""
    folds_teacher: ClassVar[bool] = True
    """Whether a method with a teacher has folded soft targets; without, its steps read the teacher's logits."""
    ships: ClassVar[str] = "mlp"
    """Name of the student that ``build`` returns for ``student=mlp``."""
    influence_of_full_graph: bool = False
    """Whether influence is taken from the full graph where nodes are hidden: a leak, published as such."""

    def __init__(self, lam: float, tau: float) -> None:
        super().__init__()
        if not (is_real(lam) and 0 <= lam <= 1):
            raise GraphKDError(f"method.lam is {lam}: it must lie in [0, 1]")
        if not (is_real(tau) and 0 < tau <= LARGEST):
            raise GraphKDError(f"method.tau is {tau}: it must be a finite number greater than 0")
        self.lam, self.tau = lam, tau

    def __init_subclass__(cls, **keys: Any) -> None:
        super().__init_subclass__(**keys)
        if "forward" in vars(cls):
            raise TypeError(f"{cls.__name__} overrides forward, which nothing calls: override loss")

    def facts(self) -> tuple[str, ...]:
        """Returns what the method needs: columns of ``graphkd list methods``."""
        return (
            f"teacher={self.needs_teacher}"
            if self.needs_teacher
            else "teacher"
            if self.has_teacher
            else "no teacher",
            f"student reads {self.encoder().reads}",
            "edges in each step" if self.live_edges else "no edges in a step",
            f"loss {self.step_cost}",
        )

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Compiles graph and teacher; runs once.

        Args:
            graph: checked data; ``graph.influence [N]`` where the run weights nodes.
            teacher: frozen ``logits [N, C]`` and hops.

        Returns:
            Targets whose rows are the graph's nodes.
        """
        raise NotImplementedError

    def encoder(self) -> Encoder:
        """Returns the encoder of the student's inputs that the method is published with."""
        return Raw()

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student that is trained and shipped, and registers what this method trains beside it.

        Called once per seed, on a copy of the method, with torch's generator seeded.

        Args:
            make: builds one student.
            targets: compiled.
            teacher: its frozen output.

        Returns:
            One of ``graphkd.students``.
        """
        return make()

    def param_groups(self, student: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Returns the optimiser's groups, each ``params`` and ``lr``.

        Args:
            student: what ``build`` returned.
            lr: ``training.lr``.
        """
        return [{"params": [*student.parameters(), *self.parameters()], "lr": lr}]

    def phases(self) -> tuple[Phase, ...]:
        """Returns the phases of training, in order."""
        return (Phase(),)

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Moves what moves between epochs; called without gradients.

        Its result must depend on registered buffers, ``epoch`` and the student alone.

        Args:
            epoch: which one, and the student as it is now.
            targets: all rows; ``targets.refold`` changes them in place.
        """

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss of a batch.

        Args:
            student: inputs → output. A matching term reads the output of the first call.
            batch: rows of the targets.

        Returns:
            ``loss``, the scalar to minimise, and its named terms before weighting.
        """
        return self.loss(batch.own_output(student(batch.inputs)), batch)

    def loss(self, output: StudentOutput, batch: Targets | StackedTargets) -> dict[str, Tensor]:
        """Returns the loss of a student's output on a batch.

        Args:
            output: ``logits [B, C]`` and hidden layers of the student.
            batch: the same rows of the targets. This ``loss`` also takes those of several students with their
                logits ``[S, B, C]``; one that overrides it need not.

        Returns:
            ``loss``, the scalar to minimise, and its named terms before weighting; each ``[S]`` for several.
        """
        logits = output.logits
        if batch.soft is None:
            label = batch.label_loss(logits)
            return {"loss": label, "label": label}
        # A term without weight is reported, not differentiated: its backward pass would cost as much.
        label = batch.label_loss(logits if self.lam > 0 else logits.detach())
        soft = batch.soft.loss(logits if self.lam < 1 else logits.detach(), batch.scale)
        return {"loss": self.lam * label + (1 - self.lam) * soft, "label": label, "soft": soft}

    def weighted(self, label: Tensor, **terms: Tensor) -> dict[str, Tensor]:
        """Returns ``lam · label + (1 − lam) · Σ terms`` as ``loss``, beside the terms."""
        soft = torch.stack([*terms.values()]).sum()
        return {"loss": self.lam * label + (1 - self.lam) * soft, "label": label, **terms}

    @property
    def is_plain(self) -> bool:
        """Whether a step is that of this class: a loss that reads labelled rows and folded targets alone."""
        return _inherits(self, "loss", "training_step", "phases")

    @property
    def moves_targets(self) -> bool:
        """Whether targets change between epochs."""
        return not _inherits(self, "on_epoch_start")

    @property
    def is_row_sum(self) -> bool:
        """Whether processes can share the rows of a step: as declared, else only where the step is plain."""
        return self.is_plain if self.row_sum is None else self.row_sum

    @property
    def is_static(self) -> bool:
        """Whether a CUDA graph can hold an epoch: no target moves, and the step is as declared, else plain."""
        static_step = self.is_plain if self.static_step is None else self.static_step
        return static_step and not self.moves_targets

    def training_rows(self, targets: Targets) -> Targets:
        """Returns the rows that a step reads: those that the plain loss leaves alone are dropped for it."""
        return targets.without_idle_rows() if self.is_plain else targets


def _inherits(method: Method, *names: str) -> bool:
    return all(getattr(type(method), name) is getattr(Method, name) for name in names)


def stackable(methods: Sequence[Method], parts: Sequence[Targets]) -> bool:
    """Whether the loss of the first method, over stacked targets, is that of each of them over its own."""
    softs = [None if part.soft is None else (part.soft.tau, part.soft.reverse, part.soft.adjust) for part in parts]
    settings = [
        (type(method), method.lam, soft, part.num_rows, part.scale, part.adjust_label, part.label_smoothing)
        for method, soft, part in zip(methods, softs, parts, strict=True)
    ]
    balanced = any(part.class_weight is not None or (part.soft and part.soft.groups) for part in parts)
    alike = not balanced and all(each == settings[0] for each in settings)
    of_classes = all(part.task.one_class for part in parts)
    return methods[0].is_plain and _is_alone(methods[0]) and alike and of_classes


def trains_one_mlp(method: Method) -> bool:
    """Whether a method trains the one student that it is given, in one phase, with targets that stay."""
    return _inherits(method, "build", "phases", "param_groups", "on_epoch_start", "training_step")


def _is_alone(method: Method) -> bool:
    return not any(True for _ in method.parameters())
