"""Numbers per node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from graphkd.answers import NumberAnswers
from graphkd.errors import GraphKDError
from graphkd.evaluation.regression import ERRORS, REGRESSION
from graphkd.students import MLP
from graphkd.tasks.base import Scorer, Task
from graphkd.tasks.masks import in_masks
from graphkd.tasks.units import InUnits, in_units

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from graphkd.teachers import TeacherOutput


@dataclass(frozen=True, eq=False)
class Regression(Task):
    """Each node has ``T`` numbers: squared errors of standardised targets, answers in the user's units.

    Networks learn ``(y − m) / s`` with mean ``m`` and population deviation ``s`` of each target over the training
    nodes. A target of one value has ``s = 1``.

    - label loss: ``1 / T Σ_t (z_vt − (y_vt − m_t) / s_t)²``;
    - soft loss: ``1 / (2 T τ²) Σ_t (t_t − z_t)²``: the divergence of two normal distributions of deviation ``τ``,
      with ``A(z) = ‖z‖² / 2`` and ``μ(z) = z``, which folds over neighbours as the softmax does.

    When training is over the student's last layer is scaled by ``s`` and shifted by ``m``: every runtime and
    export answers in the user's units.

    Source: the common task; no paper

    Args:
        offset: ``m [T]``.
        scale: ``s [T]``.

    >>> task = Regression().fitted(torch.tensor([[1.0], [3.0], [99.0]]), train=torch.tensor([0, 1]))
    >>> task.offset, task.answers(torch.tensor([[0.5]]))
    (tensor([2.], dtype=torch.float64), tensor([[2.5000]]))
    """

    offset: Tensor | None = None
    scale: Tensor | None = None

    name = "regression"
    metrics = ("r2", "neg_mae")
    fallback_metric = "neg_mae"
    unscorable = "have a target that is the same in all of them"
    details = ("mae", "rmse")

    def check(self, data: Data) -> None:
        """Checks that targets inside the masks are finite numbers."""
        y = torch.as_tensor(data.y)
        if y.dtype == torch.bool:
            raise GraphKDError("task=regression needs numbers, but data.y is boolean: choose task=binary")
        used = y[in_masks(data)]
        wrong = used[~used.double().isfinite()]
        if wrong.numel():
            raise GraphKDError(
                f"data.y holds {float(wrong[0])} inside a mask, and task=regression needs a number there: take "
                "the node out of the masks, or correct it"
            )
        if bool((used.double().abs() > torch.finfo(torch.float32).max / 4).any()):
            raise GraphKDError("data.y holds targets too large for float32: give them in another unit")

    def labels(self, data: Data) -> tuple[Tensor, int]:
        """Returns ``y [N, T]`` float64, and ``T``."""
        y = torch.as_tensor(data.y).to(torch.float64)
        y = y.unsqueeze(1) if y.dim() == 1 else y
        return y, y.shape[1]

    def fitted(self, y: Tensor, train: Tensor) -> Regression:
        """Returns the task with mean and deviation of the training nodes' targets."""
        known = y[train].double()
        scale = known.std(dim=0, correction=0)
        return Regression(known.mean(dim=0), torch.where(scale > 0, scale, 1.0))

    def to(self, device: torch.device) -> Regression:
        """Returns the task with mean and deviation on a device."""
        moved = (None if part is None else part.to(device) for part in (self.offset, self.scale))
        return Regression(*moved)

    def label_losses(
        self, logits: Tensor, labels: Tensor, class_weight: Tensor | None = None, label_smoothing: float = 0.0
    ) -> Tensor:
        """Computes the mean squared error of each row's standardised targets."""
        return (logits - self.naturals(labels).to(logits)).square().mean(dim=-1)

    def mean(self, logits: Tensor) -> Tensor:
        """Returns the outputs themselves."""
        return logits

    def log_partition(self, logits: Tensor) -> Tensor:
        """Computes ``‖z‖² / 2``."""
        return logits.square().sum(dim=-1) / 2

    def answers(self, logits: Tensor) -> Tensor:
        """Computes ``s z + m``."""
        offset, scale = self._moments(logits)
        return (logits.double() * scale + offset).to(logits.dtype)

    def naturals(self, answers: Tensor) -> Tensor:
        """Computes ``(y − m) / s``."""
        offset, scale = self._moments(answers)
        return ((answers.double() - offset) / scale).to(answers.dtype)

    def answering(self, network: nn.Module) -> nn.Module:
        """Returns the network with ``m`` and ``s`` beside it."""
        return InUnits(network, *self._moments(torch.empty(0)))

    def answered(self, output: TeacherOutput) -> TeacherOutput:
        """Computes ``s z + m``, in float64."""
        return in_units(output, *self._moments(output.logits))

    def trained_with(self, network: nn.Module) -> bool:
        """Returns whether a network was trained on targets with the same ``m`` and ``s``."""
        return isinstance(network, InUnits) and network.fits(*self._moments(network.offset))

    def finish(self, student: nn.Module) -> None:
        """Scales and shifts the student's last layer, in float64."""
        last = student.layers[-1] if isinstance(student, MLP) else None
        if not isinstance(last, nn.Linear):
            raise GraphKDError(
                f"task=regression returns the user's units from a last linear layer, which student={student.name} "
                "does not have: choose a method and a student that ship one MLP"
            )
        offset, scale = self._moments(last.weight)
        with torch.no_grad():
            last.weight.copy_(last.weight.double() * scale.unsqueeze(1))
            last.bias.copy_(last.bias.double() * scale + offset)

    def scorer(self, metric: str, y: Tensor) -> Scorer:
        """Builds one of ``graphkd.evaluation.regression.REGRESSION`` for fixed targets; ``neg_`` negates it."""
        positive = metric.removeprefix("neg_")
        if positive != metric and positive not in ERRORS:
            raise GraphKDError(f"there is no metric {metric}: choose one of {', '.join(self.metrics)}")
        score = REGRESSION[positive](y)
        return score if positive == metric else lambda answers: -score(answers)

    def by_output(self, answers: Tensor, y: Tensor) -> list[dict[str, float]]:
        """Returns R², MAE and RMSE of each target; R² is NaN where a target is the same in all rows."""
        rows = []
        for k in range(y.shape[1]):
            one, of = answers[:, k : k + 1], y[:, k : k + 1]
            varies = bool((of != of[0]).any())
            scores = {name: self.score(name, one, of) for name in ("mae", "rmse")}
            rows.append({"r2": self.score("r2", one, of) if varies else float("nan"), **scores})
        return rows

    def names(self, class_names: list[Any] | None, num_outputs: int) -> list[Any]:
        """Returns the names of the targets."""
        return [*NumberAnswers(class_names).columns(num_outputs)]

    def _moments(self, beside: Tensor) -> tuple[Tensor, Tensor]:
        """Returns ``m`` and ``s`` on the device of a tensor."""
        if self.offset is None or self.scale is None:
            raise GraphKDError("this task has seen no training targets: call task.fitted(y, train) first")
        return self.offset.to(beside.device), self.scale.to(beside.device)
