"""Metrics of link prediction from the scores of edges and of pairs without one."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.evaluation.scorers import roc_area
from graphkd.ranges import check_counts


def auc(positive: Tensor, negative: Tensor) -> float:
    """Computes the area under the ROC curve: ``P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2``.

    Args:
        positive: ``[P]`` scores of edges.
        negative: ``[M]`` scores of pairs without one.

    Raises:
        GraphKDError: a part is empty, has another shape, or holds NaN; so in every metric.

    >>> auc(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0]))
    0.75
    """
    positive, negative = _checked(positive, negative)
    return float(roc_area(negative, positive))


def average_precision(positive: Tensor, negative: Tensor) -> float:
    """Computes ``Σ_n (R_n − R_{n−1}) P_n`` over the distinct thresholds, as scikit-learn does.

    Args:
        positive: ``[P]``.
        negative: ``[M]``.

    >>> average_precision(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0]))  # (1 + 2 / 3) / 2
    0.8333333333333333
    """
    positive, negative = _checked(positive, negative)
    ordered = positive.sort().values
    hits = positive.numel() - torch.searchsorted(ordered, positive)  # edges that are at least as high
    false = negative.numel() - torch.searchsorted(negative.sort().values, positive)
    return float((hits.double() / (hits + false)).mean().item())


def hits_at_k(positive: Tensor, negative: Tensor, k: int) -> float:
    """Computes the share of edges scored strictly above the ``k``-th best pair without one.

    With fewer than ``k`` pairs it is 1.

    Source: Hu et al., Open Graph Benchmark, NeurIPS 2020: the metric of ogbl-collab and ogbl-ppa

    Args:
        positive: ``[P]``.
        negative: ``[M]``.
        k: from 1.

    >>> hits_at_k(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0]), k=1)
    0.5
    """
    check_counts("links", 1, k=k)
    positive, negative = _checked(positive, negative)
    if negative.numel() < k:
        return 1.0
    bar = negative.topk(k).values[-1]
    return float((positive > bar).double().mean().item())


def mrr(positive: Tensor, negative: Tensor) -> float:
    """Computes the mean reciprocal rank of each edge among pairs without one.

    A rank is the mean of the optimistic one, ``1 + |{s⁻ > s⁺}|``, and the pessimistic one, ``1 + |{s⁻ ≥ s⁺}|``.

    Source: Hu et al., Open Graph Benchmark, NeurIPS 2020: the metric of ogbl-citation2

    Args:
        positive: ``[P]``.
        negative: ``[M]``, the same for all edges, or ``[P, M]``, those of each.

    >>> mrr(torch.tensor([3.0, 1.0]), torch.tensor([2.0, 0.0]))
    0.75
    >>> mrr(torch.tensor([1.0]), torch.tensor([[1.0, 0.0]]))  # ranks 1 and 2
    0.6666666666666666
    """
    if negative.dim() == 2 and negative.shape[0] == positive.numel():
        own = positive.double().unsqueeze(1)
        _checked(positive, negative.reshape(-1))
        above = (negative > own).sum(dim=1), (negative >= own).sum(dim=1)
    else:
        positive, negative = _checked(positive, negative)
        below, upto = _ranks(positive, negative)
        above = negative.numel() - upto, negative.numel() - below
    return float((1 / (1 + (above[0] + above[1]).double() / 2)).mean().item())


def link_metrics(positive: Tensor, negative: Tensor) -> dict[str, float]:
    """Computes ``auc``, ``ap``, ``hits@20``, ``hits@50`` and ``mrr`` of scores ``[P]`` and ``[M]``.

    >>> sorted(link_metrics(torch.tensor([1.0]), torch.tensor([0.0])))
    ['ap', 'auc', 'hits@20', 'hits@50', 'mrr']
    """
    return {
        "auc": auc(positive, negative),
        "ap": average_precision(positive, negative),
        **{f"hits@{k}": hits_at_k(positive, negative, k) for k in (20, 50)},
        "mrr": mrr(positive, negative),
    }


def _ranks(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how many negatives lie below each positive, and how many do not lie above it, ``[P]`` each."""
    ordered = negative.sort().values
    return torch.searchsorted(ordered, positive), torch.searchsorted(ordered, positive, right=True)


def _checked(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """Checks both parts, and returns them in double precision, which keeps all orders."""
    for name, part in (("positive", positive), ("negative", negative)):
        if part.dim() != 1 or not part.numel():
            raise GraphKDError(f"the {name} scores must be [P], one at least, but have shape {list(part.shape)}")
        if bool(part.isnan().any()):
            raise GraphKDError(f"the {name} scores hold NaN: the model has diverged, choose a smaller lr")
    return positive.detach().double(), negative.detach().double()
