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
        linear: of a student that keeps them, per hidden layer: the linear map's result before norm and activation,
            and the hidden layer after dropout, which the next linear map reads; ``[B, h]`` each.

    >>> import torch
    >>> output = StudentOutput(torch.tensor([[2.0, 0.0], [0.0, 2.0]]), hidden=[torch.zeros(2, 16)])
    >>> output.select(torch.tensor([1])).logits
    tensor([[0., 2.]])
    """

    logits: Tensor
    hidden: list[Tensor]
    members: list[StudentOutput] = field(default_factory=list)
    linear: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def select(self, index: Tensor) -> StudentOutput:
        """Returns the output on the rows ``index [b]``."""
        hidden = [layer.index_select(0, index) for layer in self.hidden]
        linear = [(before.index_select(0, index), after.index_select(0, index)) for before, after in self.linear]
        members = [member.select(index) for member in self.members]
        return StudentOutput(self.logits.index_select(0, index), hidden, members, linear)

    def float(self) -> StudentOutput:
        """Returns the output in float32."""
        hidden = [layer.float() for layer in self.hidden]
        linear = [(before.float(), after.float()) for before, after in self.linear]
        return StudentOutput(self.logits.float(), hidden, [member.float() for member in self.members], linear)
