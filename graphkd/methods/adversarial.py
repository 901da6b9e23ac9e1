"""Adversarial perturbations of a student's inputs, by projected gradient ascent."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse import Factored, Inputs

MOST_ENTRIES = 2**28
"""Largest number of entries of sparse rows that are made dense: 1 GiB in float32, of which a step needs four."""

Loss = Callable[[Tensor], Tensor]
"""Inputs ``[B, D']`` → the loss, a scalar."""


def perturbed(loss: Loss, x: Tensor, epsilon: float, steps: int) -> Tensor:
    """Computes ``x + δ`` whose ``δ`` in ``[−epsilon, epsilon]`` raises a loss.

    ``δ ~ U(−epsilon, epsilon)``, then ``steps`` times ``δ ← clip(δ + epsilon / 4 · sign(∇_δ loss(x + δ)))``. Needs
    four tables of the size of ``x``; parameters get no gradient.

    Source: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018; the start and
        the size of a step are those of the released code of NOSMOG

    Args:
        loss: of inputs; called ``steps`` times.
        x: ``[B, D']``, dense.
        epsilon: largest absolute entry of ``δ``, in the unit of ``x``.
        steps: of the ascent; with 0, ``δ`` is noise.

    Returns:
        ``[B, D']``, without gradient.
    """
    delta = torch.empty_like(x).uniform_(-epsilon, epsilon)
    for _ in range(steps):
        point = (x + delta).requires_grad_()
        (gradient,) = torch.autograd.grad(loss(point), point)
        delta.add_(gradient.sign_(), alpha=epsilon / 4).clamp_(-epsilon, epsilon)
    return delta.add_(x)


def dense_rows(x: Inputs, method: str) -> Tensor:
    """Returns rows ``[B, D']`` as a dense table, which a perturbation of every entry needs.

    Raises:
        GraphKDError: sparse rows would take more than ``MOST_ENTRIES`` entries.
    """
    assert not isinstance(x, Factored)  # a step of its own gets a table
    if isinstance(x, Tensor):
        return x
    rows, width = x.shape
    if rows * width > MOST_ENTRIES:
        raise GraphKDError(
            f"method={method} perturbs every entry of its inputs, and {rows} sparse rows of {width} entries are "
            f"too many: set training.batch_size={max(MOST_ENTRIES // (4 * width), 1)}, or method.adversarial=0"
        )
    return x.to_dense()
