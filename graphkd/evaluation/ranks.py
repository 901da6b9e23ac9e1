"""Rank correlations with confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphkd.errors import GraphKDError

Z = 1.959963984540054
"""Normal quantile: 95 % of the distribution lie between −Z and Z."""


@dataclass(frozen=True)
class Correlation:
    """A rank correlation with its 95 % interval.

    Args:
        value: in [−1, 1]; NaN if one variable is constant.
        low: lower bound of the interval; NaN if it is undefined.
        high: its upper bound.
        n: number of pairs.

    >>> result = spearman([1, 2, 3, 4], [10, 20, 30, 40])
    >>> result.n, round(result.value, 4)
    (4, 1.0)
    """

    value: float
    low: float
    high: float
    n: int


def spearman(a: ArrayLike, b: ArrayLike) -> Correlation:
    """Computes Spearman's ``ρ``: Pearson's correlation of ranks, with average ranks for ties.

    Pairs with a NaN are excluded. The interval is ``tanh(artanh ρ ± 1.96 sqrt((1 + ρ²/2) / (n − 3)))``, valid for
    independent pairs; nodes of a graph are not independent, so it measures random variation only.

    Source: Bonett, Wright: Sample Size Requirements for Estimating Pearson, Kendall and Spearman Correlations.
    Psychometrika 65, 2000

    Args:
        a: ``[n]``.
        b: ``[n]``; ``b_i`` is paired with ``a_i``.

    Raises:
        GraphKDError: the arrays are not ``[n]`` of the same length.

    >>> round(spearman([1, 2, 3, 4], [1, 3, 2, 4]).value, 4)
    0.8
    """
    from scipy import stats

    pairs = _pairs(a, b)
    ranks = stats.rankdata(pairs, axis=1)
    centred = ranks - (pairs.shape[1] + 1) / 2
    scale = float(np.square(centred[0]).sum() * np.square(centred[1]).sum())
    if scale == 0:
        return Correlation(math.nan, math.nan, math.nan, pairs.shape[1])
    value = min(1.0, max(-1.0, float(centred[0] @ centred[1]) / math.sqrt(scale)))
    return Correlation(value, *_fisher(value, pairs.shape[1]), pairs.shape[1])


def rank_biserial(score: ArrayLike, flag: ArrayLike) -> Correlation:
    """Computes the rank correlation of a score with a binary flag: ``2 AUC − 1``.

    With ``AUC = P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2`` for a random flagged and a random unflagged entry. Pairs with a NaN
    are excluded. The interval is ``value ± 1.96 · 2 sqrt(var(AUC))`` with DeLong's variance, clipped to [−1, 1].

    Source: Cureton, Rank-Biserial Correlation, 1956; DeLong, DeLong, Clarke-Pearson, 1988

    Args:
        score: ``[n]``.
        flag: ``[n]``, 1 for flagged entries, else 0, or NaN if unknown.

    Raises:
        GraphKDError: the arrays are not ``[n]`` of the same length.

    >>> rank_biserial([0.1, 0.4, 0.3, 0.9], [0, 1, 0, 1]).value
    1.0
    """
    from scipy import stats

    scores, marks = _pairs(score, flag)
    n, marked = scores.size, marks > 0
    if n == 0 or marked.all() or not marked.any() or np.ptp(scores) == 0:
        return Correlation(math.nan, math.nan, math.nan, n)
    ranks, m = stats.rankdata(scores), int(marked.sum())
    # Fraction of the other group that each entry exceeds; ties count half.
    above = (ranks[marked] - stats.rankdata(scores[marked])) / (n - m)
    below = 1 - (ranks[~marked] - stats.rankdata(scores[~marked])) / m
    value = 2 * float(above.mean()) - 1
    if min(m, n - m) < 2:
        return Correlation(value, math.nan, math.nan, n)
    half = 2 * Z * math.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / (n - m))
    return Correlation(value, max(-1.0, value - half), min(1.0, value + half), n)


def _fisher(value: float, n: int) -> tuple[float, float]:
    if n < 4:
        return math.nan, math.nan
    if abs(value) == 1:
        return value, value
    middle, half = math.atanh(value), Z * math.sqrt((1 + value**2 / 2) / (n - 3))
    return math.tanh(middle - half), math.tanh(middle + half)


def _pairs(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Returns the pairs without NaN, ``[2, m]``."""
    first, second = (np.asarray(values, dtype=np.float64) for values in (a, b))
    if first.ndim != 1 or first.shape != second.shape:
        raise GraphKDError(f"a is {list(first.shape)}, b is {list(second.shape)}: give the values pair by pair")
    table = np.stack([first, second])
    return table[:, ~np.isnan(table).any(axis=0)]
