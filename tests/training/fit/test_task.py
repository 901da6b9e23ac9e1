import copy

import pytest
import torch

from graphkd.matching import Forward, MatchingTerm
from graphkd.methods import GLNN, Targets
from graphkd.methods.fold import node_targets
from graphkd.students import MLP
from graphkd.training.fit.task import DistillationTask


def test_the_loss_is_the_method_s_plus_the_weighted_matching_term() -> None:
    torch.manual_seed(0)
    student = MLP(3, 4, 2, 2, dropout=0.0)
    targets = Targets(
        torch.randn(5, 3), torch.zeros(5).long(), torch.full((5,), 0.2), node_targets(torch.randn(5, 2), 1.0)
    )
    plain = DistillationTask(student, GLNN())(targets)
    matched = targets.with_hops([torch.randn(5, 4)])
    both = DistillationTask(student, GLNN(), [MatchingTerm.of(Forward(weight=3.0), [4], [4])])(matched)
    assert set(plain) == {"loss", "label", "soft"}
    assert set(both) == {"loss", "label", "soft", "method", "matching"}
    torch.testing.assert_close(both["method"], plain["loss"])
    torch.testing.assert_close(both["loss"], plain["loss"] + 3.0 * both["matching"])


def test_what_the_matching_trains_has_a_rate_of_its_own_where_one_is_set() -> None:
    student, moved = MLP(3, 4, 2, 2, dropout=0.0), []
    for lr in (None, 0.5):
        matching = Forward(projection="linear", lr=lr)
        task = DistillationTask(copy.deepcopy(student), GLNN(), [MatchingTerm.of(matching, [4], [4])])
        groups = task.parameter_groups(0.125)
        assert [group["lr"] for group in groups] == [0.125, lr or 0.125]
        listed = [parameter for group in groups for parameter in group["params"]]
        assert {id(parameter) for parameter in listed} == {id(parameter) for parameter in task.parameters()}
        assert len(listed) == len(list(task.parameters()))
        # Adam's first step is the rate, whatever the gradient.
        before = [parameter.detach().clone() for parameter in listed]
        for parameter in listed:
            parameter.grad = torch.ones_like(parameter)
        torch.optim.Adam(groups).step()
        moved.append([float((old - new.detach()).abs().max()) for old, new in zip(before, listed, strict=True)])
    assert moved[0] == pytest.approx([0.125] * 5, rel=1e-5)
    assert moved[1] == pytest.approx([0.125] * 4 + [0.5], rel=1e-5)


def test_a_matching_without_parameters_has_no_group() -> None:
    task = DistillationTask(MLP(3, 4, 2, 2), GLNN(), [MatchingTerm.of(Forward(lr=0.5), [4], [4])])
    assert [group["lr"] for group in task.parameter_groups(0.125)] == [0.125]
