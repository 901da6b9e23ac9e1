import pytest
import torch
import torch.nn.functional as F

from graphkd import Training
from graphkd.datasets import Graph
from graphkd.teachers import GCN
from graphkd.training.teacher_batches import Partitions
from tests.conftest import make_data


def batches(seed: int = 0, data=None, **keys) -> Partitions:
    torch.manual_seed(0)
    graph = Graph.from_data(data or make_data())
    return Partitions(GCN(8, 8, 3, dropout=0.0), graph, Training(teacher_batches="partitions", **keys), seed)


def losses(batches: Partitions, epoch: int) -> list[float]:
    return [float(terms["loss"].detach()) for terms in batches.steps(epoch)]


@pytest.mark.parametrize("partitioner", ["random", "metis"])
def test_an_epoch_is_every_part_once_in_an_order_that_seed_and_number_decide(partitioner: str) -> None:
    keys = {"parts": 6, "parts_per_step": 2, "partitioner": partitioner}
    way = batches(**keys)
    first, second = losses(way, 0), losses(way, 1)
    assert len(first) == 3
    assert losses(batches(**keys), 1) == second != first
    assert losses(batches(**keys, seed=1), 1) != second


def test_all_parts_in_one_step_are_full_batch() -> None:
    way = batches(parts=5, parts_per_step=5)
    graph = way.graph
    logits = way.model(graph.x, graph.adj).logits
    (terms,) = way.steps(0)
    torch.testing.assert_close(terms["loss"], F.cross_entropy(logits[graph.train], graph.y[graph.train]))
    expected = (logits[graph.val].argmax(dim=1) == graph.y[graph.val]).float().mean()
    assert way.score() == pytest.approx(float(expected))


def test_a_step_sees_the_graph_that_its_parts_induce_and_the_score_the_same_parts_always() -> None:
    way = batches(parts=4, parts_per_step=1, partitioner="metis")
    expected = []
    for part in range(4):
        some = way.graph.subset((way._fixed == part).nonzero().squeeze(1))
        if some.train.numel():
            logits = way.model(some.x, some.adj).logits[some.train]
            expected.append(float(F.cross_entropy(logits, some.y[some.train]).detach()))
    assert sorted(losses(way, 3)) == pytest.approx(sorted(expected))
    assert way.score() == way.score()


def test_parts_without_training_nodes_take_no_step() -> None:
    data = make_data()
    data.train_mask[data.train_mask.nonzero()[1:]] = False
    assert len(losses(batches(data=data, parts=6, parts_per_step=1), 0)) == 1
