"""Skip-gram with negative sampling over batches of walks, with closed-form gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHARED = 4
"""Negative samples of a walk, per negative sample of a pair."""


class SkipGram:
    """Two tables and their steps.

    A walk ``v_1 … v_L`` with its own negative samples ``n_1 … n_S`` adds to the loss, for each position i

        ℓ_i = − Σ_j c_ij log σ(x_{v_i} · y_{v_j}) − (K / S) (Σ_j c_ij) Σ_s log σ(−x_{v_i} · y_{n_s})

    with ``c_ij = (w − |i − j| + 1) / w`` for ``1 ≤ |i − j| ≤ w``, else 0: the mean of word2vec's windows, drawn
    from 1 … w. The ``S = 4 K`` negative samples are shared by the walk's positions, so that a step is three
    batched products. Each row of x and y moves by the *mean* of the gradients at its occurrences in the batch,
    times the learning rate. With sums, walks that turn back at once drive rows apart
    (``experiments/positions``: up to 9 points of AUC less on PubMed, 20 on Cora with its many small components).

    Source: Mikolov et al., Distributed Representations of Words and Phrases, NeurIPS 2013; Ji et al.,
    Parallelizing Word2Vec in Shared and Distributed Memory, 2016 (shared negative samples, batched products)

    Args:
        vectors: ``[N, d]``, ``x``; changed in place.
        contexts: ``[N, d]``, ``y``; changed in place.
        length: ``L``, nodes of a walk.
        window: ``w``.
        negatives: ``K``, negative samples per pair.
    """

    def __init__(self, vectors: Tensor, contexts: Tensor, length: int, window: int, negatives: int) -> None:
        self.vectors, self.contexts = vectors, contexts
        self.shared = SHARED * negatives
        positive = _window(length, window).to(vectors.dtype)
        noise = positive.sum(dim=1, keepdim=True) * (negatives / self.shared)
        self._weight = torch.cat([positive, noise.expand(length, self.shared)], dim=1)
        self._target = torch.cat([positive, positive.new_zeros(length, self.shared)], dim=1)
        self._count = vectors.new_zeros(len(vectors))

    def step(self, walks: Tensor, negatives: Tensor, lr: float) -> None:
        """Moves both tables by one batch.

        Args:
            walks: ``[B, L]`` int64.
            negatives: ``[B, S]`` int64.
            lr: learning rate.
        """
        both = torch.cat([walks, negatives], dim=1)
        x, y = F.embedding(walks, self.vectors), F.embedding(both, self.contexts)
        gain = torch.bmm(x, y.transpose(1, 2)).sigmoid_().mul_(self._weight)
        torch.sub(self._target, gain, out=gain)  # minus the loss's derivative by every product
        self._move(self.vectors, walks, torch.bmm(gain, y), lr)
        self._move(self.contexts, both, torch.bmm(gain.transpose(1, 2), x), lr)

    def _move(self, table: Tensor, nodes: Tensor, gradient: Tensor, lr: float) -> None:
        index = nodes.reshape(-1)
        self._count.index_add_(0, index, torch.ones_like(index, dtype=table.dtype))
        scale = lr / self._count[index]
        self._count.index_fill_(0, index, 0.0)
        table.index_add_(0, index, gradient.view(index.numel(), -1).mul_(scale.unsqueeze(1)))


def _window(length: int, window: int) -> Tensor:
    """Returns ``c [L, L]`` float64."""
    position = torch.arange(length)
    distance = (position.unsqueeze(0) - position.unsqueeze(1)).abs()
    inside = (distance >= 1) & (distance <= window)
    return torch.where(inside, (window + 1.0 - distance.double()) / window, 0.0)
