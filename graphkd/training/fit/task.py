"""The distillation task: student, criterion and matching in one object."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from graphkd.distributed import shard_scope, world
from graphkd.distributed.reductions import gather_rows
from graphkd.matching import MatchingTerm
from graphkd.methods import Method, Targets
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
    """

    def __init__(
        self,
        student: nn.Module,
        method: Method,
        matching: MatchingTerm | None,
        weight: float,
        precision: str = "float32",
        compiled: bool = False,
    ) -> None:
        super().__init__()
        self.student, self.method, self.matching, self.weight = student, method, matching, weight
        self.precision = precision
        # Not the module that torch.compile returns: its parameters would be there twice, under other names.
        self._run = torch.compile(student.forward) if compiled else student.forward

    @property
    def replays(self) -> bool:
        """Whether every epoch makes the same calls to the device, and asks it nothing."""
        return self.method.on_device and (self.matching is None or self.matching.matching.on_device)

    def start_epoch(self, epoch: int) -> None:
        """Tells the matching, which may draw its pairs again."""
        if self.matching is not None:
            self.matching.start_epoch(epoch)

    def parameter_groups(self, lr: float) -> list[dict[str, Any]]:
        """For the optimiser: what the matching trains has a rate of its own where one is set.

        Args:
            lr: learning rate of the student and the method.
        """
        if self.matching is None:
            return [{"params": list(self.parameters()), "lr": lr}]
        groups = [
            {"params": [*self.student.parameters(), *self.method.parameters()], "lr": lr},
            {"params": list(self.matching.parameters()), "lr": self.matching.matching.lr or lr},
        ]
        return [group for group in groups if group["params"]]

    def forward(self, batch: Targets) -> dict[str, Tensor]:
        """``loss`` and its named terms for a batch of targets; of a part of one, what it adds to the batch's."""
        with self.autocast(batch.labels.device), shard_scope(batch.shard):
            output = self._run(batch.inputs)
        return self.loss(output, batch)

    def autocast(self, device: torch.device) -> torch.autocast:
        """In which the student's layers are computed."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    def loss(self, output: StudentOutput, batch: Targets) -> dict[str, Tensor]:
        """The same for what the student has said of the batch."""
        output = self.single(output)
        terms: dict[str, Tensor] = self.method(output, batch)
        if self.matching is not None:
            terms["matching"] = self._matched(self.matching, output.hidden, batch)
            terms["method"] = terms["loss"]
            terms["loss"] = terms["method"] + self.weight * terms["matching"]
        return terms

    def single(self, output: StudentOutput) -> StudentOutput:
        """The same in the precision that losses are computed in."""
        if self.precision != "float32":
            return StudentOutput(output.logits.float(), [layer.float() for layer in output.hidden])
        return output

    @staticmethod
    def _matched(term: MatchingTerm, hidden: list[Tensor], batch: Targets) -> Tensor:
        """A mean over rows can be shared; anything else every process computes from all rows."""
        shard = batch.shard
        if shard is None:
            return term(hidden, batch.hops)  # type: ignore[no-any-return]
        if term.by_rows and shard.total >= world().size:
            return term(hidden, batch.hops) * (batch.num_rows / shard.total)  # type: ignore[no-any-return]
        layers, hops = ([gather_rows(layer, shard) for layer in each] for each in (hidden, batch.hops))
        return term(layers, hops) / world().size  # type: ignore[no-any-return]
