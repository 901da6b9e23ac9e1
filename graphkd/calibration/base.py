"""What every calibration is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NoReturn

from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.methods.targets import TEACHER

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.methods import Epoch, Method, Targets


class Calibration(nn.Module):
    """Maps logits before a softmax of a soft loss reads them: the teacher's, and the student's.

    A module, since some learn: what ``build`` registers trains with the student, and is in checkpoints. What moves
    between epochs does so in ``on_epoch_start``, as a function of registered buffers and parameters.

    A subclass has a ``name``, a docstring with a ``Source:`` line, and an ``__init__`` whose arguments have
    defaults and are kept under their own names.

    >>> class Shifted(Calibration):
    ...     name = "shifted"
    ...
    ...     def student(self, logits):
    ...         return logits - logits.amax(dim=-1, keepdim=True)
    ...
    >>> Shifted().moves_targets, Shifted().weight
    (False, 1.0)
    """

    name: ClassVar[str]

    def build(self, graph: Graph) -> None:
        """Registers what a calibration needs; called once per seed, on a copy.

        Args:
            graph: the observed one; labels of training nodes alone may be read.
        """

    def teacher(self, logits: Tensor) -> Tensor:
        """Returns the teacher's logits ``[N, C]`` as they are folded."""
        return logits

    def student(self, logits: Tensor) -> Tensor:
        """Returns the student's logits ``[…, B, C]`` as a soft loss reads them."""
        return logits

    def student_per_row(self, logits: Tensor, rows: Tensor) -> Tensor:
        """Returns the same in place of ``student``, where ``per_row``.

        Args:
            logits: ``[…, B, C]`` of the student.
            rows: ``[B, k]``, these rows of what ``row_table`` returned.
        """
        raise NotImplementedError

    def row_table(self, targets: Targets) -> Tensor:
        """Returns a table ``[N, k]`` that ``on_epoch_start`` fills, where ``per_row``."""
        raise NotImplementedError

    def sender_weight(self, logits: Tensor) -> Tensor | None:
        """Returns ``c [N]``, by which the soft loss of every teacher's node is multiplied, or None for 1.

        Args:
            logits: ``[N, C]``, the teacher's own.
        """
        return None

    def on_epoch_start(self, epoch: Epoch, targets: Targets, teacher: Tensor) -> None:
        """Moves what moves; called without gradients.

        Args:
            epoch: that begins.
            targets: all rows; ``targets.refold(logits=…)`` changes the teacher's side in place.
            teacher: the teacher's own logits ``[N, C]``.
        """

    @property
    def moves_targets(self) -> bool:
        """Whether the teacher's side changes between epochs."""
        return type(self).on_epoch_start is not Calibration.on_epoch_start

    @property
    def per_row(self) -> bool:
        """Whether student and teacher share a temperature that differs from node to node."""
        return False

    @property
    def weighs_senders(self) -> bool:
        """Whether ``sender_weight`` is there, for which targets are folded a second time."""
        return type(self).sender_weight is not Calibration.sender_weight

    @property
    def weight(self) -> float | Tensor:
        """The factor of a soft loss, such as a squared temperature; a buffer where it moves."""
        return 1.0

    def check_method(self, method: Method) -> None:
        """Refuses a method by what it declares, before anything is trained; ``check`` sees the rest.

        Raises:
            GraphKDError: temperatures per node meet targets over edges.
        """
        if self.per_row and method.folds_edges:
            self._refuse_mixed(method.name)

    def check(self, targets: Targets, method: str) -> None:
        """Refuses targets that it cannot reach.

        Args:
            targets: as a method prepared them.
            method: its name.

        Raises:
            GraphKDError: temperatures per node meet targets that mix nodes, or a weight of the loss meets a method
                that compares the teacher's logits by itself.
        """
        soft = targets.soft
        compares = soft is None or TEACHER in targets.tables
        if self.per_row and (compares or soft is None or soft.fold is None or soft.fold.weights is not None):
            self._refuse_mixed(method)
        if self.weighs_senders and compares:
            self._refuse(f"weights nodes in folded targets, and method={method} compares logits by itself")
        if compares and (isinstance(self.weight, Tensor) or self.weight != 1):
            raise GraphKDError(
                f"calibration={self.name} multiplies folded targets by a squared temperature, and method={method} "
                "compares logits by itself: set calibration.tau_squared=false"
            )

    def attach(self, targets: Targets) -> Targets:
        """Returns targets whose losses read the student's logits through this calibration."""
        if self.per_row:
            assert targets.soft is not None
            table = self.row_table(targets)
            per_row = replace(targets.soft, adjust=self.student_per_row, adjust_rows=table, weight=self.weight)
            return replace(targets, soft=per_row, adjust=self._mixed_rows)
        if type(self).student is Calibration.student:
            return targets
        soft = None if targets.soft is None else replace(targets.soft, adjust=self.student, weight=self.weight)
        return replace(targets, soft=soft, adjust=self.student)

    def _refuse_mixed(self, method: str) -> NoReturn:
        self._refuse(f"has a temperature per node, which method={method}, whose targets mix nodes, cannot fold")

    def _mixed_rows(self, logits: Tensor) -> NoReturn:
        self._refuse("has a temperature per node, and this method compares neighbours' logits")

    def _refuse(self, reason: str) -> NoReturn:
        raise GraphKDError(f"calibration={self.name} {reason}: choose another calibration, such as fixed")


class NoCalibration(Calibration):
    """Logits as they are.

    Source: none

    >>> import torch
    >>> NoCalibration().teacher(torch.tensor([[4.0, 0.0]]))
    tensor([[4., 0.]])
    """

    name = "none"
