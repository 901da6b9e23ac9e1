"""Which parameters share a call of the optimiser."""

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from graphkd.training.fit.param_groups import ParamGroups
from graphkd.training.fit.train_spec import TrainSpec


def train_spec(rates: Sequence[Sequence[float]], decay: Sequence[float]) -> TrainSpec:
    """Members with one parameter per rate."""
    groups = [[{"params": [nn.Parameter(torch.ones(2))], "lr": lr} for lr in mine] for mine in rates]
    return TrainSpec(nn.Module(), lambda member: {}, groups, decay, lambda epoch: [], lambda: torch.zeros(()))


def seen(rates: ParamGroups, begun: Sequence[bool]) -> list[tuple[float, float, int]]:
    return [(group["lr"], group["weight_decay"], len(group["params"])) for group in rates.groups(begun)]


def test_equal_rates_are_one_group_whoever_has_them() -> None:
    rates = ParamGroups(train_spec([[0.1], [0.2], [0.1]], [0.5, 0.5, 0.5]))
    assert seen(rates, [True] * 3) == [(0.1, 0.5, 2), (0.2, 0.5, 1)]


def test_weights_decay_once_their_member_has_begun() -> None:
    rates = ParamGroups(train_spec([[0.1, 0.3], [0.1, 0.3]], [0.5, 0.5]))
    assert seen(rates, [False, False]) == [(0.1, 0.0, 2), (0.3, 0.0, 2)]
    assert seen(rates, [False, True]) == [(0.1, 0.0, 1), (0.3, 0.0, 1), (0.1, 0.5, 1), (0.3, 0.5, 1)]


def test_a_schedule_keeps_the_ratio_of_rates_and_the_order_of_groups() -> None:
    """A checkpoint numbers parameters in the order of their groups, whatever the rates are by then."""
    rates = ParamGroups(train_spec([[0.1, 0.2], [0.4]], [0.5, 0.5]))
    halved = rates.groups([True, True], 0.5)
    assert [group["lr"] for group in halved] == [0.05, 0.1, 0.2]
    tiny = rates.groups([True, True], 1e-320)
    assert [id(group["params"][0]) for group in tiny] == [id(group["params"][0]) for group in halved]


def test_groups_are_handed_over_only_when_they_change_and_with_what_adam_knows() -> None:
    one = train_spec([[0.1], [0.1]], [0.5, 0.5])
    rates = ParamGroups(one)
    optimizer = torch.optim.Adam(rates.groups([False, False]), betas=(0.8, 0.9))
    parameters = [group["params"][0] for member in one.groups for group in member]
    for parameter in parameters:
        parameter.grad = torch.ones(2)
    optimizer.step()
    assert not rates.hand(optimizer, [False, False])
    assert rates.hand(optimizer, [False, True])
    assert not rates.hand(optimizer, [False, True])
    assert [group["betas"] for group in optimizer.param_groups] == [(0.8, 0.9)] * 2
    optimizer.step()
    assert [float(optimizer.state[parameter]["step"]) for parameter in parameters] == [2, 2]
    # The decay is L2: of the first member nothing, of the second half of its weight, both in the second step.
    assert parameters[0].tolist() == pytest.approx([0.8, 0.8])
    assert parameters[1].tolist() != pytest.approx(parameters[0].tolist())
