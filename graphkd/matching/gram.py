"""Distances of whole layers by the inner products between their nodes, without a matrix of nodes by nodes.

With ``S [N, d]`` and ``T [N, d']``, ``‖S Sᵀ − T Tᵀ‖²_F = ‖Sᵀ S‖²_F − 2 ‖Tᵀ S‖²_F + ‖Tᵀ T‖²_F``: matrices of widths
only, ``O(N (d + d')²)``. The three terms cancel, so products and sums are computed in float64, in short runs of
rows. An entry summed over ``n`` rows one after the other has an error of up to ``n 2⁻⁵³`` times the sum of its
absolute values, in whatever order the processor's kernel adds; cancellation raises the relative error of the
result in proportion. With runs of 64 that torch's pairwise sum adds up, ``n`` is about 80 for any number of rows.

The teacher's ``Tᵀ T`` is recomputed in every step: caching it would save a twentieth of the step at 2,708 nodes, a
tenth at 50,000.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

BLOCK = 2**17
"""Entries converted to float64 at once on a CPU, so that they stay in the cache; 64 times as many elsewhere."""

RUN = 64
"""Rows whose products are summed one after the other."""

SMALLEST = 1e-24
"""Lower bound of a norm in the denominator of ``cka``."""


def gram(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``‖S Sᵀ − T Tᵀ‖²_F / N²``, the mean squared difference of all inner products between nodes.

    From 0 up; 0 where one layer is a rotation of the other. Grows with the fourth power of the layers' common
    scale, which its weight has to offset: from 1e-9 to 0.9 in the paper. In a batch the pairs are those of the
    batch. Costs ``N (d² + d d' + d'²)`` multiplications forward and ``N d (d + d')`` backward, in float64. At
    50,000 nodes and width 128 that is 3 to 4 times ``mse`` and 1.6 times the float32 version with autograd's
    backward pass; three pairs of layers double the student's step.

    Source: the relational loss of Tian et al., NOSMOG: Learning MLPs on Graphs, ICLR 2023

    Args:
        student: ``S [N, d]``.
        teacher: ``T [N, d']``, same rows.

    Returns:
        A scalar, never negative.
    """
    student_gram, cross, teacher_gram = _products(student, teacher, *map(_origin, (student, teacher)))
    total = student_gram.square().sum() - 2 * cross.square().sum() + teacher_gram.square().sum()
    return (total.clamp(min=0) / student.shape[0] ** 2).to(student.dtype)


def cka(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``1 − ‖Tᵀ S‖²_F / (‖Sᵀ S‖_F ‖Tᵀ T‖_F)`` of centred layers: 1 minus linear CKA.

    From 0 to 1: 1 minus the cosine of the two centred Gram matrices. Rotating, scaling or shifting all rows of a
    layer does not change it. A layer whose rows are all equal has CKA 0 with any other, hence distance 1, and
    gradient 0; norms in the denominator are clamped to 1e-24 at least, which keeps the gradient finite near such
    a layer. Costs a tenth more than ``gram``.

    Source: Kornblith et al., Similarity of Neural Network Representations Revisited, ICML 2019

    Args:
        student: ``S [N, d]``.
        teacher: ``T [N, d']``, same rows.

    Returns:
        A scalar.
    """
    student_gram, cross, teacher_gram = _products(student, teacher, *map(_mean, (student, teacher)))
    norms = [torch.linalg.matrix_norm(matrix).clamp(min=SMALLEST) for matrix in (student_gram, teacher_gram)]
    similarity = cross.square().sum() / (norms[0] * norms[1])
    return torch.clamp(1 - similarity, min=0).to(student.dtype)


def _origin(layer: Tensor) -> Tensor:
    return layer.new_zeros(layer.shape[1], dtype=torch.float64)


def _mean(layer: Tensor) -> Tensor:
    """Computes the mean of all rows; in float64 it is exact where all rows are equal."""
    total = _origin(layer)
    for rows in _blocks(layer, layer):
        total += layer.detach()[rows].double().sum(dim=0)
    return total / layer.shape[0]


def _products(s: Tensor, t: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Computes ``Sᵀ S``, ``Tᵀ S`` and ``Tᵀ T`` in float64, of rows relative to ``a`` and ``b``.

    Differentiable in ``s`` and ``t``. ``a`` and ``b`` count as constants, which changes nothing where they are the
    means: centred columns have sum 0, and so have the columns of the gradient.
    """
    return _Products.apply(s, t, a, b)  # type: ignore[no-any-return, no-untyped-call]


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, s: Tensor, t: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        student_gram, cross, teacher_gram = (
            a.new_zeros(p.numel(), q.numel()) for p, q in ((a, a), (b, a), (b, b))
        )
        for rows in _blocks(s, t):
            x, y = s[rows].double() - a, t[rows].double() - b
            for product, left, right in ((student_gram, x, x), (cross, y, x), (teacher_gram, y, y)):
                product.add_(_product(left, right))
        ctx.save_for_backward(s, t, a, b)
        return student_gram, cross, teacher_gram

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        s, t, a, b = ctx.saved_tensors
        student_grad, cross, teacher_grad = grads
        needed = ctx.needs_input_grad
        student = _gradient(s, t, a, b, student_grad, cross) if needed[0] else None
        teacher = _gradient(t, s, b, a, teacher_grad, cross.t()) if needed[1] else None
        return student, teacher, None, None


def _product(x: Tensor, y: Tensor) -> Tensor:
    """Computes ``Xᵀ Y``, summed in runs."""
    whole = len(x) - len(x) % RUN
    left, right = (each[:whole].view(-1, RUN, each.shape[1]) for each in (x, y))
    rest = x[whole:].t() @ y[whole:]
    return torch.bmm(left.transpose(1, 2), right).sum(dim=0).add_(rest)


def _gradient(s: Tensor, t: Tensor, a: Tensor, b: Tensor, own: Tensor, cross: Tensor) -> Tensor:
    """Computes ``(S − a) (G + Gᵀ) + (T − b) K`` for the gradients ``G`` of ``Sᵀ S`` and ``K`` of ``Tᵀ S``."""
    result, own = torch.empty_like(s, memory_format=torch.contiguous_format), own + own.t()
    for rows in _blocks(s, t):
        x, y = s[rows].double() - a, t[rows].double() - b
        result[rows] = torch.addmm(x @ own, y, cross)
    return result


def _blocks(s: Tensor, t: Tensor) -> Iterator[slice]:
    entries = BLOCK if s.is_cpu else 64 * BLOCK
    size = max(1, entries // max(s.shape[1], t.shape[1], 1))
    return (slice(start, start + size) for start in range(0, s.shape[0], size))
