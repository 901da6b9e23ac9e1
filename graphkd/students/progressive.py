"""Several MLPs in sequence, each of which reads the hidden layer of the one before; confident rows stop early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.checks import is_real
from graphkd.errors import GraphKDError
from graphkd.sparse import Factored, Inputs, select_rows
from graphkd.students.ensemble import members_of
from graphkd.students.output import StudentOutput


class Progressive(nn.Module):
    """``log Σ_{j ≤ k} softmax(c)_j P_j`` of MLPs ``1 … k`` in sequence, ``c_j = max P_j``.

    The first layer of MLP ``j`` computes ``W_j x + V_j h_{j−1} + b_j``, which is a layer on ``[x ‖ h_{j−1}]``;
    ``h_{j−1}`` is the last hidden layer of the MLP before, after its activation, and there is none for ``j = 1``.
    ``P_j`` is the MLP's softmax, ``c_j`` its confidence, and the softmax over ``c`` that of one row's confidences.

    In evaluation mode a row stops at the first ``k`` with ``c_k ≥ threshold``, and later MLPs are not computed for
    it. Else, and with a threshold of 1, ``k`` is the number of MLPs. The hidden layers are those of the last MLP
    that a row has reached.

    Source: the students of ProGMLP: A Progressive Framework for GNN-to-MLP Knowledge Distillation with Efficient
        Trade-offs, AAAI 2026, arXiv 2507.19031. There all rows of a batch stop by their mean confidence

    Args:
        num_features: ``D'``.
        hidden_dim: width of each MLP's hidden layers.
        num_classes: ``C``.
        num_layers: linear layers of each MLP, from 2.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        num_members: number of MLPs, 1 to 64.
        threshold: confidence from which a row stops, in (0, 1].

    Raises:
        GraphKDError: a size that no network can have, or a threshold outside its range.

    >>> student = Progressive(num_features=8, num_classes=3, num_members=2, threshold=0.9).eval()
    >>> student(torch.zeros(5, 8)).logits.exp().sum(dim=1).detach().round(decimals=3)
    tensor([1., 1., 1., 1., 1.])
    """

    name = "progressive"

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        num_members: int = 2,
        threshold: float = 1.0,
    ) -> None:
        super().__init__()
        sizes = (num_features, hidden_dim, num_classes, num_layers, dropout, norm)
        self._set(members_of(num_members, *sizes), threshold)

    @classmethod
    def of(cls, make: Callable[[], nn.Module], num_members: int, threshold: float = 1.0) -> Progressive:
        """Returns a sequence of MLPs that a factory makes."""
        student = cls.__new__(cls)
        nn.Module.__init__(student)
        student._set([make() for _ in range(num_members)], threshold)
        return student

    def _set(self, members: list[Any], threshold: float) -> None:
        if not (is_real(threshold) and 0 < threshold <= 1):
            raise GraphKDError(f"student.threshold is {threshold}: it must be a number above 0, 1 at most")
        if len(members[0].layers) < 2:
            raise GraphKDError("student=progressive hands on a hidden layer: set student.num_layers to 2 or more")
        weight = members[0].layers[-1].weight
        self.members, self.threshold = nn.ModuleList(members), threshold
        width, device = weight.shape[1], weight.device
        self.carries = nn.ModuleList(nn.Linear(width, width, bias=False, device=device) for _ in members[1:])
        self.stage: int | None = None

    def train_stage(self, k: int) -> None:
        """Makes MLPs ``0 … k`` the ones that answer, of which only the last one is trained, in its current mode.

        The state is no part of the weights: whoever trains stage by stage calls this before every step.
        """
        self.stage = k
        for member in self.members[:k]:
            member.eval()

    @property
    def extra_arguments(self) -> dict[str, Any]:
        """Arguments beyond those of the MLPs."""
        return {"num_members": len(self.members), "threshold": self.threshold}

    def forward(self, x: Inputs) -> StudentOutput:
        """Returns log-probabilities ``[B, C]``, hidden layers and, unless rows stop early, the MLPs' outputs."""
        if self.training or self.threshold == 1 or len(self.members) == 1:
            outputs = self._all(x)
            return StudentOutput(mixed([output.logits for output in outputs]), outputs[-1].hidden, outputs)
        return self._stopped(self._all(x)) if isinstance(x, Factored) else self._until_confident(x)

    def _all(self, x: Inputs) -> list[StudentOutput]:
        """Computes every MLP, those before ``stage`` without gradients."""
        outputs: list[StudentOutput] = []
        last = len(self.members) - 1 if self.stage is None else self.stage
        for k in range(last + 1):
            learns = torch.is_grad_enabled() and (self.stage is None or k == last)
            with torch.set_grad_enabled(learns):
                outputs.append(self._member(k, x, outputs[-1].hidden[-1] if outputs else None))
        return outputs

    def _member(self, k: int, x: Inputs, carried: Tensor | None) -> StudentOutput:
        added = None if carried is None else self.carries[k - 1](carried)
        output: StudentOutput = self.members[k](x, added)
        return output

    def _until_confident(self, x: Any) -> StudentOutput:
        """Computes each MLP on the rows that have not stopped, and writes their answers over those of before."""
        outputs = [self._member(0, x, None)]
        logits, hidden = mixed([outputs[0].logits]), list(outputs[0].hidden)
        rows = torch.arange(x.shape[0], device=logits.device)
        last = len(self.members) - 1 if self.stage is None else self.stage
        for k in range(1, last + 1):
            go_on = (_confidence(outputs[-1].logits) < self.threshold).nonzero().reshape(-1)
            if go_on.numel() == 0:
                break
            if go_on.numel() < rows.numel():
                outputs, rows, x = [output.select(go_on) for output in outputs], rows[go_on], select_rows(x, go_on)
            outputs.append(self._member(k, x, outputs[-1].hidden[-1]))
            logits = logits.index_copy(0, rows, mixed([output.logits for output in outputs]))
            pairs = zip(hidden, outputs[-1].hidden, strict=True)
            hidden = [before.index_copy(0, rows, layer) for before, layer in pairs]
        return StudentOutput(logits, hidden)

    def _stopped(self, outputs: list[StudentOutput]) -> StudentOutput:
        """Returns the same of MLPs that are there already, as of factored rows, which no subset is taken of."""
        logits, hidden = mixed([outputs[0].logits]), outputs[0].hidden
        going = torch.ones_like(logits[:, :1], dtype=torch.bool)
        for k in range(1, len(outputs)):
            going = going & (_confidence(outputs[k - 1].logits) < self.threshold).unsqueeze(1)
            logits = torch.where(going, mixed([output.logits for output in outputs[: k + 1]]), logits)
            pairs = zip(hidden, outputs[k].hidden, strict=True)
            hidden = [torch.where(going, layer, before) for before, layer in pairs]
        return StudentOutput(logits, hidden)


def mixed(logits: Sequence[Tensor]) -> Tensor:
    """Returns ``log Σ_j softmax(c)_j P_j`` of logits ``[B, C]`` each, ``c_j = max P_j``; ``[B, C]``."""
    log_p = torch.stack([torch.log_softmax(each, dim=-1) for each in logits])
    confidence = log_p.amax(dim=-1, keepdim=True).exp()
    return torch.logsumexp(log_p + torch.log_softmax(confidence, dim=0), dim=0)


def _confidence(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1).amax(dim=-1)
