import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.influence.distribution import QUANTILES, Distribution, Variation

WEIGHTS = st.lists(st.sampled_from([0.0, 0.125, 0.3, 0.5, 1.0]), min_size=1, max_size=15)


def quantile(values: list[float], share: float) -> float:
    """Between the two values beside place ``share (n − 1)``, in proportion."""
    ordered, place = sorted(values), share * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@given(values=WEIGHTS)
def test_the_figures_are_those_of_their_definitions(values: list[float]) -> None:
    found, n = Distribution.of(torch.tensor(values, dtype=torch.float64)), len(values)
    mean = sum(values) / n
    assert found.mean == pytest.approx(mean)
    assert found.std == pytest.approx(math.sqrt(sum((value - mean) ** 2 for value in values) / n), abs=1e-12)
    assert (found.low, found.high) == (min(values), max(values))
    assert found.quantiles == pytest.approx([quantile(values, share) for share in QUANTILES])
    assert (found.zeros, found.ones) == (values.count(0.0) / n, values.count(1.0) / n)
    assert found.distinct == len(set(values))


@given(values=WEIGHTS)
def test_variation_compares_with_equal_weights(values: list[float]) -> None:
    found, n, total = Variation.of(torch.tensor(values, dtype=torch.float64)), len(values), sum(values)
    assert found.nodes == n
    if total == 0:
        assert (found.coefficient, found.distance) == (0.0, 0.0)
        return
    mean = total / n
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / n)
    assert found.coefficient == pytest.approx(spread / mean, abs=1e-12)
    assert found.distance == pytest.approx(sum(abs(value / total - 1 / n) for value in values) / 2, abs=1e-12)
    # Jensen: the mean deviation is no more than the standard deviation.
    assert 2 * found.distance <= found.coefficient + 1e-12


def test_all_weight_on_one_node_has_moved_all_but_its_share() -> None:
    found = Variation.of(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    assert (found.distance, found.coefficient) == (0.75, pytest.approx(math.sqrt(3)))
