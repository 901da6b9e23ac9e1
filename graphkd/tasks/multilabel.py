"""Any number of labels per node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.evaluation.multilabel import MULTILABEL
from graphkd.tasks.base import Scorer, Task
from graphkd.tasks.masks import in_masks

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Multilabel(Task):
    """Each node has any of ``L`` labels: a Bernoulli distribution per label, and the mean over labels as loss.

    - label loss: ``1 / |K_v| Σ_{l ∈ K_v} BCE(σ(z_vl), y_vl)`` over the known entries ``K_v`` of a node;
    - soft loss: ``1 / L Σ_l KL(Bern(σ(t_l / τ)) ‖ Bern(σ(z_l / τ)))``. With ``A(z) = Σ_l log(1 + e^{z_l})`` and
      ``μ = σ`` it folds over neighbours as the softmax does.

    Labels are ``[N, L]`` of 0 and 1, NaN where an entry is unknown.

    Source: the common task, as in Hu et al., Open Graph Benchmark, NeurIPS 2020 (ogbn-proteins)

    >>> task = Multilabel()
    >>> task.label_losses(torch.zeros(1, 2), torch.tensor([[1.0, float("nan")]])).round(decimals=4)  # log 2
    tensor([0.6931])
    """

    name = "multilabel"
    metrics = tuple(MULTILABEL)
    fallback_metric = "micro_f1"
    unscorable = "have no label that some of them have and others have not"
    details = ("micro_f1", "macro_f1", "micro_f1_known_counts", "macro_f1_known_counts")

    def check(self, data: Data) -> None:
        """Checks that entries are 0, 1 or unknown, and that each node in a mask has a known one."""
        y = torch.as_tensor(data.y)
        if y.dim() != 2 or y.shape[1] < 1:
            raise GraphKDError(
                f"task=multilabel needs data.y [N, L] with a column of 0 and 1 for each label, but it is "
                f"{list(y.shape)}: choose another task, or give one column for each label"
            )
        used = y[in_masks(data)].double()
        wrong = used[~(used.isnan() | (used == 0) | (used == 1))]
        if wrong.numel():
            raise GraphKDError(
                f"data.y holds {float(wrong[0]):g} inside a mask, and task=multilabel has 0 and 1 alone: correct "
                "it, with NaN for what is unknown, or choose task=regression"
            )
        empty = used.isnan().all(dim=1)
        if bool(empty.any()):
            raise GraphKDError(
                f"{int(empty.sum())} nodes in a mask have no known label: take them out of the masks, or write 0 "
                "for what they have not"
            )
        names = getattr(data, "class_names", None)
        if names is not None and len(names) != y.shape[1]:
            raise GraphKDError(
                f"data.class_names has {len(names)} names, but data.y {y.shape[1]} labels: give one for each"
            )

    def labels(self, data: Data) -> tuple[Tensor, int]:
        """Returns ``y [N, L]`` float32 with NaN for every unknown entry, and ``L``."""
        y = torch.as_tensor(data.y).to(torch.float32)
        return torch.where((y == 0) | (y == 1), y, torch.nan), y.shape[1]

    def label_losses(
        self, logits: Tensor, labels: Tensor, class_weight: Tensor | None = None, label_smoothing: float = 0.0
    ) -> Tensor:
        """Computes the mean binary cross-entropy of each row's known entries."""
        known = ~labels.isnan()
        target = torch.where(known, labels, 0.0).to(logits)
        losses = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * known
        return losses.sum(dim=1) / known.sum(dim=1).clamp_min(1)

    def mean(self, logits: Tensor) -> Tensor:
        """Computes the sigmoid of each output."""
        return torch.sigmoid(logits)

    def log_partition(self, logits: Tensor) -> Tensor:
        """Computes ``Σ_l log(1 + exp z_l)``."""
        return F.softplus(logits).sum(dim=-1)

    def scorer(self, metric: str, y: Tensor) -> Scorer:
        """Builds one of ``graphkd.evaluation.multilabel.MULTILABEL`` for fixed labels ``[B, L]``."""
        return MULTILABEL[metric](y)

    def by_output(self, answers: Tensor, y: Tensor) -> list[dict[str, float]]:
        """Returns precision, recall, F1 score and support of each label, 0 where there is nothing to divide by."""
        has, given = y == 1, (answers > 0) & ~y.isnan()
        hits, support, predicted = ((part).sum(dim=0).double() for part in (has & given, has, given))
        columns = {
            "precision": hits / predicted.clamp_min(1),
            "recall": hits / support.clamp_min(1),
            "f1": 2 * hits / (support + predicted).clamp_min(1),
            "support": support,
        }
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in rows]
