"""The distillation task: student, criterion and matching in one object."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from graphkd.calibration import Calibration, NoCalibration
from graphkd.distributed import shard_scope, world
from graphkd.distributed.reductions import gather_rows
from graphkd.matching import MatchingTerm
from graphkd.methods import Epoch, Method, Phase, Targets
from graphkd.sparse import Inputs
from graphkd.students import StudentOutput


class DistillationTask(nn.Module):
    """``method(student(inputs)) + weight · matching(hidden, hops)``.

    Args:
        student: rows ``[B, D']`` → ``StudentOutput``.
        method: the criterion; parameters it may have train too.
        matching: the matching term, or nothing.
        weight: of the matching term.
        precision: in which the student's layers are computed.
        compiled: whether they go through ``torch.compile``.
        calibration: of logits, built; what it registers trains too.
        teacher: ``[N, C]`` logits, of which a calibration that moves folds again.
    """

    def __init__(
        self,
        student: nn.Module,
        method: Method,
        matching: MatchingTerm | None,
        weight: float,
        precision: str = "float32",
        compiled: bool = False,
        calibration: Calibration | None = None,
        teacher: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.student, self.method, self.matching, self.weight = student, method, matching, weight
        self.precision, self.phase = precision, Phase()
        self.calibration = calibration or NoCalibration()
        self._teacher = teacher
        # Not the module that torch.compile returns: its parameters would be there twice, under other names.
        self._run = torch.compile(student.forward) if compiled else student.forward

    @property
    def is_static(self) -> bool:
        """Whether every epoch makes the same calls to the device, and reads nothing back."""
        matching = self.matching is None or self.matching.matching.is_static
        return self.method.is_static and matching and not self.calibration.moves_targets

    @property
    def moves_targets(self) -> bool:
        """Whether targets change between epochs."""
        return self.method.moves_targets or self.calibration.moves_targets

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Lets the matching draw its pairs, then method and calibration move the targets.

        Args:
            epoch: that begins.
            targets: all rows.
        """
        if self.matching is not None:
            self.matching.on_epoch_start(epoch.number)
        with torch.no_grad():
            if self.method.moves_targets:
                self.method.on_epoch_start(epoch, targets)
            if self.calibration.moves_targets and self._teacher is not None:
                self.calibration.on_epoch_start(epoch, targets, self._teacher)

    def parameter_groups(self, lr: float) -> list[dict[str, Any]]:
        """Returns the optimiser's groups of this phase: what the matching trains has a rate of its own where set.

        Args:
            lr: learning rate of the student and the method.
        """
        groups: list[dict[str, Any]] = getattr(self.method, self.phase.groups)(self.student, lr)
        if learned := list(self.calibration.parameters()):
            groups = [*groups, {"params": learned, "lr": lr}]
        if self.matching is not None:
            groups = [*groups, {"params": list(self.matching.parameters()), "lr": self.matching.matching.lr or lr}]
        return [group for group in groups if group["params"]]

    def forward(self, batch: Targets) -> dict[str, Tensor]:
        """Returns ``loss`` and its named terms of a batch; of a shard of one, what it adds to the batch's."""
        outputs: list[StudentOutput] = []

        def student(inputs: Inputs) -> StudentOutput:
            with self.autocast(batch.labels.device), shard_scope(batch.shard):
                output = self._run(inputs)
            outputs.append(self.single(output))
            return outputs[-1]

        terms = getattr(self.method, self.phase.step)(student, batch)
        return self._with_matching(terms, batch.own_output(outputs[0]), batch) if outputs else terms

    def autocast(self, device: torch.device) -> torch.autocast:
        """Returns the context in which the student's layers are computed."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    def loss(self, output: StudentOutput, batch: Targets) -> dict[str, Tensor]:
        """Returns the same for an output that is there already, of a method whose step is plain."""
        output = self.single(output)
        return self._with_matching(self.method.loss(output, batch), output, batch)

    def single(self, output: StudentOutput) -> StudentOutput:
        """Returns an output in the precision that losses are computed in."""
        return output if self.precision == "float32" else output.float()

    def _with_matching(self, terms: dict[str, Tensor], output: StudentOutput, batch: Targets) -> dict[str, Tensor]:
        if self.matching is None:
            return terms
        matching = self._matched(self.matching, output.hidden, batch)
        return {
            **terms,
            "matching": matching,
            "method": terms["loss"],
            "loss": terms["loss"] + self.weight * matching,
        }

    @staticmethod
    def _matched(term: MatchingTerm, hidden: list[Tensor], batch: Targets) -> Tensor:
        """A mean over rows can be shared; anything else every process computes from all rows."""
        shard = batch.shard
        if shard is None:
            return term(hidden, batch.hops)  # type: ignore[no-any-return]
        if term.is_row_sum and shard.total >= world().size:
            return term(hidden, batch.hops) * (batch.num_rows / shard.total)  # type: ignore[no-any-return]
        layers, hops = ([gather_rows(layer, shard) for layer in each] for each in (hidden, batch.hops))
        return term(layers, hops) / world().size  # type: ignore[no-any-return]
