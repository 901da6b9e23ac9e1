"""Metrics of rows that have several labels, or none, computed on the device in every epoch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.evaluation.scorers import roc_area


class MeanRocAuc:
    """The mean over labels of the area under the ROC curve, as OGB's Evaluator computes it for ogbn-proteins.

    ``1 / |L| Σ_{l ∈ L} AUC_l`` over the labels ``L`` of which both a positive and a negative row are known;
    ``AUC_l = P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2``. Unknown entries are left out of their label.

    Source: Hu et al., Open Graph Benchmark: Datasets for Machine Learning on Graphs, NeurIPS 2020

    Args:
        y: ``[B, L]`` 0, 1, or NaN where unknown.

    Raises:
        GraphKDError: no label has both.

    >>> y = torch.tensor([[0.0, 1.0], [1.0, 1.0], [1.0, float("nan")]])
    >>> float(MeanRocAuc(y)(torch.tensor([[0.1, 0.0], [0.4, 0.0], [0.3, 0.0]])))  # of the first label alone
    1.0
    """

    def __init__(self, y: Tensor) -> None:
        columns = ((y[:, k] == 0, y[:, k] == 1) for k in range(y.shape[1]))
        sides = [(low.nonzero().squeeze(1), high.nonzero().squeeze(1)) for low, high in columns]
        self.sides = [(k, low, high) for k, (low, high) in enumerate(sides) if low.numel() and high.numel()]
        if not self.sides:
            raise GraphKDError(
                "roc_auc needs a label that some nodes to score have and others have not: use another split or "
                "metric"
            )

    def __call__(self, logits: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``logits [B, L]``."""
        columns = ((logits[:, k].double(), low, high) for k, low, high in self.sides)
        areas = [roc_area(scores[low], scores[high]) for scores, low, high in columns]
        return torch.stack(areas).mean()


class F1:
    """The F1 score of labels with a probability above one half, or of as many per row as it has.

    With ``n_l`` rows that have label ``l``, ``m_l`` that are given it and ``h_l`` both, micro-F1 is
    ``2 Σ h_l / Σ (n_l + m_l)`` and macro-F1 the mean of ``2 h_l / (n_l + m_l)`` over the labels, 0 for one that
    neither occurs nor is given. With ``known_counts`` a row that has ``k`` labels is given the ``k`` likeliest:
    DeepWalk's protocol, whose scores are higher since the number of labels is told. Unknown entries do not count.

    Source: Perozzi et al., DeepWalk: Online Learning of Social Representations, KDD 2014 (the protocol)

    Args:
        y: ``[B, L]`` 0, 1, or NaN where unknown.
        macro: the mean over labels, instead of one score of all entries.
        known_counts: give each row as many labels as it has.

    >>> y, logits = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, 1.0], [-2.0, -1.0]])
    >>> float(F1(y)(logits)), float(F1(y, known_counts=True)(logits))
    (0.5, 1.0)
    """

    def __init__(self, y: Tensor, macro: bool = False, known_counts: bool = False) -> None:
        self.macro, self.known = macro, ~y.isnan()
        self.has = y == 1
        self.counts = self.has.sum(dim=1, keepdim=True) if known_counts else None

    def __call__(self, logits: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``logits [B, L]``."""
        given = self._given(logits) & self.known
        hits = (given & self.has).sum(dim=0).double()
        rows = (given.sum(dim=0) + self.has.sum(dim=0)).double()
        if self.macro:
            return (2 * hits / rows.clamp_min(1)).mean()
        return 2 * hits.sum() / rows.sum().clamp_min(1)

    def _given(self, logits: Tensor) -> Tensor:
        """Returns the labels that each row is given, ``[B, L]``."""
        if self.counts is None:
            return logits > 0
        order = logits.masked_fill(~self.known, -torch.inf).argsort(dim=1, descending=True, stable=True)
        place = torch.arange(logits.shape[1], device=logits.device).expand_as(order)
        return torch.zeros_like(self.known).scatter_(1, order, place < self.counts)


MULTILABEL: dict[str, Callable[[Tensor], Callable[[Tensor], Tensor]]] = {
    "roc_auc": MeanRocAuc,
    "micro_f1": F1,
    "macro_f1": lambda y: F1(y, macro=True),
    "micro_f1_known_counts": lambda y: F1(y, known_counts=True),
    "macro_f1_known_counts": lambda y: F1(y, macro=True, known_counts=True),
}
"""Metrics for fixed labels ``[B, L]`` by name; higher is better."""
