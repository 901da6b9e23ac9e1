"""Jumping knowledge: a linear classifier that reads the embeddings of several hops."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from graphkd.ranges import check_choice
from graphkd.teachers.linear_maps import xavier_linear

JUMPS = ("none", "cat", "max")
"""What a classifier may read: the last hop's embedding, all hops' side by side, or their maximum."""


class Readout(nn.Module):
    """``W J(e_1, …, e_L) + b``; ``J`` is ``e_L``, ``[e_1 ‖ … ‖ e_L]``, or the elementwise maximum.

    Source: Xu et al., Representation Learning on Graphs with Jumping Knowledge Networks, ICML 2018

    Args:
        jumping_knowledge: ``none``, ``cat`` or ``max``.
        hidden_dim: width of every hop ``h``.
        num_classes: ``C``.
        num_layers: ``L``.

    >>> readout = Readout("cat", hidden_dim=4, num_classes=3, num_layers=2)
    >>> readout(readout.joined([torch.zeros(5, 4), torch.ones(5, 4)])).shape
    torch.Size([5, 3])
    """

    def __init__(self, jumping_knowledge: str, hidden_dim: int, num_classes: int, num_layers: int) -> None:
        super().__init__()
        check_jump(jumping_knowledge)
        self.kind = jumping_knowledge
        self.linear = xavier_linear(hidden_dim * (num_layers if self.kind == "cat" else 1), num_classes)

    @property
    def jumps(self) -> bool:
        """Whether earlier hops than the last are read."""
        return self.kind != "none"

    def joined(self, embeddings: Sequence[Tensor]) -> Tensor:
        """Computes ``J`` of ``[n, h]`` each: ``[n, L h]`` for ``cat``, else ``[n, h]``."""
        if self.kind == "cat":
            return torch.cat(list(embeddings), dim=1)
        return torch.stack(list(embeddings)).amax(dim=0) if self.kind == "max" else embeddings[-1]

    def forward(self, joined: Tensor) -> Tensor:
        """Computes the logits ``[n, C]``."""
        out: Tensor = self.linear(joined)
        return out


def check_jump(jumping_knowledge: str) -> None:
    """Checks that a setting is one of ``JUMPS``.

    Raises:
        GraphKDError: it is not.
    """
    check_choice("teacher", JUMPS, jumping_knowledge=jumping_knowledge)


def jump(jumping_knowledge: str, hidden_dim: int, num_classes: int, num_layers: int) -> tuple[int, Readout | None]:
    """Returns the width of a teacher's last convolution, and what is behind it: ``C`` and nothing without a jump.

    Raises:
        GraphKDError: an unknown jump.

    >>> jump("none", hidden_dim=16, num_classes=3, num_layers=2)
    (3, None)
    """
    check_jump(jumping_knowledge)
    if jumping_knowledge == "none":
        return num_classes, None
    return hidden_dim, Readout(jumping_knowledge, hidden_dim, num_classes, num_layers)
