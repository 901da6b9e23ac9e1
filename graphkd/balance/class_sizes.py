"""Sizes of classes, and weights made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.checks import is_real
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.datasets import Graph

ROWS = 2**16
"""Maximum number of rows whose distributions are in float64 at a time."""


def class_sizes(graph: Graph, teacher: Tensor, prior: str) -> Tensor:
    """Computes ``n_c``, ``[C]`` float64; a class of less than one node counts as one.

    Args:
        graph: the observed one.
        teacher: logits ``[N, C]``.
        prior: ``labels``, the number of training nodes of each class; or ``teacher``, the sum of
            ``softmax(t_v)`` over all observed nodes.
    """
    sizes = label_sizes(graph) if prior == "labels" else _soft_sizes(teacher)
    return sizes.to(graph.y.device).clamp_min(1)


def label_sizes(graph: Graph) -> Tensor:
    """Returns the number of training nodes of each class, ``[C]`` float64."""
    return torch.bincount(graph.y[graph.train], minlength=graph.num_classes).double()


def _soft_sizes(teacher: Tensor) -> Tensor:
    total = teacher.new_zeros(teacher.shape[1], dtype=torch.float64)
    for start in range(0, teacher.shape[0], ROWS):
        total += torch.softmax(teacher[start : start + ROWS].double(), dim=1).sum(dim=0)
    return total


def log_shares(sizes: Tensor) -> Tensor:
    """Returns ``log n_c − max_k log n_k``: the log shares up to a constant, which no softmax reads; ``[C]``.

    >>> log_shares(torch.tensor([7.0, 7.0, 7.0])).tolist()
    [0.0, 0.0, 0.0]
    """
    return sizes.log() - sizes.max().log()


def effective_number_weights(sizes: Tensor, beta: float) -> Tensor:
    """Computes ``w_c ∝ (1 − β) / (1 − β^{n_c})``, scaled to a mean of 1 over the classes that occur.

    Source: Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019

    Args:
        sizes: ``n [C]``; the weight of a class of size 0 is 0.
        beta: ``β`` between 0 and 1.

    >>> effective_number_weights(torch.tensor([1.0, 0.0, 2.0]), 0.5)
    tensor([1.2000, 0.0000, 0.8000])
    """
    occurs = sizes > 0
    weight = torch.where(occurs, (1 - beta) / (1 - beta ** sizes.clamp_min(1)), 0.0)
    return weight * occurs.sum() / weight.sum()


def balanced_weights(graph: Graph) -> Tensor:
    """Computes ``n / (C n_c)`` of ``n`` training nodes in ``C`` classes that occur, else 0; ``[C]`` float64.

    Their mean over training nodes is 1.

    Source: scikit-learn's ``class_weight="balanced"``; King and Zeng, Logistic Regression in Rare Events Data,
        Political Analysis 2001
    """
    sizes = label_sizes(graph)
    occurs = sizes > 0
    return torch.where(occurs, sizes.sum() / (occurs.sum() * sizes.clamp_min(1)), 0.0)


def check_beta(beta: float) -> float:
    """Returns a ``β`` between 0 and 1.

    Raises:
        GraphKDError: it is outside.
    """
    if not (is_real(beta) and 0 < beta < 1):
        raise GraphKDError(f"balance.beta is {beta}: it must lie between 0 and 1")
    return beta
