"""Rank correlations against their loops, and their intervals against what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.evaluation import rank_biserial, spearman

VALUES = st.sampled_from([0.0, 0.25, 0.5, 1.0, 3.0, math.nan])
PAIRS = st.lists(st.tuples(VALUES, VALUES), max_size=12)
MARKED = st.lists(st.tuples(VALUES, st.sampled_from([0.0, 1.0, math.nan])), max_size=12)


def average_rank(values: list[float], at: int) -> float:
    """1 + how many are smaller, and half of the others that are equal."""
    smaller = sum(value < values[at] for value in values)
    equal = sum(value == values[at] for value in values)
    return smaller + (equal + 1) / 2


def pearson(a: list[float], b: list[float]) -> float:
    n = len(a)
    mean_a, mean_b = sum(a) / n, sum(b) / n
    both = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    scale = sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)
    return both / math.sqrt(scale) if scale else math.nan


@given(pairs=PAIRS)
def test_spearman_is_pearson_of_average_ranks(pairs: list[tuple[float, float]]) -> None:
    known = [pair for pair in pairs if not any(map(math.isnan, pair))]
    found = spearman([a for a, _ in pairs], [b for _, b in pairs])
    assert found.n == len(known)
    if not known:
        assert math.isnan(found.value)
        return
    ranks = [[average_rank(list(side), at) for at in range(len(known))] for side in zip(*known, strict=True)]
    assert found.value == pytest.approx(pearson(*ranks), abs=1e-12, nan_ok=True)
    if not math.isnan(found.low):
        assert -1 <= found.low <= found.value <= found.high <= 1


@given(pairs=MARKED)
def test_rank_biserial_counts_pairs_and_has_delong_s_variance(pairs: list[tuple[float, float]]) -> None:
    known = [pair for pair in pairs if not any(map(math.isnan, pair))]
    found = rank_biserial([a for a, _ in pairs], [b for _, b in pairs])
    yes, no = ([score for score, mark in known if mark == side] for side in (1.0, 0.0))
    assert found.n == len(known)
    if not yes or not no or len(set(yes + no)) == 1:
        assert math.isnan(found.value)
        return
    wins = [[(a > b) + (a == b) / 2 for b in no] for a in yes]
    area = sum(map(sum, wins)) / (len(yes) * len(no))
    assert found.value == pytest.approx(2 * area - 1, abs=1e-12)
    if min(len(yes), len(no)) < 2:
        assert math.isnan(found.low)
        return
    rows = [sum(row) / len(no) for row in wins]
    columns = [sum(row[k] for row in wins) / len(yes) for k in range(len(no))]
    variance = sum(
        sum((value - area) ** 2 for value in side) / (len(side) - 1) / len(side) for side in (rows, columns)
    )
    half = 2 * 1.959963984540054 * math.sqrt(variance)
    expected = max(-1.0, 2 * area - 1 - half), min(1.0, 2 * area - 1 + half)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_the_same_and_the_opposite_ranking() -> None:
    values = np.random.default_rng(0).random(50)
    same, opposite = spearman(values, values**3), spearman(values, -values)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)
    assert (opposite.value, opposite.low, opposite.high) == (-1.0, -1.0, -1.0)
    assert math.isnan(spearman([1, 2, 3], [2, 1, 3]).low)


@pytest.mark.parametrize(("marked", "others"), [(5, 5), (8, 4), (4, 30), (20, 20), (50, 10), (7, 60)])
@pytest.mark.parametrize("seed", [0, 1])
def test_rank_biserial_s_interval_is_delong_s(marked: int, others: int, seed: int) -> None:
    """Of samples that overlap; ties among them."""
    rng = np.random.default_rng(seed)
    yes, no = rng.integers(0, 9, marked) + 1.0, rng.integers(0, 9, others) + 0.0
    found = rank_biserial(np.concatenate([yes, no]), [1.0] * marked + [0.0] * others)
    wins = (yes[:, None] > no) + (yes[:, None] == no) / 2
    sides = wins.mean(axis=1), wins.mean(axis=0)
    half = 2 * 1.959963984540054 * math.sqrt(sum(side.var(ddof=1) / side.size for side in sides))
    value = 2 * wins.mean() - 1
    expected = (value, max(-1.0, value - half), min(1.0, value + half))
    assert (found.value, found.low, found.high) == pytest.approx(expected)


@pytest.mark.parametrize("n", [4, 5, 6, 7, 10, 20, 50])
@pytest.mark.parametrize("seed", [0, 1])
def test_spearman_s_interval_is_bonett_and_wright_s(n: int, seed: int) -> None:
    """``tanh(artanh ρ ± 1.96 sqrt((1 + ρ²/2) / (n − 3)))``."""
    rng = np.random.default_rng(seed)
    found = spearman(rng.random(n), rng.random(n))
    rho = found.value
    assert abs(rho) < 1
    half = 1.959964 * math.sqrt((1 + rho**2 / 2) / (n - 3))
    ends = [math.tanh(math.atanh(rho) + side * half) for side in (-1, 1)]
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=1e-6)


def test_three_pairs_have_no_interval_and_four_have_one() -> None:
    assert math.isnan(spearman([1, 2, 3], [1, 3, 2]).low)
    assert not math.isnan(spearman([1, 2, 3, 4], [1, 3, 2, 4]).low)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_95_in_100_intervals_hold_the_true_correlation(rho: float) -> None:
    """Spearman's of a bivariate normal distribution is ``6 / π · asin(ρ / 2)``."""
    rng, truth, held = np.random.default_rng(1), 6 / math.pi * math.asin(rho / 2), 0
    for _ in range(500):
        a = rng.standard_normal(60)
        found = spearman(a, rho * a + math.sqrt(1 - rho**2) * rng.standard_normal(60))
        held += found.low <= truth <= found.high
    assert 0.93 <= held / 500 <= 0.97


def test_so_do_those_of_yes_and_no() -> None:
    """``AUC = Φ(shift / √2)`` for two normal distributions of variance 1."""
    rng, held = np.random.default_rng(2), 0
    marks = np.arange(120) < 50
    truth = math.erf(0.7 / 2)
    for _ in range(500):
        found = rank_biserial(rng.standard_normal(120) + 0.7 * marks, marks)
        held += found.low <= truth <= found.high
    assert 0.925 <= held / 500 <= 0.97


@pytest.mark.parametrize("measure", [spearman, rank_biserial])
def test_values_that_are_no_pairs(measure) -> None:
    with pytest.raises(GraphKDError, match=r"a is \[2\], b is \[3\]: give the values pair by pair"):
        measure([1, 2], [1, 2, 3])
    with pytest.raises(GraphKDError, match=r"a is \[1, 2\]"):
        measure([[1, 2]], [[1, 2]])
