import itertools
from dataclasses import replace

import pytest
import torch

from graphkd.distributed.shard import Shard
from graphkd.features import Propagation
from graphkd.methods import SoftTargets, Targets
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


@pytest.mark.parametrize("kept", ["soft", "hops", "neither"])
def test_either_a_teacher_or_a_matching_reads_every_row(kept: str) -> None:
    whole = targets(torch.eye(4))
    some = replace(whole, soft=whole.soft if kept == "soft" else None, hops=whole.hops if kept == "hops" else [])
    if kept == "neither":
        assert some.without_idle_rows().labels.tolist() == [0, 1]
        assert some.without_idle_rows().scale == 1.0
    else:
        assert some.without_idle_rows() is some


@pytest.mark.parametrize("ends", [[0, 6], [0, 3, 6], [0, 1, 6], [0, 2, 3, 6], [0, 1, 2, 3, 4, 5, 6]])
@pytest.mark.parametrize("batch", [6, 12])
def test_parts_of_a_batch_add_up_to_it(ends: list[int], batch: int) -> None:
    """What several processes compute of one, its constant included."""
    draw = torch.Generator().manual_seed(0)
    table, logits = (torch.rand(6, 3, generator=draw, dtype=torch.float64) for _ in range(2))
    soft = SoftTargets(table, table.sum(dim=1), 0.75, 1.3)
    whole = replace(
        targets(torch.eye(6)), labels=torch.arange(6) % 3, label_weight=torch.rand(6), soft=soft, hops=[]
    )
    scale, rows = batch / 6, [slice(*pair) for pair in itertools.pairwise(ends)]
    parts = [
        whole.batch(whole.inputs[part], lambda each, part=part: each[part], part.stop - part.start).as_shard(
            Shard(part, 6), scale
        )
        for part in rows
    ]
    assert [part.scale for part in parts] == [scale] * len(parts)
    told = sum(part.soft.loss(logits[own], part.scale) for part, own in zip(parts, rows, strict=True))
    torch.testing.assert_close(told, soft.loss(logits, scale))
    label = sum(part.label_loss(logits[own]) for part, own in zip(parts, rows, strict=True))
    torch.testing.assert_close(label, scale * whole.label_loss(logits))


@pytest.mark.parametrize("reverse", [False, True])
def test_equal_batches_estimate_the_loss_of_all_rows(reverse: bool) -> None:
    """Their mean is the whole, for labels and for what is distilled, in both directions."""
    draw = torch.Generator().manual_seed(0)
    table, logits = (torch.rand(6, 3, generator=draw, dtype=torch.float64) for _ in range(2))
    soft = SoftTargets(table, table.sum(dim=1), 0.0 if reverse else 0.75, 1.3, reverse)
    weight = torch.tensor([0.5, 0.25, 0.0, 0.75, 1.0, 0.125], dtype=torch.float64)
    whole = Targets(torch.eye(6), torch.tensor([0, 1, -1, 2, 1, 0]), weight, soft)
    for size in (1, 2, 3):
        parts = torch.randperm(6, generator=draw).split(size)
        batches = [whole.select(part) for part in parts]
        assert [batch.scale for batch in batches] == [6 / size] * len(parts)
        label, told = (
            torch.stack([loss(batch, logits[part]) for batch, part in zip(batches, parts, strict=True)]).mean()
            for loss in (Targets.label_loss, lambda batch, z: batch.soft.loss(z, batch.scale))
        )
        torch.testing.assert_close(label, whole.label_loss(logits))
        torch.testing.assert_close(told, soft.loss(logits))


def test_defaults_need_no_graph() -> None:
    assert Targets(torch.eye(1), torch.zeros(1), torch.ones(1)).propagation == Propagation(hops=0, self_loops=1)


def test_mean_over_weights_sum_to_one() -> None:
    assert torch.equal(mean_over(torch.tensor([0, 2]), 3), torch.tensor([0.5, 0.0, 0.5]).double())
    weighted = mean_over(torch.tensor([0, 2]), 3, torch.tensor([1.0, 9.0, 3.0]))
    assert torch.equal(weighted, torch.tensor([0.5, 0.0, 1.5]).double())
