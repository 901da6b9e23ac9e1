"""The divergence of a student's similarities to the codes of a codebook from its teacher's."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.teachers.codebook import row_blocks


def token_divergence(student: Tensor, teacher: Tensor, codebook: Tensor, tau: float) -> Tensor:
    """Returns ``Σ_i KL(softmax(t̂_i E^T / tau) ‖ softmax(ŝ_i E^T / tau))``, differentiable in ``s``.

    ``ŝ = s / ‖s‖``. Similarities ``N × M`` exist for a block of rows at a time: the gradient is computed with the
    value, ``(softmax(ŝ E^T / tau) − softmax(t̂ E^T / tau)) E / tau``, and kept as ``[N, d]``.

    Args:
        student: ``s [N, d]``.
        teacher: ``t̂ [N, d]``, rows of length 1.
        codebook: ``E [M, d]``, rows of length 1.
        tau: temperature of both sides.
    """
    value: Tensor = _Divergence.apply(F.normalize(student, dim=1), teacher, codebook, tau)  # type: ignore[no-untyped-call]
    return value


class _Divergence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, student: Tensor, teacher: Tensor, codebook: Tensor, tau: float) -> Tensor:
        value, grad, codes = student.new_zeros(()), torch.empty_like(student), (codebook / tau).t().contiguous()
        for rows in row_blocks(student.shape[0], codebook.shape[0]):
            r, s = (torch.mm(table[rows], codes) for table in (teacher, student))
            difference = r - s
            (q, log_q), (p, log_p) = _softmax_(r), _softmax_(s)
            value += torch.dot(q.view(-1), difference.view(-1)) + (log_p - log_q).sum()
            torch.mm(p.sub_(q), codes.t(), out=grad[rows])
        ctx.save_for_backward(grad)
        return value

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor, None, None, None]:
        (grad,) = ctx.saved_tensors
        return above[0] * grad, None, None, None


def _softmax_(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the softmax of ``[n, M]``, in the same memory, and the logarithm of its denominator ``[n]``."""
    top = logits.amax(dim=1, keepdim=True)
    total = logits.sub_(top).exp_().sum(dim=1, keepdim=True)
    return logits.div_(total), (total.log() + top).squeeze(1)
