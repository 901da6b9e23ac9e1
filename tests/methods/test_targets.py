import torch

from graphkd.methods import Propagation, SoftTargets, Targets
from graphkd.methods.targets import mean_over
from tests.sparse.test_matrix import sparse


def targets(inputs: torch.Tensor) -> Targets:
    soft = SoftTargets(torch.rand(4, 2), torch.ones(4), 1.0, 1.0)
    return Targets(inputs, torch.tensor([0, 1, -1, -1]), torch.tensor([0.5, 0.5, 0, 0]), soft, [torch.rand(4, 3)])


def test_select_takes_the_same_rows_of_everything() -> None:
    whole, index = targets(sparse(torch.eye(4))), torch.tensor([3, 1])
    batch = whole.select(index)
    assert torch.equal(batch.inputs.to_dense(), torch.eye(4)[index])
    assert torch.equal(batch.labels, whole.labels[index])
    assert torch.equal(batch.soft.table, whole.soft.table[index])
    assert torch.equal(batch.hops[0], whole.hops[0][index])
    assert batch.scale == 2.0
    assert batch.select(torch.tensor([0])).scale == 4.0


def test_no_row_is_idle_while_something_is_distilled() -> None:
    whole = targets(torch.eye(4))
    assert whole.without_idle_rows() is whole


def test_defaults_need_no_graph() -> None:
    assert Targets(torch.eye(1), torch.zeros(1), torch.ones(1)).propagation == Propagation(hops=0, self_loops=1)


def test_mean_over_weights_sum_to_one() -> None:
    assert torch.equal(mean_over(torch.tensor([0, 2]), 3), torch.tensor([0.5, 0.0, 0.5]).double())
    weighted = mean_over(torch.tensor([0, 2]), 3, torch.tensor([1.0, 9.0, 3.0]))
    assert torch.equal(weighted, torch.tensor([0.5, 0.0, 1.5]).double())
