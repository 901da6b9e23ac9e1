from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.methods import SoftTargets, Targets
from graphkd.methods.fold import edge_targets, node_targets
from graphkd.sparse import SparseMatrix
from graphkd.training.fit.batches import Batches
from tests.strategies import patterns, seeded, tables

CPU = torch.device("cpu")


def weighted(pattern: SparseMatrix, seed: int) -> SparseMatrix:
    values = torch.rand(pattern.nnz, generator=seeded(seed), dtype=torch.float64)
    return pattern.with_values(values * (values > 0.3))


def parts(soft: SoftTargets) -> tuple[torch.Tensor, ...]:
    return soft.table, soft.row_weight, torch.as_tensor(soft.constant)


def assert_same(one: SoftTargets, two: SoftTargets) -> None:
    for mine, other in zip(parts(one), parts(two), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-14)


@given(
    pattern=patterns(6, 6),
    teacher=tables(6, 3),
    other=tables(6, 3),
    reverse=st.booleans(),
    scaled=st.booleans(),
    change=st.sampled_from(["weights", "logits", "both", "neither"]),
)
def test_folding_again_is_folding_anew_into_the_same_memory(
    pattern: SparseMatrix, teacher: torch.Tensor, other: torch.Tensor, reverse: bool, scaled: bool, change: str
) -> None:
    """Of weights and logits, what is not given stays; senders' and receivers' factors always do."""
    factor = torch.linspace(0.5, 1.5, 6).double() if scaled else None
    soft = edge_targets(teacher, weighted(pattern, 0), 1.3, reverse, factor, factor)
    memory = [part.data_ptr() for part in parts(soft)]
    new = {"weights": weighted(pattern, 1), "logits": other}
    new = {name: value for name, value in new.items() if change in (name, "both")}
    soft.refold(**new)
    now = {"weights": weighted(pattern, 0), "logits": teacher, **new}
    assert_same(soft, edge_targets(now["logits"], now["weights"], 1.3, reverse, factor, factor))
    assert [part.data_ptr() for part in parts(soft)] == memory
    assert soft.fold.logits is now["logits"]


def test_what_is_changed_stays_changed_at_the_next_time() -> None:
    pattern = SparseMatrix.pattern(torch.tensor([0, 1, 2]), torch.tensor([1, 2, 2]), (3, 3))
    one, two = (torch.randn(3, 4, generator=seeded(k), dtype=torch.float64) for k in range(2))
    soft = edge_targets(one, weighted(pattern, 0), 0.7)
    soft.refold(logits=two)
    soft.refold(weights=weighted(pattern, 5))
    assert_same(soft, edge_targets(two, weighted(pattern, 5), 0.7))


def test_targets_of_nodes_take_other_logits() -> None:
    one, two = (torch.randn(5, 3, generator=seeded(k), dtype=torch.float64) for k in range(2))
    soft = node_targets(one, 2.0)
    table = soft.table
    soft.refold(logits=two)
    assert soft.table is table
    assert_same(soft, node_targets(two, 2.0))


@pytest.mark.parametrize("size", [None, 2, 100])
def test_all_batches_that_share_it_have_the_new_targets(size: int | None) -> None:
    """Constant, table and row weights, of batches of this epoch and of the next."""
    one, two = (torch.randn(5, 3, generator=seeded(k)) for k in range(2))
    whole = Targets(torch.arange(5.0).unsqueeze(1), torch.arange(5), torch.ones(5), node_targets(one, 1.0))
    batches = Batches(whole, size, 0, CPU, moves=True)
    held = list(batches.epoch(0)) if size != 2 else []
    whole.refold(logits=two)
    after = node_targets(two, 1.0)
    for batch in (*held, *batches.epoch(1)):
        rows = batch.labels
        torch.testing.assert_close(batch.soft.table, after.table[rows])
        torch.testing.assert_close(batch.soft.row_weight, after.row_weight[rows])
        torch.testing.assert_close(torch.as_tensor(batch.soft.constant), after.constant)
    shared = replace(whole, soft=replace(whole.soft, adjust=lambda logits: 2 * logits))
    whole.refold(logits=one)
    assert torch.equal(shared.soft.table, node_targets(one, 1.0).table)


def test_a_constant_of_a_batch_moves_with_the_whole() -> None:
    one, two = (3 * torch.randn(5, 3, generator=seeded(k), dtype=torch.float64) for k in range(2))
    whole = Targets(torch.eye(5), torch.zeros(5).long(), torch.ones(5), node_targets(one, 1.0))
    batch = whole.select(torch.tensor([1, 4]))
    whole.refold(logits=two)
    assert float(batch.soft.constant) == pytest.approx(float(node_targets(two, 1.0).constant), rel=1e-12)
    assert float(whole.soft.loss(two)) == pytest.approx(0.0, abs=1e-12)  # of a student that equals its teacher


def test_without_a_fold_it_is_refused() -> None:
    soft = SoftTargets(torch.ones(2, 3), torch.ones(2), 0.0, 1.0)
    with pytest.raises(GraphKDError, match="these soft targets keep no fold: make them by node_targets"):
        soft.refold(logits=torch.ones(2, 3))
    whole = Targets(torch.eye(2), torch.zeros(2).long(), torch.ones(2), node_targets(torch.ones(2, 3), 1.0))
    with pytest.raises(GraphKDError, match="keep no fold"):
        whole.without_fold().refold(logits=torch.ones(2, 3))
    with pytest.raises(GraphKDError, match="there are no soft targets to fold again"):
        replace(whole, soft=None).refold(logits=torch.ones(2, 3))


def test_logits_are_adjusted_before_they_are_compared() -> None:
    teacher, z = (torch.randn(5, 3, generator=seeded(k), dtype=torch.float64) for k in range(2))
    soft = node_targets(teacher, 1.3)
    adjusted = replace(soft, adjust=lambda logits: 0.5 * logits - logits.mean(dim=1, keepdim=True))
    torch.testing.assert_close(adjusted.loss(z), soft.loss(0.5 * z - z.mean(dim=1, keepdim=True)))
