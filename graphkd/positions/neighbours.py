"""Positions of nodes that arrive after the positions were made."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphkd.checks import is_count
from graphkd.errors import GraphKDError
from graphkd.sparse import SparseMatrix, spmm


def neighbour_mean(
    vectors: Tensor, receivers: Tensor, senders: Tensor, count: int, weight: Tensor | None = None
) -> Tensor:
    """Computes the mean of the vectors of a node's observed neighbours, NOSMOG's rule for inductive nodes.

    The order of edges has no effect on the bits, and neither has what other receivers there are. No tensor of
    size E × d is made.

    Source: Tian et al., Learning MLPs on Graphs: A Unified View of Effectiveness, Robustness, and Efficiency
    (NOSMOG), ICLR 2023

    Args:
        vectors: ``[N, d]`` of observed nodes.
        receivers: ``[E]`` int64 in ``[0, count)``, the arriving node of each edge.
        senders: ``[E]`` int64 in ``[0, N)``, the observed neighbour; one that is listed twice counts twice.
        count: number of arriving nodes.
        weight: ``[E]`` not negative, for a weighted mean.

    Returns:
        ``[count, d]``; zeros for a node without observed neighbours, or with weights of 0 only.

    Raises:
        GraphKDError: the arguments do not fit each other.

    >>> neighbour_mean(torch.tensor([[1.0], [3.0]]), torch.tensor([0, 0]), torch.tensor([0, 1]), count=2)
    tensor([[2.],
            [0.]])
    """
    _check(vectors, receivers, senders, count, weight)
    value = torch.ones(receivers.numel(), dtype=torch.float64) if weight is None else weight.double()
    # Receivers and senders are sorted within, so that sums are taken in one order.
    matrix = SparseMatrix.from_coo(receivers, senders, value.to(vectors.device), (count, len(vectors)))
    total = matrix.sum(dim=1)
    mean = matrix.scale(rows=torch.where(total > 0, 1.0 / total, 0.0))
    return spmm(mean.to(vectors.dtype), vectors.detach())


def _check(vectors: Tensor, receivers: Tensor, senders: Tensor, count: Any, weight: Tensor | None) -> None:
    if vectors.dim() != 2 or not vectors.is_floating_point():
        raise GraphKDError(f"vectors must be floating point [N, d], but have shape {list(vectors.shape)}")
    if not is_count(count):
        raise GraphKDError(f"count of arriving nodes is {count!r}: give a whole number from 0")
    if receivers.dim() != 1 or receivers.shape != senders.shape:
        raise GraphKDError(
            f"receivers and senders must both be [E], but have shapes {list(receivers.shape)} and "
            f"{list(senders.shape)}: give one of each per edge"
        )
    for name, index, limit in (("receivers", receivers, int(count)), ("senders", senders, len(vectors))):
        if index.dtype != torch.int64:
            raise GraphKDError(f"{name} must be int64, but are {index.dtype}: convert them")
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < limit:
            raise GraphKDError(f"{name} must be in 0 to {limit - 1}: correct the edges")
    if weight is None:
        return
    if weight.shape != receivers.shape or not bool((weight.isfinite() & (weight >= 0)).all()):
        raise GraphKDError("weight must hold one finite number from 0 per edge: correct the weights")
