"""What every way of batching promises; a new one is covered by being named."""

import functools

import pytest
import torch
from torch import nn

import graphkd
from graphkd import GraphKDError, Training, teachers
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.registry import parameters_of
from graphkd.spec import resolve
from graphkd.teachers import GCN, SAGE, TeacherOutput
from graphkd.training.settings import TEACHER_BATCHES
from graphkd.training.stages.teacher import _key as key_of
from graphkd.training.stages.teacher import train_teacher
from graphkd.training.teacher_batches import WAYS
from tests.conftest import make_data

SMALL = functools.partial(
    Training, max_epochs=4, patience=4, teacher_lr=0.03, teacher_batch_size=7, fanout=3, parts=4, parts_per_step=2
)


def teacher_result(data=None, teacher=GCN, setting: str = "transductive", seed: int = 0, **keys):
    """The log and the result of a teacher on 60 nodes."""
    log: list[dict] = []
    factory = functools.partial(teacher, hidden_dim=8) if "hidden_dim" in parameters_of(teacher) else teacher
    spec = resolve(factory, training=SMALL(**keys), setting=setting)
    view = apply_setting(Graph.from_data(data or make_data()), setting, seed)
    return log, train_teacher(view, spec, seed, log)


def test_the_ways_are_those_that_can_be_asked_for() -> None:
    assert tuple(WAYS) == TEACHER_BATCHES


@pytest.mark.parametrize("way", TEACHER_BATCHES)
@pytest.mark.parametrize("sparse", [False, True])
def test_a_teacher_learns_and_the_same_seed_gives_the_same_bits(way: str, sparse: bool) -> None:
    data = make_data()
    data.x = data.x.to_sparse_csr() if sparse else data.x
    teacher = functools.partial(SAGE, aggregator="gcn")  # learns faster from rows that are noise
    runs = [teacher_result(data, teacher, teacher_batches=way, seed=seed) for seed in (1, 1, 2)]
    (log, one), (again, other), (_, third) = runs
    assert log == again
    assert one.output.checksum() == other.output.checksum() != third.output.checksum()
    assert log[-1]["loss"] < log[0]["loss"]
    assert one.scores["val"] > 0.5  # chance is 0.33


@pytest.mark.parametrize("way", TEACHER_BATCHES)
@pytest.mark.parametrize("setting", ["transductive", "production"])
def test_the_output_is_over_full_neighbourhoods(way: str, setting: str) -> None:
    _, result = teacher_result(setting=setting, teacher_batches=way)
    view = apply_setting(Graph.from_data(make_data()), setting)
    for graph in (view.observed, view.full):
        with torch.no_grad():
            torch.testing.assert_close(result.of(graph).hops, result.model(graph.x, graph.adj).hops)


def test_what_is_kept_for_the_backward_pass_changes_no_bit_and_no_key() -> None:
    (log, full), (again, checkpointed) = (teacher_result(teacher_batches=way) for way in ("full", "checkpointed"))
    assert log == again
    assert full.output.checksum() == checkpointed.output.checksum()
    assert full.key == checkpointed.key


def key(way: str, **keys) -> dict:
    view = apply_setting(Graph.from_data(make_data()))
    return key_of(view, resolve(training=SMALL(teacher_batches=way, **keys)), 0)


def test_settings_are_part_of_the_key_where_they_matter() -> None:
    others = {"teacher_batch_size": 9, "fanout": [2, 3], "parts": 5, "parts_per_step": 1, "partitioner": "metis"}
    matter = {"full": [], "checkpointed": [], "neighbours": list(others)[:2], "partitions": list(others)[2:]}
    for way in TEACHER_BATCHES:
        assert [name for name in others if key(way) != key(way, **{name: others[name]})] == matter[way]
    ways = [key(way) for way in ("full", "neighbours", "partitions")]
    assert all(one not in ways[:place] for place, one in enumerate(ways))


class Own(nn.Module):
    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, num_classes)

    def forward(self, x, adj) -> TeacherOutput:
        return TeacherOutput(self.linear(x))


def test_only_teachers_of_ours_can_be_taken_apart() -> None:
    graphkd.distill(make_data(), teacher=Own, training=SMALL(max_epochs=1), device="cpu")
    for way in TEACHER_BATCHES[1:]:
        with pytest.raises(GraphKDError, match=f"teacher_batches={way} needs one of graphkd.teachers, not Own"):
            graphkd.distill(make_data(), teacher=Own, training=SMALL(teacher_batches=way), device="cpu")


def test_every_teacher_can_be_trained_in_every_way() -> None:
    for name in teachers.__all__:
        part = getattr(teachers, name)
        if isinstance(part, type) and hasattr(part, "name"):
            for way in ("full",) if part.full_batch_only else TEACHER_BATCHES:
                log, _ = teacher_result(teacher=part, teacher_batches=way, max_epochs=1)
                assert len(log) == 1


def unbalanced():
    """The usual graph with three training nodes of class 0."""
    data = make_data()
    rare = ((data.y == 0) & data.train_mask).nonzero().reshape(-1)
    data.train_mask[rare[3:]] = False
    return data


@pytest.mark.parametrize("way", TEACHER_BATCHES)
def test_class_weights_are_those_of_all_training_nodes(way: str) -> None:
    graph = Graph.from_data(unbalanced())
    whole = {"teacher_batch_size": 60, "fanout": 60, "parts_per_step": 4}  # every way has one step of all nodes
    training = SMALL(teacher_batches=way, class_weight="balanced", **whole)
    model = GCN(graph.num_features, hidden_dim=8, num_classes=3, dropout=0.0).train()
    (step,) = WAYS[way](model, graph, training, 0).steps(0)
    logits, labels = model(graph.x, graph.adj).logits.double(), graph.y[graph.train].tolist()
    expected = 0.0
    for node, label in zip(graph.train.tolist(), labels, strict=True):
        weight = len(labels) / (3 * labels.count(label))
        expected -= weight * float(logits[node].log_softmax(dim=0)[label].detach()) / len(labels)
    assert float(step["loss"].detach()) == pytest.approx(expected, rel=1e-5)


def test_class_weights_change_the_teacher_and_its_key_and_none_leaves_both() -> None:
    keys, outputs = [], []
    for keywords in ({}, {"class_weight": "none"}, {"class_weight": "balanced"}):
        _, result = teacher_result(unbalanced(), **keywords)
        keys.append(result.key)
        outputs.append(result.output.checksum())
    assert keys[0] == keys[1] != keys[2]
    assert outputs[0] == outputs[1] != outputs[2]


def test_a_loss_that_takes_no_class_weights_is_refused() -> None:
    class Own(GCN):
        name = "own"

        def loss(self, output, labels, index):
            return super().loss(output, labels, index)

    with pytest.raises(GraphKDError, match=r"^teacher=own has a loss without class weights: leave training"):
        teacher_result(unbalanced(), Own, class_weight="balanced")
    with pytest.raises(GraphKDError, match=r"^teacher=own has a loss without label smoothing: leave training"):
        teacher_result(unbalanced(), Own, teacher_label_smoothing=0.1)


@pytest.mark.parametrize("way", TEACHER_BATCHES)
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_labels_are_smoothed_in_every_way(way: str, class_weight: str) -> None:
    graph, epsilon = Graph.from_data(unbalanced()), 0.2
    whole = {"teacher_batch_size": 60, "fanout": 60, "parts_per_step": 4}  # every way has one step of all nodes
    training = SMALL(teacher_batches=way, teacher_label_smoothing=epsilon, class_weight=class_weight, **whole)
    model = GCN(graph.num_features, hidden_dim=8, num_classes=3, dropout=0.0).train()
    (step,) = WAYS[way](model, graph, training, 0).steps(0)
    logits, labels = model(graph.x, graph.adj).logits.double().detach(), graph.y[graph.train].tolist()
    weight = [len(labels) / (3 * labels.count(c)) if class_weight == "balanced" else 1.0 for c in range(3)]
    expected = 0.0
    for node, label in zip(graph.train.tolist(), labels, strict=True):
        for c, log_p in enumerate(logits[node].log_softmax(dim=0).tolist()):
            target = (1 - epsilon) * (c == label) + epsilon / 3
            expected -= weight[c] * target * log_p / len(labels)
    assert float(step["loss"].detach()) == pytest.approx(expected, rel=1e-5)
