"""The folded divergences of labels and numbers against their literal sums, in float64."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from graphkd.methods.fold import edge_targets, node_targets
from graphkd.sparse import Adjacency
from graphkd.tasks import Multilabel, Regression, Task

TASKS = {"multilabel": Multilabel(), "regression": Regression()}
N, C = 12, 4


def divergence(task: str, one: Tensor, other: Tensor, tau: float) -> Tensor:
    """``KL(one ‖ other)`` of each row, by torch's distributions: the mean over its outputs."""
    if task == "multilabel":
        return kl_divergence(Bernoulli(logits=one / tau), Bernoulli(logits=other / tau)).mean(dim=-1)
    unit = torch.ones_like(one)
    return kl_divergence(Normal(one / tau, unit), Normal(other / tau, unit)).mean(dim=-1)


def logits(seed: int) -> Tensor:
    return 2 * torch.randn(N, C, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def weights() -> Adjacency:
    draw = torch.Generator().manual_seed(5)
    edges = torch.randint(N, (2, 40), generator=draw)
    return Adjacency(edges, N, torch.rand(40, generator=draw))


@pytest.mark.parametrize("tau", [1.0, 2.5])
@pytest.mark.parametrize("name", TASKS)
def test_node_targets_are_the_mean_divergence(name: str, tau: float) -> None:
    teacher, student = logits(0), logits(1).requires_grad_()
    folded = node_targets(teacher, tau, task=TASKS[name]).loss(student)
    literal = divergence(name, teacher, student, tau).mean()
    torch.testing.assert_close(folded, literal, rtol=1e-12, atol=1e-12)
    one, two = (torch.autograd.grad(each, student)[0] for each in (folded, literal))
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", TASKS)
def test_edge_targets_are_the_weighted_sum(name: str, reverse: bool) -> None:
    teacher, student, adj, tau = logits(0), logits(1).requires_grad_(), weights(), 1.5
    receivers, senders = (torch.rand(N, dtype=torch.float64) for _ in range(2))
    soft = edge_targets(teacher, adj.matrix, tau, reverse, receivers, senders, task=TASKS[name])
    row, col, weight = adj.matrix.row, adj.matrix.col, adj.matrix.value.double()
    ends = (student[row], teacher[col]) if reverse else (teacher[col], student[row])
    literal = (receivers[row] * weight * senders[col] * divergence(name, *ends, tau)).sum()
    torch.testing.assert_close(soft.loss(student), literal, rtol=1e-11, atol=1e-11)
    one, two = (torch.autograd.grad(each, student)[0] for each in (soft.loss(student), literal))
    torch.testing.assert_close(one, two, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", TASKS)
def test_targets_fold_again_with_other_outputs(name: str) -> None:
    soft, student = edge_targets(logits(0), weights().matrix, 1.0, task=TASKS[name]), logits(1)
    soft.refold(logits=logits(2))
    again = edge_targets(logits(2), weights().matrix, 1.0, task=TASKS[name])
    assert torch.equal(soft.loss(student), again.loss(student))


@pytest.mark.parametrize("task", [*TASKS.values()], ids=TASKS)
def test_the_mean_is_the_gradient_of_the_log_partition(task: Task) -> None:
    z = logits(3).requires_grad_()
    (gradient,) = torch.autograd.grad(task.log_partition(z).sum(), z)
    torch.testing.assert_close(gradient, task.mean(z), rtol=1e-12, atol=1e-12)
    entropy = (task.mean(z) * z).sum(dim=1) - task.log_partition(z)
    torch.testing.assert_close(task.negative_entropy(z), entropy)
