import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from graphkd import GraphKDError
from graphkd.evaluation import detectable_difference, power_of_tost, tost

DIFFERENCES = st.lists(st.floats(-2, 2, width=32), min_size=2, max_size=8)


@given(differences=DIFFERENCES, margin=st.floats(0.125, 3, width=32), alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_tost_is_two_one_sided_t_tests(differences: list[float], margin: float, alpha: float) -> None:
    assume(np.std(differences) > 1e-6)
    found = tost(differences, margin, alpha)
    above = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, margin, alternative="less").pvalue
    interval = stats.ttest_1samp(differences, 0.0).confidence_interval(1 - 2 * alpha)
    assert found.p_value == pytest.approx(max(above, below), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert found.mean == pytest.approx(sum(differences) / len(differences), abs=1e-9)
    assert found.n == len(differences)
    if abs(found.p_value - alpha) > 1e-9:
        assert found.equivalent == (-margin < found.low and found.high < margin)


@given(differences=DIFFERENCES, margin=st.floats(0.125, 3, width=32), scale=st.sampled_from([-1.0, 2.0, 100.0]))
def test_neither_sign_nor_unit_matter_and_a_wider_margin_is_easier(
    differences: list[float], margin: float, scale: float
) -> None:
    first = tost(differences, margin)
    other = tost([scale * difference for difference in differences], abs(scale) * margin)
    assert other.p_value == pytest.approx(first.p_value, abs=1e-9)
    assert tost(differences, 2 * margin).p_value <= first.p_value


def test_without_spread_and_with_one_difference() -> None:
    assert [tost([mean, mean], 0.5).p_value for mean in (0.25, 0.5, -0.75)] == [0.0, 1.0, 1.0]
    assert [tost([mean, mean], 0.5).equivalent for mean in (0.25, 0.5)] == [True, False]
    one = tost([0.0], 0.5)
    assert (one.mean, one.n, one.equivalent) == (0.0, 1, False)
    assert all(map(math.isnan, (one.low, one.high, one.p_value)))


def share_equivalent(mean: float, n: int, margin: float) -> float:
    samples = np.random.default_rng(n).normal(mean, 1.0, (1500, n))
    return float(np.mean([tost(sample, margin).equivalent for sample in samples]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mean", "n", "margin"), [(0.0, 5, 1.25), (0.0, 20, 0.6), (0.25, 20, 0.75), (0.0, 3, 1.0)]
)
def test_power_is_how_often_samples_are_found_equivalent(mean: float, n: int, margin: float) -> None:
    assert power_of_tost(1.0, n, margin, difference=mean) == pytest.approx(
        share_equivalent(mean, n, margin), abs=0.035
    )


def test_at_the_margin_it_is_at_most_alpha() -> None:
    assert share_equivalent(0.8, 20, 0.8) == pytest.approx(0.05, abs=0.02)
    for n, margin in ((3, 1.0), (20, 0.8), (200, 0.5)):
        assert 0 < power_of_tost(1.0, n, margin, difference=margin) <= 0.05 + 1e-9
    assert power_of_tost(1.0, 200, 0.5, difference=0.5) == pytest.approx(0.05, abs=1e-6)


@given(n=st.integers(2, 300), margin=st.floats(0.05, 2), difference=st.floats(0, 1))
def test_power_grows_with_the_margin_and_has_no_unit(n: int, margin: float, difference: float) -> None:
    power = power_of_tost(1.0, n, margin, difference=difference)
    assert -1e-9 <= power <= power_of_tost(1.0, n, 1.5 * margin, difference=difference) + 1e-7 <= 1 + 2e-7
    assert power_of_tost(0.01, n, 0.01 * margin, difference=-0.01 * difference) == pytest.approx(power, abs=1e-7)


def test_power_in_the_limits() -> None:
    assert power_of_tost(1.0, 5, 1e6) == pytest.approx(1.0)
    assert power_of_tost(1.0, 5, 1e-6) == pytest.approx(0.0, abs=1e-9)
    assert [power_of_tost(0.0, 5, 0.5, difference=each) for each in (0.25, 0.5)] == [1.0, 0.0]
    root = 0.1 / math.sqrt(100_000)  # so many that the spread is known: 2 Φ(margin / error − 1.645) − 1
    expected = 2 * stats.norm.cdf(3 - stats.norm.isf(0.05)) - 1
    assert power_of_tost(0.1, 100_000, 3 * root) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("power", [0.8, 0.95])
@pytest.mark.parametrize("n", [5, 10, 40])
def test_a_detectable_difference_is_found_that_often(n: int, power: float) -> None:
    shift = detectable_difference(2.0, n, power=power) / 2.0 * math.sqrt(n)
    bound = stats.t.isf(0.025, n - 1)
    found = stats.nct.sf(bound, n - 1, shift) + stats.nct.cdf(-bound, n - 1, shift)
    assert found == pytest.approx(power, abs=1e-6)


def test_detectable_differences_that_are_known() -> None:
    assert detectable_difference(1.0, 34) < 0.5 < detectable_difference(1.0, 33)  # Cohen's d of 0.5 takes 34 pairs
    samples = np.random.default_rng(0).normal(detectable_difference(1.0, 3), 1.0, (4000, 3))
    assert np.mean(stats.ttest_1samp(samples, 0.0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.02)
    assert math.isfinite(detectable_difference(1.0, 2, alpha=0.001, power=0.999))
    assert detectable_difference(0.0, 5) == 0.0


def test_what_cannot_be_tested_is_one_line() -> None:
    with pytest.raises(GraphKDError, match=r"margin is 0: give the largest difference that does not matter"):
        tost([0.1, 0.2], 0)
    with pytest.raises(GraphKDError, match=r"margin is nan"):
        power_of_tost(1.0, 5, math.nan)
    with pytest.raises(GraphKDError, match=r"alpha is 0.5: it must lie between 0 and 0.5"):
        tost([0.1, 0.2], 1.0, alpha=0.5)
    with pytest.raises(GraphKDError, match=r"differences are \[0\]: give \[n\] finite numbers"):
        tost([], 0.5)
    with pytest.raises(GraphKDError, match=r"a sample of 1 pairs with standard deviation 1.0: give 2 or more"):
        power_of_tost(1.0, 1, 0.5)
    with pytest.raises(GraphKDError, match=r"power is 0.01: it must lie between alpha \(0.05\), above 0, and 1"):
        detectable_difference(1.0, 5, power=0.01)
