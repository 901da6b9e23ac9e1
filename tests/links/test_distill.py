"""Runs are deterministic, better than chance, and read nothing that is hidden."""

import dataclasses

import pytest
import torch
from torch_geometric.data import Data

import graphkd
from graphkd.errors import GraphKDError
from graphkd.links import GLNN, LLP, LinkGraph, LinkTraining, distill, train_teacher
from graphkd.links.heuristics import HEURISTICS
from graphkd.links.student import make_signal
from tests.links.conftest import community_graph

QUICK = LinkTraining(max_epochs=40, patience=40, hidden_dim=16, embedding_dim=8, dropout=0.2, lr=0.02)
ONCE = dataclasses.replace(QUICK, max_epochs=1)


@pytest.mark.parametrize("setting", ["transductive", "inductive"])
@pytest.mark.parametrize("method", ["llp", "glnn"])
def test_students_beat_chance(data: Data, method: str, setting: str) -> None:
    run = distill(data, "sage", method, setting=setting, training=QUICK)
    assert run.metrics["setting"] == setting
    for model in ("teacher", "student", "mlp"):
        assert run.metrics[model]["auc"] > 0.7, model
        assert set(run.metrics[model]) == {"val_auc", "auc", "ap", "hits@20", "hits@50", "mrr"}
    assert run.fits["student"].val_auc == pytest.approx(run.metrics["student"]["val_auc"], abs=1e-3)
    assert run.predictor.num_nodes == 60


@pytest.mark.parametrize("decoder", ["dot", "hadamard", "bilinear"])
def test_a_seed_gives_one_run(data: Data, decoder: str) -> None:
    batched = dataclasses.replace(ONCE, max_epochs=2, batch_size=40)
    runs = [distill(data, "gcn", "llp", decoder, seed, training=batched) for seed in (3, 3, 4)]
    assert runs[0].metrics == runs[1].metrics
    assert torch.equal(runs[0].predictor.table, runs[1].predictor.table)
    assert not torch.equal(runs[0].predictor.table, runs[2].predictor.table)


@pytest.mark.parametrize("teacher", HEURISTICS)
def test_heuristics_teach(data: Data, teacher: str) -> None:
    run = distill(data, teacher, "glnn", training=ONCE, baseline=False)
    assert run.metrics["teacher"]["auc"] > 0.7
    assert "mlp" not in run.metrics
    assert set(run.fits) == {"student"}


def test_labels_alone_need_no_teacher(data: Data) -> None:
    run = distill(data, method="mlp", training=ONCE)
    assert run.teacher is None
    assert run.metrics["mlp"] == run.metrics["student"]
    assert "teacher" not in run.metrics


def test_a_teacher_serves_several_students(data: Data) -> None:
    graph = LinkGraph.from_data(data)
    teacher = train_teacher(graph, "sage", training=ONCE)
    alone = distill(data, "sage", GLNN(lam=0.3), training=ONCE)
    again = distill(graph, teacher, GLNN(lam=0.3), training=ONCE)
    assert again.metrics == alone.metrics
    assert again.predictor.card["lam"] == 0.3


def test_batches_of_all_edges_are_the_whole(data: Data) -> None:
    graph = LinkGraph.from_data(data)
    whole = distill(graph, "aa", "mlp", training=ONCE)
    one = distill(graph, "aa", "mlp", training=dataclasses.replace(ONCE, batch_size=10**6))
    assert one.metrics == whole.metrics


@pytest.mark.parametrize("teacher", ["sage", "aa"])
def test_nothing_of_a_hidden_node_reaches_training(teacher: str) -> None:
    """Rows of hidden nodes, and which of them have an edge, change nothing that a student learns from."""
    data = community_graph()
    graph = LinkGraph.from_data(data, setting="inductive")
    split = graph.split
    hidden = torch.ones(60, dtype=torch.bool)
    hidden[split.observed] = False
    other = data.clone()
    other.x[hidden] = 100.0
    changed = dataclasses.replace(
        split, shown=split.shown[:1], test=split.test[:2], test_negative=split.test_negative[3:]
    )
    moved = LinkGraph.from_data(other, split=changed)
    for name in ("train", "val", "val_negative", "x"):
        assert torch.equal(getattr(graph.training, name), getattr(moved.training, name)), name
    assert graph.training.adj.matrix.equals(moved.training.adj.matrix)
    for method in (LLP(), GLNN()):
        signals = []
        for each in (graph, moved):
            taught = train_teacher(each, teacher, training=ONCE)
            signals.append(make_signal(each.training, taught, method, 2, seed=0))
        for name in ("positive", "negative", "positive_target", "negative_target", "context_target"):
            first, second = (getattr(signal, name) for signal in signals)
            assert (first is None and second is None) or torch.equal(first, second), name
    runs = [distill(each, teacher, "llp", training=ONCE, baseline=False) for each in (graph, moved)]
    assert torch.equal(runs[0].predictor.table[~hidden], runs[1].predictor.table[~hidden])


def test_training_pairs_hold_no_held_out_edge(data: Data) -> None:
    graph = LinkGraph.from_data(data)
    edges = {tuple(pair) for pair in graph.split.train.tolist()}
    negatives = graph.training.negatives(5, seed=0)
    assert negatives.shape[1:] == (len(edges), 2)
    assert not {tuple(pair) for pair in negatives.reshape(-1, 2).tolist()} & edges


WRONG = {
    "teacher": ({"teacher": "sag"}, "unknown teacher 'sag': did you mean 'sage'"),
    "method": ({"method": "logit"}, "unknown method 'logit': choose one of mlp, glnn, llp"),
    "decoder": ({"decoder": "cosine"}, "links.decoder is 'cosine'"),
    "setting": ({"setting": "cold"}, "links.setting is 'cold'"),
    "seed": ({"seed": -3}, "seed is -3"),
    "no edges": ({"data": Data(x=torch.ones(3, 2))}, r"data needs x \[N, D\] and edge_index"),
    "no rows": ({"data": Data(edge_index=torch.zeros(2, 0).long())}, r"data needs x \[N, D\]"),
    "outside": ({"data": Data(x=torch.ones(3, 2), edge_index=torch.tensor([[0], [3]]))}, "names nodes 0 to 3"),
    "nan": (
        {"data": Data(x=torch.full((3, 2), float("nan")), edge_index=torch.tensor([[0], [1]]))},
        "data.x holds NaN or infinite values",
    ),
    "few edges": (
        {"data": Data(x=torch.ones(3, 2), edge_index=torch.tensor([[0], [1]]))},
        "leaves no edge for val",
    ),
    "diverging": ({"training": dataclasses.replace(QUICK, lr=1e6, max_epochs=5)}, "choose a smaller"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_distilled_is_one_line(data: Data, case: str) -> None:
    changed, message = WRONG[case]
    if case == "diverging":
        data.x = 1e20 * data.x
    with pytest.raises(GraphKDError, match=message) as caught:
        distill(**{"data": data, "training": QUICK, **changed})
    assert "\n" not in str(caught.value)


def test_a_split_of_another_graph_is_one_line(data: Data) -> None:
    split = LinkGraph.from_data(community_graph(40)).split
    with pytest.raises(GraphKDError, match="the split has 40 nodes, but x 60 rows"):
        distill(data, split=split)


def test_it_is_reached_from_the_package() -> None:
    assert graphkd.links.distill is distill
