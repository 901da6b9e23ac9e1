"""The distillation task: student, criterion and matching in one object."""

from __future__ import annotations

from torch import Tensor, nn

from graphkd.matching import MatchingTerm
from graphkd.methods import Method, Targets


class Distillation(nn.Module):
    """``method(student(inputs)) + weight · matching(hidden, hops)``.

    Args:
        student: rows ``[B, D']`` → ``StudentOutput``.
        method: the criterion; parameters it may have train too.
        matching: the matching term, or nothing.
        weight: of the matching term.
    """

    def __init__(self, student: nn.Module, method: Method, matching: MatchingTerm | None, weight: float) -> None:
        super().__init__()
        self.student, self.method, self.matching, self.weight = student, method, matching, weight

    def forward(self, batch: Targets) -> dict[str, Tensor]:
        """``loss`` and its named terms for a batch of targets."""
        output = self.student(batch.inputs)
        terms: dict[str, Tensor] = self.method(output, batch)
        if self.matching is not None:
            terms["matching"] = self.matching(output.hidden, batch.hops)
            terms["loss"] = terms["loss"] + self.weight * terms["matching"]
        return terms
