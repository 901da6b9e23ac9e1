"""How far students' answers on rows are from those on masked copies of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.methods.masking import masked
from graphkd.methods.targets import Targets
from graphkd.sparse import select_rows
from graphkd.students.output import StudentOutput

if TYPE_CHECKING:
    from graphkd.methods.base import Student


def labelled_alignment(
    student: Student, batch: Targets, outputs: list[StudentOutput], mask: float, share: float, total: Tensor
) -> Tensor:
    """Returns the mean over students and labelled rows of ``alignment``; of a batch, ``N / B`` of its part in it.

    Args:
        student: answers with several members.
        batch: rows of the targets.
        outputs: of the members, on the batch.
        mask: share of a copy's entries that is zero, drawn by torch's generator.
        share: of the answers, against the hidden layers.
        total: number of labelled rows, of all batches.
    """
    rows = batch.labelled
    if rows.numel() == 0:
        return batch.label_weight.new_zeros((), dtype=outputs[0].logits.dtype)
    inputs = select_rows(batch.inputs, rows)
    dense = inputs if isinstance(inputs, Tensor) else inputs.to_dense()
    copies = student(masked(dense, mask)).members
    pairs = zip(outputs, copies, strict=True)
    losses = [alignment(output.select(rows), copied, share) for output, copied in pairs]
    return torch.stack(losses).mean() * batch.scale * rows.numel() / total


def alignment(one: StudentOutput, other: StudentOutput, share: float) -> Tensor:
    """Returns ``share · MSE(log p, log p') + (1 − share) · mean_l MSE(h_l, h_l')`` of two outputs."""
    log_p, log_q = (F.log_softmax(output.logits, dim=1) for output in (one, other))
    pairs = list(zip(one.hidden, other.hidden, strict=True))
    hidden = torch.stack([F.mse_loss(h, g) for h, g in pairs]).mean() if pairs else log_p.new_zeros(())
    return share * F.mse_loss(log_p, log_q) + (1 - share) * hidden
