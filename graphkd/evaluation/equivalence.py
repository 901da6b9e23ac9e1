"""Equivalence tests of paired differences, and their power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graphkd.errors import GraphKDError


@dataclass(frozen=True)
class Tost:
    """Result of two one-sided tests.

    Args:
        mean: of the differences.
        low: lower bound of the interval of confidence ``1 − 2 alpha``; NaN for one difference.
        high: its upper bound.
        p_value: the larger one of the two tests; NaN for one difference.
        equivalent: whether it is below alpha, that is, whether the interval lies within the margin.
        n: number of differences.

    >>> result = tost([0.001, -0.001, 0.002, 0.0], margin=0.01)
    >>> result.n, result.equivalent, round(result.mean, 4)
    (4, True, 0.0005)
    """

    mean: float
    low: float
    high: float
    p_value: float
    equivalent: bool
    n: int


def tost(differences: ArrayLike, margin: float, alpha: float = 0.05) -> Tost:
    """Computes two one-sided t tests of ``μ ≤ −margin`` and ``μ ≥ margin``: rejecting both shows ``|μ| < margin``.

    With ``s`` the sample standard deviation (ddof 1) and ``T`` a t variable of n − 1 degrees of freedom::

        p = max(P(T > (mean + margin) / (s / √n)),  P(T < (mean − margin) / (s / √n)))

    With zero variance, p is 0 within the margin and 1 outside. Unlike a nonsignificant test of a difference, a
    significant result here shows equivalence.

    Source: Schuirmann: A comparison of the two one-sided tests procedure and the power approach. 1987

    Args:
        differences: ``[n]``, paired.
        margin: the largest difference that does not matter, above 0, in the unit of the differences.
        alpha: level of each test; the interval has confidence ``1 − 2 alpha``.

    Raises:
        GraphKDError: there are no differences, some are not finite, the margin is not positive, or the level is
            outside (0, 0.5).

    >>> tost([0.001, -0.001, 0.002, 0.0], margin=0.01).equivalent
    True
    >>> tost([0.02, -0.03, 0.01, 0.0], margin=0.01).equivalent
    False
    """
    from scipy import stats

    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise GraphKDError(f"differences are {list(values.shape)}: give [n] finite numbers, n at least 1")
    _check_margin(margin, alpha)
    n, mean = values.size, float(values.mean())
    if n == 1:
        return Tost(mean, math.nan, math.nan, math.nan, False, 1)
    error = float(values.std(ddof=1)) / math.sqrt(n)
    room = margin - abs(mean)  # the test on the nearer side has the larger p
    p_value = float(stats.t.sf(room / error, n - 1)) if error else float(room <= 0)
    half = error * float(stats.t.isf(alpha, n - 1))
    return Tost(mean, mean - half, mean + half, p_value, p_value < alpha, n)


def power_of_tost(std: float, n: int, margin: float, alpha: float = 0.05, difference: float = 0.0) -> float:
    """Computes the power of ``tost``, for normal differences of mean ``difference``.

    Given the sample's standard deviation ``s``, the mean is normal and must lie within ``margin − t s / √n``;
    ``(n − 1) s² / σ²`` is chi-squared, so that the power is exactly::

        ∫ f(c) [Φ((h(c) − δ) √n / σ) − Φ((−h(c) − δ) √n / σ)]₊ dc      h(c) = margin − t c σ / √(n (n − 1))

    with f the density of a chi variable ``c`` and t the upper alpha quantile of Student's t, both of n − 1 degrees
    of freedom, and δ the true difference.

    Source: Phillips: Power of the two one-sided tests procedure in bioequivalence. 1990

    Args:
        std: σ of a single difference, in the unit of the margin.
        n: number of pairs, 2 or more.
        margin: the largest difference that does not matter.
        alpha: level of each test.
        difference: δ.

    Raises:
        GraphKDError: there are fewer than two pairs, ``std`` is negative, the margin is not positive, or the level
            is outside (0, 0.5).

    >>> round(power_of_tost(std=0.01, n=10, margin=0.01), 2)
    0.8
    """
    from scipy import stats

    _check_sample(std, n)
    _check_margin(margin, alpha)
    if std == 0:
        return float(abs(difference) < margin)
    error = std / math.sqrt(n)
    slope = float(stats.t.isf(alpha, n - 1)) * error / math.sqrt(n - 1)

    def equivalent(c: float) -> float:
        half = margin - slope * c
        return _normal((half - difference) / error) - _normal((-half - difference) / error)

    return _mean_over_chi(equivalent, n - 1, margin / slope)


def detectable_difference(std: float, n: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Computes the smallest true difference that the two-sided paired t test detects with a given power.

    It is ``δ = λ σ / √n``, where a noncentral t variable of ν = n − 1 degrees of freedom and noncentrality λ lies
    outside ``± t``, t the upper α / 2 quantile of Student's t, with probability ``power``::

        ∫ f(c) [Φ(λ − t c / √ν) + Φ(−λ − t c / √ν)] dc = power      f: density of a chi variable, ν degrees

    Source: Cohen: Statistical Power Analysis for the Behavioral Sciences. 1988, chapter 2

    Args:
        std: σ of a single difference.
        n: number of pairs, 2 or more.
        alpha: level of the test.
        power: probability of detection, in (alpha, 1).

    Raises:
        GraphKDError: there are fewer than two pairs, ``std`` is negative, or the power is out of range.

    >>> round(detectable_difference(std=1.0, n=20), 2)
    0.66
    """
    from scipy import optimize, stats

    _check_sample(std, n)
    if not 0 < alpha < power < 1:
        raise GraphKDError(f"power is {power}: it must lie between alpha ({alpha}), above 0, and 1")
    slope = float(stats.t.isf(alpha / 2, n - 1)) / math.sqrt(n - 1)

    def missing(shift: float) -> float:
        return power - _mean_over_chi(lambda c: _normal(shift - slope * c) + _normal(-shift - slope * c), n - 1)

    tail = (1 - power) / 2  # chi and normal tail each add at most this to the type II error
    upper = slope * float(stats.chi.isf(tail, n - 1)) + float(stats.norm.isf(tail))
    return float(optimize.brentq(missing, 0.0, upper)) * std / math.sqrt(n)


def _mean_over_chi(function: Callable[[float], float], degrees: int, end: float = math.inf) -> float:
    """Computes ``∫_0^end f(c) function(c) dc``, f the chi density; scipy's noncentral t fails in far tails."""
    from scipy import integrate, stats

    chi = stats.chi(degrees)
    start, stop = float(chi.ppf(1e-12)), min(float(chi.isf(1e-12)), end)  # truncated tails of 1e-12 each
    if stop <= start:
        return 0.0
    return float(integrate.quad(lambda c: float(chi.pdf(c)) * function(c), start, stop, limit=200)[0])


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _check_margin(margin: float, alpha: float) -> None:
    if not 0 < alpha < 0.5:
        raise GraphKDError(f"alpha is {alpha}: it must lie between 0 and 0.5")
    if not margin > 0:
        raise GraphKDError(f"margin is {margin}: give the largest difference that does not matter, above 0")


def _check_sample(std: float, n: int) -> None:
    if n < 2 or not std >= 0:
        raise GraphKDError(f"a sample of {n} pairs with standard deviation {std}: give 2 or more, and 0 or more")
