import itertools
import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from graphkd.distributed.shard import Shard
from graphkd.methods import SoftTargets, Targets
from graphkd.methods.targets import mean_over
from graphkd.sparse import SparseMatrix
from graphkd.students import StudentOutput
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


def test_mean_over_weights_sum_to_one() -> None:
    assert torch.equal(mean_over(torch.tensor([0, 2]), 3), torch.tensor([0.5, 0.0, 0.5]).double())
    weighted = mean_over(torch.tensor([0, 2]), 3, torch.tensor([1.0, 9.0, 3.0]))
    assert torch.equal(weighted, torch.tensor([0.5, 0.0, 1.5]).double())


RING = torch.tensor([[0, 1, 2, 3, 0], [1, 2, 3, 0, 2]])
"""Senders and receivers of four nodes; node 2 has two senders."""


def with_edges() -> Targets:
    """Every table has in each row the number of the row; an edge from j to i weighs 10 i + j."""
    number = torch.arange(4.0)
    sender, receiver = RING
    edges = SparseMatrix.from_coo(receiver, sender, (10 * receiver + sender).double(), (4, 4))
    both = {"both": number.unsqueeze(1), "half": number.half(), "own": number.unsqueeze(1), "row": torch.arange(4)}
    return Targets(
        number.unsqueeze(1),
        torch.arange(4),
        number.double(),
        tables=both,
        edges=edges,
        neighbours=("both", "half"),
    )


def pairs_of(batch: Targets, table: torch.Tensor) -> set[tuple[int, int, int]]:
    """(receiver, sender, weight) of a batch's edges, by what a table has at their ends."""
    receiver, sender, weight = batch.ends(table)
    ends = zip(receiver.flatten().tolist(), sender.flatten().tolist(), weight.tolist(), strict=True)
    return {(int(i), int(j), int(w)) for i, j, w in ends}


def edges_into(rows: list[int]) -> set[tuple[int, int, int]]:
    return {(i, j, 10 * i + j) for j, i in RING.t().tolist() if i in rows}


def test_ends_are_receiver_and_sender_of_every_edge() -> None:
    whole = with_edges()
    assert pairs_of(whole, whole.tables["both"]) == edges_into([0, 1, 2, 3])
    assert whole.own is None
    receiver, sender, weight = whole.ends(torch.zeros(4, 2, 3))
    assert receiver.shape == sender.shape == (5, 2, 3)
    assert weight.shape == (5,)


@pytest.mark.parametrize("rows", [[2], [3, 1], [1, 3], [0, 1, 2, 3], [2, 0, 3]])
def test_a_batch_with_edges_has_its_rows_their_edges_and_the_senders(rows: list[int]) -> None:
    whole = with_edges()
    batch = whole.select(torch.tensor(rows))
    senders = {j for j, i in RING.t().tolist() if i in rows}
    inputs = batch.inputs.flatten().tolist()
    assert sorted(inputs) == sorted({*rows, *senders})
    assert batch.num_rows == len(rows)
    assert batch.scale == 4 / len(rows)
    assert [inputs[place] for place in batch.own.tolist()] == rows
    assert batch.labels.tolist() == rows
    assert batch.tables["own"].flatten().tolist() == rows
    assert batch.tables["row"].tolist() == rows
    assert batch.tables["both"].flatten().tolist() == inputs
    assert batch.edges.shape == (len(rows), len(inputs))
    assert pairs_of(batch, batch.inputs) == pairs_of(batch, batch.tables["both"]) == edges_into(rows)


def test_tables_in_half_precision_become_float32_at_both_ends_too() -> None:
    batch = with_edges().select(torch.tensor([2, 1]))
    assert batch.tables["half"].dtype == torch.float32
    assert batch.tables["row"].dtype == torch.int64


def test_own_output_has_the_rows_of_the_batch_in_their_order() -> None:
    batch = with_edges().select(torch.tensor([3, 1]))
    logits = batch.inputs.expand(-1, 3)
    member = StudentOutput(logits + 10, [])
    output = StudentOutput(logits, [logits + 1, logits + 2], [member])
    own = batch.own_output(output)
    assert own.logits[:, 0].tolist() == [3, 1]
    assert [layer[:, 0].tolist() for layer in own.hidden] == [[4, 2], [5, 3]]
    assert own.members[0].logits[:, 0].tolist() == [13, 11]
    plain = targets(torch.eye(4)).select(torch.tensor([3, 1]))
    assert plain.own_output(output) is output


def test_sparse_inputs_of_a_batch_with_edges_are_the_same_rows() -> None:
    whole = with_edges()
    batch = replace(whole, inputs=sparse(whole.inputs)).select(torch.tensor([2, 1]))
    assert torch.equal(batch.inputs.to_dense(), whole.select(torch.tensor([2, 1])).inputs)


def test_tables_are_batched_and_keep_rows_that_the_plain_loss_does_not_read() -> None:
    bare = replace(targets(torch.eye(4)), soft=None, hops=[])
    whole = replace(bare, tables={"codes": torch.arange(12.0).view(4, 3)})
    index = torch.tensor([3, 0])
    assert torch.equal(whole.select(index).tables["codes"], whole.tables["codes"][index])
    assert whole.without_idle_rows() is whole
    assert with_edges().without_idle_rows().num_rows == 4
    assert bare.without_idle_rows().num_rows == 2


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("weighted", [False, True])
def test_smoothed_labels_equal_torch_s_and_a_loop(epsilon: float, weighted: bool) -> None:
    z, y = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64), [0, 2, 1, 1, 0]
    weight = torch.tensor([0.5, 2.0, 1.25], dtype=torch.float64) if weighted else None
    labels = torch.tensor(y)
    whole = Targets(
        z, labels, torch.full((5,), 0.2, dtype=torch.float64), class_weight=weight, label_smoothing=epsilon
    )
    expected = []
    for row, label in zip(z.tolist(), y, strict=True):
        total = math.log(sum(math.exp(entry) for entry in row))
        parts = [(1.0 if weight is None else float(weight[c])) * (entry - total) for c, entry in enumerate(row)]
        expected.append(-(1 - epsilon) * parts[label] - epsilon * sum(parts) / 3)
    assert whole.cross_entropy(z, labels).tolist() == pytest.approx(expected, rel=1e-12)
    reference = F.cross_entropy(z, labels, weight, reduction="none", label_smoothing=epsilon)
    assert torch.equal(whole.cross_entropy(z, labels), reference)
    assert (-whole.label_log_p(z)[range(5), y]).tolist() == pytest.approx(expected, rel=1e-12)
    assert float(whole.label_loss(z)) == pytest.approx(sum(expected) / 5, rel=1e-12)
    halves = [float(whole.select(part).label_loss(z[part])) for part in (torch.arange(4), torch.tensor([4]))]
    assert 0.8 * halves[0] + 0.2 * halves[1] == pytest.approx(sum(expected) / 5, rel=1e-6)
