"""One of several classes per node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd import evaluation
from graphkd.errors import GraphKDError
from graphkd.evaluation import METRICS, ConfusionMatrix
from graphkd.tasks.base import Metric, Scorer, Task
from graphkd.tasks.masks import in_masks

if TYPE_CHECKING:
    from torch_geometric.data import Data

DETAILS: Mapping[str, Metric] = {
    "macro_f1": evaluation.macro_f1,
    "ece": evaluation.expected_calibration_error,
    "balanced_accuracy": evaluation.balanced_accuracy,
    "worst_class_accuracy": evaluation.worst_class_accuracy,
    "brier": evaluation.brier_score,
}
"""Metrics of the test nodes beside the data's own."""


class Multiclass(Task):
    """Each node has one of ``C`` classes: cross-entropy, ``μ = softmax``, ``A = logsumexp``.

    The default, and chosen wherever labels are one whole number, text or boolean per node.

    Source: the common task of node classification; no paper

    >>> task = Multiclass()
    >>> task.label_losses(torch.zeros(1, 4), torch.tensor([2])).round(decimals=4)  # log 4
    tensor([1.3863])
    """

    name = "multiclass"
    metrics = tuple(METRICS)
    details = tuple(DETAILS)
    one_class = True

    def check(self, data: Data) -> None:
        """Checks that labels inside the masks are whole numbers 0 to C − 1, and that each class has a node."""
        y = torch.as_tensor(data.y).reshape(-1)
        used = y[in_masks(data)]
        classes = used.long().float()
        if used.is_floating_point() and not bool((used == classes).all()):
            raise GraphKDError(
                "data.y holds values inside a mask that are not whole class numbers: correct them, or choose "
                "task=regression if they are numbers to predict"
            )
        names = getattr(data, "class_names", None)
        top = len(names) if names is not None else int(classes.max()) + 1
        outside = used[(used < 0) | (used >= top)]
        if outside.numel():
            raise GraphKDError(
                f"data.y holds label {int(outside[0])} inside a mask, outside the classes 0 to {top - 1}: "
                "take the node out of the masks or correct its label"
            )
        if names is None:
            missing = sorted(set(range(top)) - set(y[(y >= 0) & (y < top)].long().tolist()))
            if missing:
                raise GraphKDError(
                    f"no node has class {missing[0]}, though labels go up to {top - 1}: "
                    "number the classes 0 to C-1, or name all of them in data.class_names"
                )

    def labels(self, data: Data) -> tuple[Tensor, int]:
        """Returns ``y [N]`` int64 with −1 for every unknown class, and ``C``.

        ``C`` is the number of class names if the data has them, else the largest label inside a mask plus one;
        labels outside the masks do not count.
        """
        y = torch.as_tensor(data.y).reshape(-1)
        names = getattr(data, "class_names", None)
        num_classes = len(names) if names is not None else int(y[in_masks(data)].max()) + 1
        valid = (y >= 0) & (y < num_classes)
        return torch.where(valid, y, -1).long(), num_classes

    def label_losses(
        self, logits: Tensor, labels: Tensor, class_weight: Tensor | None = None, label_smoothing: float = 0.0
    ) -> Tensor:
        """Computes the cross-entropy of each row."""
        weight = None if class_weight is None else class_weight.to(logits)
        return F.cross_entropy(logits, labels, weight, reduction="none", label_smoothing=label_smoothing)

    def mean(self, logits: Tensor) -> Tensor:
        """Computes the softmax."""
        return self.normalised(logits).exp_()

    def log_partition(self, logits: Tensor) -> Tensor:
        """Computes ``log Σ_c exp z_c``."""
        return torch.logsumexp(logits, dim=-1)

    def normalised(self, logits: Tensor) -> Tensor:
        """Computes the log-probabilities."""
        return F.log_softmax(logits, dim=-1)

    def negative_entropy(self, logits: Tensor) -> Tensor:
        """Computes ``⟨q, log q⟩``."""
        log_q = self.normalised(logits)
        return (log_q.exp() * log_q).sum(dim=-1)

    def share(self, num_outputs: int) -> float:
        """Returns 1: the classes of a node are one distribution."""
        return 1.0

    def score(self, metric: str, answers: Tensor, y: Tensor) -> float:
        """Computes a metric of logits ``[B, C]``."""
        return DETAILS[metric](answers, y) if metric in DETAILS else evaluation.score(metric, answers, y)

    def scorer(self, metric: str, y: Tensor) -> Scorer:
        """Builds one of ``graphkd.evaluation.METRICS`` for fixed labels ``[B]``."""
        return evaluation.scorer(metric, y)

    def check_scorable(self, metric: str, labels: Mapping[str, Tensor]) -> None:
        """Checks that a ranking metric has two classes to rank."""
        if metric != "roc_auc":
            return
        for name, y in labels.items():
            if bool((y == y[0]).all()):
                raise GraphKDError(f"data.metric is roc_auc, but {name} one class only: choose it anew")

    def confusion(self, answers: Tensor, y: Tensor) -> ConfusionMatrix:
        """Counts classes against the largest logits."""
        return ConfusionMatrix.of(answers, y)
