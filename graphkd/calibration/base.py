"""What every calibration is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.methods import Epoch, Targets


class Calibration(nn.Module):
    """Maps logits before a softmax of a soft loss reads them: the teacher's, and the student's.

    A module, since some learn: what ``build`` registers trains with the student, and is in checkpoints. What moves
    between epochs does so in ``on_epoch_start``, as a function of registered buffers and parameters.

    A subclass has a ``name``, a docstring with a ``Source:`` line, and an ``__init__`` whose arguments have
    defaults and are kept under their own names.
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

    def attach(self, targets: Targets) -> Targets:
        """Returns targets whose losses read the student's logits through this calibration."""
        if type(self).student is Calibration.student:
            return targets
        soft = None if targets.soft is None else replace(targets.soft, adjust=self.student)
        return replace(targets, soft=soft, adjust=self.student)


class NoCalibration(Calibration):
    """Logits as they are.

    Source: none
    """

    name = "none"
