"""What every distillation method is: targets once, then a loss over rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from graphkd.checks import LARGEST, is_real
from graphkd.errors import GraphKDError
from graphkd.methods.stacked import StackedTargets
from graphkd.methods.targets import Propagation, Targets

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.students import StudentOutput
    from graphkd.teachers import TeacherOutput


class Method(nn.Module):
    """``lam · label + (1 − lam) · soft`` over compiled targets; a method says what it compiles.

    A subclass has a ``name``, a docstring with a ``Source:`` line, an ``__init__`` whose arguments have
    defaults and are kept under their own names, and ``prepare``. One whose loss has another shape
    overrides ``forward`` as well.

    Args:
        lam: share of the label term, in [0, 1].
        tau: temperature of teacher and student.
    """

    name: ClassVar[str]
    influence: ClassVar[str] = "none"
    """The node weights it is published with; ``none`` for a method that weights no nodes."""
    has_teacher: ClassVar[bool] = True
    """Whether it reads the teacher's output."""
    by_rows: ClassVar[bool] = True
    """Whether the loss is a sum over rows of what depends on nothing but the row: processes can share it then."""
    on_device: ClassVar[bool] = True
    """Whether ``forward`` makes the same calls to the device every time, and asks it nothing."""
    influence_of_full_graph: bool = False
    """Whether influence is taken from the full graph where nodes are hidden: a leak, published as such."""

    def __init__(self, lam: float, tau: float) -> None:
        super().__init__()
        if not (is_real(lam) and 0 <= lam <= 1):
            raise GraphKDError(f"method.lam is {lam}: it must lie in [0, 1]")
        if not (is_real(tau) and 0 < tau <= LARGEST):
            raise GraphKDError(f"method.tau is {tau}: it must be a finite number greater than 0")
        self.lam, self.tau = lam, tau

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Compiles graph and teacher; runs once.

        Args:
            graph: checked data; ``graph.influence [N]`` where the run weights nodes.
            teacher: frozen ``logits [N, C]`` and hops.

        Returns:
            Targets whose rows are the graph's nodes.
        """
        raise NotImplementedError

    def propagation(self, weighted: bool = False) -> Propagation:
        """How the student's inputs come from the features; a method whose student reads neighbours overrides it.

        Args:
            weighted: whether the graph has edge weights; of no account where no neighbour is read.
        """
        return Propagation()

    def input_width(self, num_features: int) -> int:
        """``D'`` of the student's inputs for ``D`` features."""
        return self.propagation().width(num_features)

    def forward(self, output: StudentOutput, batch: Targets | StackedTargets) -> dict[str, Tensor]:
        """The loss of a batch.

        Args:
            output: ``logits [B, C]`` and hidden layers of the student.
            batch: the same rows of the targets. This ``forward`` also takes those of several students with their
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


def stackable(methods: Sequence[Method], parts: Sequence[Targets]) -> bool:
    """Whether the loss of the first method, over stacked targets, is that of each of them over its own."""
    softs = [None if part.soft is None else (part.soft.tau, part.soft.reverse) for part in parts]
    told = [
        (type(method), method.lam, soft, part.num_rows, part.scale)
        for method, soft, part in zip(methods, softs, parts, strict=True)
    ]
    own = any(True for _ in methods[0].parameters())
    return type(methods[0]).forward is Method.forward and not own and all(each == told[0] for each in told)
