"""What a student returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class StudentOutput:
    """Logits and what matching needs.

    Args:
        logits: ``[B, C]``.
        hidden: the hidden layers after activation, before dropout: ``num_layers − 1`` tensors ``[B, h]``.
        members: of an ensemble, the output of each of its members.
    """

    logits: Tensor
    hidden: list[Tensor]
    members: list[StudentOutput] = field(default_factory=list)

    def select(self, index: Tensor) -> StudentOutput:
        """Returns the output on the rows ``index [b]``."""
        hidden = [layer.index_select(0, index) for layer in self.hidden]
        return StudentOutput(
            self.logits.index_select(0, index), hidden, [member.select(index) for member in self.members]
        )

    def float(self) -> StudentOutput:
        """Returns the output in float32."""
        hidden = [layer.float() for layer in self.hidden]
        return StudentOutput(self.logits.float(), hidden, [member.float() for member in self.members])
