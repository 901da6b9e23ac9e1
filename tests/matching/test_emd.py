import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from torch import Tensor

from graphkd import GraphKDError
from graphkd.matching import EMD, MatchingTerm
from graphkd.matching.emd import LEAST, flow, updated
from graphkd.spec import resolve
from tests.matching.twins import squares
from tests.strategies import tables

positive = st.floats(0.01, 1.0)


def shares(values: list[float]) -> Tensor:
    weights = torch.tensor(values, dtype=torch.float64)
    return weights / weights.sum()


def programme(student: Tensor, teacher: Tensor, costs: Tensor) -> float:
    """The least cost, by a general linear programme."""
    num_student, num_teacher = costs.shape
    rows = np.kron(np.eye(num_student), np.ones(num_teacher))
    columns = np.kron(np.ones(num_student), np.eye(num_teacher))
    sums = np.concatenate([student.numpy(), teacher.numpy()])
    return float(linprog(costs.flatten().numpy(), A_eq=np.concatenate([rows, columns]), b_eq=sums).fun)


def literal_update(weights: list[float], moved: Tensor, costs: Tensor) -> list[float]:
    spent = [
        sum(a * b for a, b in zip(*rows, strict=True)) for rows in zip(moved.tolist(), costs.tolist(), strict=True)
    ]
    unit = [total / weight for total, weight in zip(spent, weights, strict=True)]
    if max(unit) <= 0:
        return weights
    unit = [max(cost, LEAST * max(unit)) for cost in unit]
    ratios = [sum(unit) / cost for cost in unit]
    return [ratio / sum(ratios) for ratio in ratios]


@given(
    student=st.lists(positive, min_size=3, max_size=3),
    teacher=st.lists(positive, min_size=4, max_size=4),
    costs=tables(3, 4),
    scale=st.sampled_from([1e-20, 1.0, 1e20]),
)
def test_the_flow_is_the_cheapest_there_is(
    student: list[float], teacher: list[float], costs: Tensor, scale: float
) -> None:
    left, right, costs = shares(student), shares(teacher), costs.abs()
    found = flow(left, right, scale * costs)
    assert found.min() >= 0
    torch.testing.assert_close(found.sum(dim=1), left)
    torch.testing.assert_close(found.sum(dim=0), right)
    assert abs(float((found * costs).sum()) - programme(left, right, costs)) < 1e-7


@given(
    weights=st.lists(positive, min_size=3, max_size=3), moved=tables(3, 4, low=0.0), costs=tables(3, 4, low=0.0)
)
def test_the_update_equals_loops(weights: list[float], moved: Tensor, costs: Tensor) -> None:
    start = shares(weights)
    found = updated(start, (moved * costs).sum(dim=1))
    expected = literal_update(start.tolist(), moved, costs)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    assert found.min() > 0
    torch.testing.assert_close(found.sum(), torch.tensor(1.0, dtype=torch.float64))


def test_cheap_layers_get_more_and_free_ones_not_all() -> None:
    half, ones = shares([1.0, 1.0]), torch.ones(2, dtype=torch.float64)
    assert updated(half, torch.tensor([1.0, 3.0]).double()).tolist() == pytest.approx([0.75, 0.25])
    assert updated(half, torch.tensor([0.0, 1.0]).double()).tolist() == pytest.approx([1 / 1.01, 0.01 / 1.01])
    assert torch.equal(updated(half, 0 * ones), half)


@given(seed=st.integers(0, 10**6), num_student=st.integers(1, 3), num_teacher=st.integers(1, 4))
def test_two_steps_equal_loops(seed: int, num_student: int, num_teacher: int) -> None:
    """Of drawn layers: of equal ones there are many cheapest flows, and which one is taken hangs on a last bit."""
    generator = torch.Generator().manual_seed(seed)
    layers = torch.randn(num_student + num_teacher, 5, 3, dtype=torch.float64, generator=generator).unbind()
    hidden, hops = list(layers[:num_student]), list(layers[num_student:])
    term = MatchingTerm.of(EMD(distance="mse"), [3] * len(hidden), [3] * len(hops))
    costs = torch.tensor([[squares(layer, hop) for hop in hops] for layer in hidden], dtype=torch.float64)
    left, right = shares([1.0] * len(hidden)), shares([1.0] * len(hops))
    for _ in range(2):
        moved = flow(left, right, costs)
        assert float(term.loss(hidden, hops)) == pytest.approx(programme(left, right, costs), abs=1e-7)
        left = shares(literal_update(left.tolist(), moved, costs))
        right = shares(literal_update(right.tolist(), moved.t(), costs.t()))
        torch.testing.assert_close(term.matching.shares, torch.cat([left, right]), atol=1e-6, rtol=1e-4)


def test_equal_layers_are_matched_to_themselves() -> None:
    layers = [torch.randn(5, 4) for _ in range(3)]
    torch.testing.assert_close(EMD().weights(layers, layers), torch.eye(3) / 3)
    assert float(MatchingTerm.of(EMD(), [4] * 3, [4] * 3).loss(layers, layers)) == pytest.approx(0, abs=1e-6)


def test_layer_weights_change_in_training_only_and_start_again_with_build() -> None:
    hidden, hops = [torch.randn(5, 4) for _ in range(2)], [torch.randn(5, 4) for _ in range(3)]
    term = MatchingTerm.of(EMD(distance="mse"), [4, 4], [4, 4, 4])
    uniform = term.matching.shares.clone()
    term.matching.weights(hidden, hops)
    term.eval().loss(hidden, hops)
    assert torch.equal(term.matching.shares, uniform)
    term.train().loss(hidden, hops)
    changed = term.matching.shares.clone()
    assert not torch.equal(changed, uniform)
    assert torch.equal(term.state_dict()["matching.shares"], changed)
    assert not torch.equal(term.matching.weights(hidden, hops), EMD(distance="mse").weights(hidden, hops))
    term.matching.build([4, 4], [4, 4, 4])
    assert torch.equal(term.matching.shares, uniform)


def test_terms_of_one_strategy_have_weights_of_their_own() -> None:
    strategy = EMD(distance="mse")
    one, two = (MatchingTerm.of(strategy, [4, 4], [4, 4]) for _ in range(2))
    one.loss([torch.randn(5, 4) for _ in range(2)], [torch.randn(5, 4) for _ in range(2)])
    assert torch.equal(two.matching.shares, torch.full((4,), 0.5, dtype=torch.float64))
    assert not hasattr(strategy, "shares")


def test_costs_that_are_not_finite_give_a_loss_that_is_not() -> None:
    hidden = [torch.full((5, 4), float("nan")), torch.zeros(5, 4)]
    term = MatchingTerm.of(EMD(distance="mse"), [4, 4], [4, 4])
    assert not term.loss(hidden, [torch.randn(5, 4) for _ in range(2)]).isfinite()


def test_without_pot_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(GraphKDError, match=r"matching=emd needs POT, .*: pip install 'graphkd\[emd\]'"):
        resolve(matching="emd").dry_run(5, 3)
