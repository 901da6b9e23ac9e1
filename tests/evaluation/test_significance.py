import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.evaluation import best_share, friedman, holm, paired_difference

SCORE = st.floats(0, 1, width=32)
PAIRS = st.lists(st.tuples(SCORE, SCORE), min_size=2, max_size=8)
TABLES = st.integers(3, 5).flatmap(
    lambda k: st.lists(
        st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.8]), min_size=k, max_size=k), min_size=2, max_size=6
    )
)

DEMSAR = [
    [4, 3, 2, 1], [1, 2, 3, 4], [4, 1, 2, 3], [4, 1, 3, 2], [4, 2, 3, 1], [1, 2.5, 4, 2.5], [3, 2, 4, 1],
    [2.5, 2.5, 4, 1], [4, 3, 2, 1], [2.5, 2.5, 2.5, 2.5], [4, 2.5, 1, 2.5], [3, 2, 4, 1], [4, 1, 2, 3],
    [3, 1, 4, 2],
]  # fmt: skip
"""Ranks of four classifiers on 14 data sets: table 6 of Demšar (2006)."""


@given(pairs=PAIRS, resamples=st.integers(1, 30))
def test_the_interval_is_that_of_the_means_of_resamples(pairs: list[tuple[float, float]], resamples: int) -> None:
    a, b = zip(*pairs, strict=True)
    found = paired_difference(a, b, confidence=0.8, resamples=resamples, seed=3)
    n, means = len(pairs), []
    for draw in np.random.default_rng(3).integers(0, n, (resamples, n)):
        total = 0.0
        for at in draw:
            total += a[at] - b[at]
        means.append(total / n)
    mean = sum(x - y for x, y in pairs) / n
    assert found.mean == pytest.approx(mean, abs=1e-12)
    assert found.std == pytest.approx(math.sqrt(sum((x - y - mean) ** 2 for x, y in pairs) / (n - 1)), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.1, 0.9]), abs=1e-12)
    assert found.n == n


@given(pairs=PAIRS, shift=st.floats(-1, 1, width=32))
def test_pairs_the_other_way_round_and_shifted(pairs: list[tuple[float, float]], shift: float) -> None:
    a, b = np.array(pairs).T
    there, back, moved = (paired_difference(*each, resamples=50) for each in ((a, b), (b, a), (a + shift, b)))
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low), abs=1e-9)
    expected = (there.mean + shift, there.low + shift, there.high + shift)
    assert (moved.mean, moved.low, moved.high) == pytest.approx(expected, abs=1e-9)
    assert (back.std, moved.std) == pytest.approx((there.std, there.std), abs=1e-9)
    assert there.low <= there.mean + 1e-9


def test_one_pair_has_no_interval_and_equal_pairs_have_an_empty_one() -> None:
    one, equal = paired_difference([0.5], [0.25]), paired_difference([0.75, 0.5], [0.5, 0.25])
    assert (one.mean, one.n) == (0.25, 1)
    assert all(map(math.isnan, (one.std, one.low, one.high)))
    assert (equal.mean, equal.std, equal.low, equal.high) == (0.25, 0.0, 0.25, 0.25)


def test_an_interval_holds_the_true_mean_as_often_as_the_docstring_says() -> None:
    rng, held = np.random.default_rng(0), 0
    for differences in rng.normal(1.0, 1.0, (1000, 10)):
        found = paired_difference(differences, np.zeros(10), resamples=300)
        held += found.low <= 1.0 <= found.high
    assert held / 1000 == pytest.approx(0.90, abs=0.025)


def ranks_literal(scores: list[float]) -> list[float]:
    """1 + how many are better + half of how many others are as good."""
    return [
        1 + sum(other > score for other in scores) + (sum(other == score for other in scores) - 1) / 2
        for score in scores
    ]


@settings(max_examples=20)
@given(table=TABLES, shift=st.sampled_from([0.0, 0.125]))
def test_friedman_is_the_spread_of_mean_ranks(table: list[list[float]], shift: float) -> None:
    blocks, k = len(table), len(table[0])
    ranks = [ranks_literal(row) for row in table]
    means = [sum(row[j] for row in ranks) / blocks for j in range(k)]
    ties = 0
    for row in table:
        for value in set(row):
            ties += row.count(value) ** 3 - row.count(value)
    correction = 1 - ties / (blocks * k * (k * k - 1))
    found = friedman([[score + shift * at for score in row] for at, row in enumerate(table)])
    assert found.mean_ranks == pytest.approx(means)
    if correction == 0:
        assert math.isnan(found.statistic)
        assert math.isnan(found.p_value)
    else:
        spread = 12 * blocks / (k * (k + 1)) * sum((mean - (k + 1) / 2) ** 2 for mean in means)
        assert found.statistic == pytest.approx(spread / correction)
        assert 0 <= found.p_value <= 1


def test_friedman_on_the_published_example() -> None:
    found = friedman(-np.array(DEMSAR))
    assert found.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    ties = 1 - (3 * (2**3 - 2) + (4**3 - 4)) / (14 * 4 * 15)
    assert found.statistic * ties == pytest.approx(9.28, abs=0.01)
    assert found.critical_difference == pytest.approx(1.25, abs=5e-3)


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850)])
def test_the_critical_difference_has_the_published_factor(k: int, q: float) -> None:
    scores = np.random.default_rng(k).random((6, k))
    assert friedman(scores).critical_difference / math.sqrt(k * (k + 1) / 36) == pytest.approx(q, abs=1e-3)


def test_what_friedman_cannot_say() -> None:
    two, one, equal = friedman([[0.1, 0.2], [0.1, 0.3]]), friedman([[0.1], [0.2]]), friedman(np.ones((4, 3)))
    for found in (two, one, equal):
        assert all(map(math.isnan, (found.statistic, found.p_value)))
    assert two.mean_ranks.tolist() == [2.0, 1.0]
    assert two.critical_difference > 0
    assert (one.mean_ranks.tolist(), math.isnan(one.critical_difference)) == ([1.0], True)
    assert equal.mean_ranks.tolist() == [2.0, 2.0, 2.0]


def test_friedman_keeps_its_level_and_finds_a_difference() -> None:
    rng = np.random.default_rng(0)
    p_values = [friedman_p(rng.random((20, 4))) for _ in range(200)]
    assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.1
    assert friedman_p(rng.random((20, 4)) + np.eye(4)[3]) < 1e-3


def friedman_p(scores: np.ndarray) -> float:
    with pytest.MonkeyPatch.context() as patch:  # the quantile, which is slow, has no part in it
        patch.setattr("scipy.stats.studentized_range.ppf", lambda *_: 1.0)
        return friedman(scores).p_value


@given(table=TABLES)
def test_the_best_of_each_block_are_counted_all(table: list[list[float]]) -> None:
    wins = [0] * len(table[0])
    for row, treatment in itertools.product(table, range(len(table[0]))):
        wins[treatment] += row[treatment] == max(row)
    assert best_share(table).tolist() == [win / len(table) for win in wins]


def test_what_is_no_table_of_scores_is_one_line() -> None:
    with pytest.raises(GraphKDError, match=r"a is \[2\], b is \[1\]: give the scores pair by pair"):
        paired_difference([0.1, 0.2], [0.1])
    with pytest.raises(GraphKDError, match=r"scores are \[0\]: give an array \[n\] that is not empty"):
        paired_difference([], [])
    with pytest.raises(GraphKDError, match=r"confidence is 95, resamples is 10000: give one in \(0, 1\)"):
        paired_difference([0.1], [0.2], confidence=95)
    with pytest.raises(GraphKDError, match=r"alpha is 1: it must lie between 0 and 1"):
        friedman([[0.1, 0.2]], alpha=1)
    with pytest.raises(GraphKDError, match=r"scores are \[2\]: give an array \[N, k\] that is not empty"):
        friedman([0.1, 0.2])
    with pytest.raises(GraphKDError, match="scores hold NaN or infinite values"):
        best_share([[0.1, math.nan]])


@given(p_values=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=8))
def test_holm_rejects_what_the_steps_of_his_procedure_reject(p_values: list[float]) -> None:
    """Smallest first, each against ``level / tests left``; the first that fails keeps all the rest."""
    corrected = holm(p_values)
    for level in (0.01, 0.05, 0.3, 0.9):
        rejected, left = set(), sorted(range(len(p_values)), key=p_values.__getitem__)
        while left and p_values[left[0]] * len(left) <= level:
            rejected.add(left.pop(0))
        assert {at for at, value in enumerate(corrected) if value <= level} == rejected


def test_holm_by_hand_and_what_are_no_p_values() -> None:
    assert holm([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.8, 0.7]).tolist() == [1.0, 1.0]
    for wrong in ([1.5], [-0.1, 0.5]):
        with pytest.raises(GraphKDError, match="p values must lie between 0 and 1"):
            holm(wrong)
