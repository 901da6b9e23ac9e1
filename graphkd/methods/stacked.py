"""The targets of several students as one, where one call computes the loss of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.methods.soft_targets import SoftTargets
from graphkd.methods.targets import Targets


@dataclass(frozen=True)
class StackedTargets:
    """Targets of ``S`` students of equally many rows; every loss is ``[S]``, each as it would be alone.

    Args:
        soft: with tables ``[S, N, C]``, weights ``[S, N]`` and constants ``[S]``, or None.
        rows: ``[S · n]`` int64, the rows whose label is read, among all ``S · N``; a student that has fewer
            than ``n`` repeats one of weight 0.
        labels: ``[S · n]`` int64.
        label_weight: ``[S, n]``.
        scale, label_smoothing: as in ``Targets``.
    """

    soft: SoftTargets | None
    rows: Tensor
    labels: Tensor
    label_weight: Tensor
    scale: float = 1.0
    label_smoothing: float = 0.0

    def label_loss(self, logits: Tensor) -> Tensor:
        """Computes ``Σ_v a_v CE(z_v, y_v)`` of each student; ``logits [S, N, C]`` → ``[S]``."""
        labelled = logits.flatten(0, 1).index_select(0, self.rows)
        smoothing = self.label_smoothing
        losses = F.cross_entropy(labelled, self.labels, reduction="none", label_smoothing=smoothing)
        return self.scale * (self.label_weight.to(losses.dtype) * losses.view(self.label_weight.shape)).sum(dim=1)


def stacked(parts: Sequence[Targets]) -> StackedTargets:
    """Stacks targets of the same number of rows, scale, smoothing, temperature and direction."""
    weight = torch.stack([part.label_weight for part in parts])
    labels = torch.stack([part.labels for part in parts])
    most = max(part.labelled.numel() for part in parts)
    rows = torch.stack([_filled(part, most) for part in parts])
    first = torch.arange(len(parts), device=rows.device).unsqueeze(1) * parts[0].num_rows
    return StackedTargets(
        soft=_soft([part.soft for part in parts if part.soft is not None]),
        rows=(rows + first).flatten(),
        # A row of weight 0 may have no label: any class will do.
        labels=labels.gather(1, rows).clamp_min(0).flatten(),
        label_weight=weight.gather(1, rows),
        scale=parts[0].scale,
        label_smoothing=parts[0].label_smoothing,
    )


def _filled(part: Targets, most: int) -> Tensor:
    """Returns the rows whose label is read, ``[most]``: where there are fewer, a row of weight 0 is repeated."""
    labelled = part.labelled
    if labelled.numel() == most:
        return labelled
    idle = (part.label_weight == 0).nonzero().reshape(-1)[:1]
    return torch.cat([labelled, idle.expand(most - labelled.numel())])


def _soft(parts: Sequence[SoftTargets]) -> SoftTargets | None:
    if not parts:
        return None
    constant = torch.stack([torch.as_tensor(part.constant, dtype=torch.float64) for part in parts])
    return replace(
        parts[0],
        table=torch.stack([part.table for part in parts]),
        row_weight=torch.stack([part.row_weight for part in parts]),
        constant=constant.to(parts[0].table.device, parts[0].table.dtype),
    )
