import pytest
import torch
import torch.nn.functional as F

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph
from graphkd.teachers import GCN
from graphkd.training.teacher_batches import Neighbours
from graphkd.training.teacher_batches import neighbours as module
from tests.conftest import make_data


def batches(size: int = 7, fanout: int | list[int] = 2, seed: int = 0, **keys) -> Neighbours:
    torch.manual_seed(0)
    model = GCN(8, 8, 3, **keys)
    return Neighbours(model, Graph.from_data(make_data()), Training(teacher_batch_size=size, fanout=fanout), seed)


def losses(batches: Neighbours, epoch: int) -> list[float]:
    return [float(terms["loss"].detach()) for terms in batches.steps(epoch)]


def test_an_epoch_is_every_training_node_once_in_an_order_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    real = module.sample_blocks

    def spy(adj, seeds, fanouts, draw):
        seen.append(seeds.tolist())
        return real(adj, seeds, fanouts, draw)

    monkeypatch.setattr(module, "sample_blocks", spy)
    way = batches()
    train, val = way.graph.train.tolist(), way.graph.val.tolist()
    orders = []
    for epoch in (0, 1):
        seen.clear()
        losses(way, epoch)
        assert [len(seeds) for seeds in seen] == [7, 7, 6]
        orders.append([node for seeds in seen for node in seeds])
        assert sorted(orders[-1]) == train
    assert orders[0] != orders[1]
    seen.clear()
    way.score()
    assert [node for seeds in seen for node in seeds] == val  # never a test node


def test_an_epoch_depends_on_seed_and_number_only() -> None:
    way = batches(dropout=0.0)
    first, second = losses(way, 0), losses(way, 1)
    assert losses(batches(dropout=0.0), 1) == second != first
    assert losses(batches(dropout=0.0, seed=1), 1) != second


def test_with_all_neighbours_and_one_batch_it_is_full_batch() -> None:
    way = batches(size=99, fanout=99, dropout=0.0)
    graph = way.graph
    logits = way.model(graph.x, graph.adj).logits
    (terms,) = way.steps(0)
    torch.testing.assert_close(terms["loss"], F.cross_entropy(logits[graph.train], graph.y[graph.train]))
    way.model.eval()
    expected = (logits[graph.val].argmax(dim=1) == graph.y[graph.val]).float().mean()
    assert way.score() == pytest.approx(float(expected))


def test_the_score_of_the_same_weights_is_the_same_in_every_epoch() -> None:
    way = batches(fanout=1)
    way.model.eval()
    drawn: list[float] = []
    for epoch in range(3):
        torch.rand(epoch)  # whatever else was drawn
        drawn.append(float(way.score()))
    assert len(set(drawn)) == 1


def test_a_list_has_one_number_per_layer() -> None:
    assert len(losses(batches(fanout=[3, 1]), 0)) == 3
    with pytest.raises(GraphKDError, match=r"training.fanout has 3 numbers, but the teacher 2 layers"):
        batches(fanout=[3, 2, 1])
