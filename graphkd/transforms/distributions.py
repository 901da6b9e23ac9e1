"""Distributions as logits, mixtures of them, and labels of training nodes as distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from graphkd.datasets import Graph


def to_logits(table: Tensor, tau: float, dtype: torch.dtype) -> Tensor:
    """Returns ``τ log T`` of distributions ``T [N, C]`` in float64, whose zeros become the least of float32."""
    return (tau * table.clamp_min(torch.finfo(torch.float32).tiny).log()).to(dtype)


def mixture(logits: Tensor, weights: Tensor, tau: float) -> Tensor:
    """Returns ``τ log Σ_k w_k softmax(z_k / τ)``, whose softmax at ``τ`` is the weighted mean of distributions.

    Args:
        logits: ``[K, N, C]`` float64.
        weights: ``[K]`` of a sum of 1; a part of weight 0 changes nothing.
        tau: ``τ``.
    """
    parts = torch.log_softmax(logits / tau, dim=2) + weights.log().view(-1, 1, 1)
    return tau * torch.logsumexp(parts, dim=0)


def training_labels(graph: Graph) -> Tensor:
    """Returns one-hot labels ``[L, C]`` of the training nodes, in float64."""
    return F.one_hot(graph.y[graph.train], graph.num_classes).double()
