"""Several MLPs that answer together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.checks import is_count
from graphkd.errors import GraphKDError
from graphkd.sparse import Inputs
from graphkd.students.mlp import MLP
from graphkd.students.output import StudentOutput

MOST_MEMBERS = 64
"""Largest number of members, as in ``graphkd.deploy.description``, which no bundle may exceed."""


class Ensemble(nn.Module):
    """``log Σ_k α_k softmax(z_k)`` of ``K`` MLPs of one shape, ``Σ_k α_k = 1``.

    Its logits are log-probabilities, so that their softmax is the mixture itself. Its hidden layers are those of
    the members, side by side.

    Source: the prediction rule of Lu et al., AdaGMLP: AdaBoosting GNN-to-MLP Knowledge Distillation, KDD 2024

    Args:
        num_features: ``D'``.
        hidden_dim: width of each member's hidden layers.
        num_classes: ``C``.
        num_layers: linear layers of each member, from 1.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        num_members: ``K``, 1 to 64.

    Raises:
        GraphKDError: a size that no network can have.

    >>> student = Ensemble(num_features=8, hidden_dim=16, num_classes=3, num_members=4)
    >>> output = student(torch.zeros(5, 8))
    >>> output.logits.shape, output.hidden[0].shape
    (torch.Size([5, 3]), torch.Size([5, 64]))
    >>> output.logits.exp().sum(dim=1).detach().round(decimals=3)  # a mixture of distributions
    tensor([1., 1., 1., 1., 1.])
    """

    name = "ensemble"

    alpha: Tensor

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        num_members: int = 2,
    ) -> None:
        super().__init__()
        sizes = (num_features, hidden_dim, num_classes, num_layers, dropout, norm)
        self._set(members_of(num_members, *sizes))

    @classmethod
    def of(cls, make: Callable[[], nn.Module], num_members: int) -> Ensemble:
        """Returns an ensemble of members that a factory makes, of equal weights."""
        ensemble = cls.__new__(cls)
        nn.Module.__init__(ensemble)
        ensemble._set([make() for _ in range(num_members)])
        return ensemble

    def _set(self, members: list[Any]) -> None:
        self.members = nn.ModuleList(members)
        device = next(self.members.parameters()).device
        self.register_buffer("alpha", torch.full((len(members),), 1.0 / len(members), device=device))

    @property
    def extra_arguments(self) -> dict[str, Any]:
        """Arguments beyond those of the members."""
        return {"num_members": len(self.members)}

    def forward(self, x: Inputs) -> StudentOutput:
        """Returns log-probabilities ``[B, C]``, hidden layers ``[B, K h]`` and the members' outputs."""
        outputs: list[StudentOutput] = [member(x) for member in self.members]
        log_p = torch.stack([torch.log_softmax(output.logits, dim=-1) for output in outputs])
        logits = torch.logsumexp(log_p + self.alpha.log().view(-1, 1, 1), dim=0)
        hidden = [torch.cat(layers, dim=1) for layers in zip(*(output.hidden for output in outputs), strict=True)]
        return StudentOutput(logits, hidden, outputs)


def members_of(num_members: int, *sizes: Any) -> list[MLP]:
    """Returns so many MLPs of one shape.

    Raises:
        GraphKDError: their number is outside its range, or a size that no network can have.
    """
    if not (is_count(num_members) and 1 <= num_members <= MOST_MEMBERS):
        raise GraphKDError(
            f"student.num_members is {num_members}: it must be a whole number from 1 to {MOST_MEMBERS}"
        )
    return [MLP(*sizes) for _ in range(num_members)]


def extra_arguments(student: nn.Module) -> dict[str, Any]:
    """Returns the arguments of a student that a method built, beyond those of the students it is made of."""
    extra: dict[str, Any] = getattr(student, "extra_arguments", {})
    return extra
