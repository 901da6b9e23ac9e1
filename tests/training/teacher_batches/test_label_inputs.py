"""A teacher that reads a part of the training labels in every epoch."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import graphkd
from graphkd import GraphKDError, Training, methods
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.spec import DistillSpec, resolve
from graphkd.teachers import GCN, TeacherOutput
from graphkd.testing.killed import KilledError, MortalCache, checkpoint_after_every_epoch
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.teacher import TeacherResult, train_teacher
from graphkd.training.teacher_batches.label_inputs import LabelInputs
from tests.conftest import make_data

SHORT = Training(max_epochs=5, patience=5, teacher_label_rate=0.5, teacher_label_reuse=1)


class Seen(GCN):
    """Keeps what it read."""

    def forward(self, x, adj, edge_weight=None, checkpointed=False):
        self.read = x
        return super().forward(x, adj, edge_weight, checkpointed)


def spec_of(training: Training = SHORT, **parts) -> DistillSpec:
    return resolve(functools.partial(GCN, hidden_dim=8), training=training, **parts)


def trained(graph: Graph, cache: StageCache | None = None, setting: str = "transductive") -> TeacherResult:
    return train_teacher(apply_setting(graph, setting), spec_of(setting=setting), 1, [], cache)


def shown_in(batches: LabelInputs, epoch: int) -> tuple[list[int], float]:
    (step,) = batches.steps(epoch)
    known = batches.model.read[:, -3:]
    assert torch.equal(known.sum(dim=1) > 0, (known == 1).any(dim=1))
    return known.sum(dim=1).nonzero().reshape(-1).tolist(), float(step["loss"].detach())


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.99])
def test_a_drawn_part_is_read_and_the_loss_is_that_of_the_others(rate: float) -> None:
    graph = Graph.from_data(make_data())
    model = Seen(graph.num_features + 3, hidden_dim=8, num_classes=3, dropout=0.0).train()
    training = Training(teacher_label_rate=rate)
    batches, train = LabelInputs(model, graph, training, 0), graph.train.tolist()
    shown, loss = shown_in(batches, 4)
    assert len(shown) == min(round(rate * len(train)), len(train) - 1)
    assert set(shown) <= set(train)
    logits = model(model.read, graph.adj).logits.detach().double()
    others = [node for node in train if node not in shown]
    expected = sum(-float(logits[node].log_softmax(dim=0)[graph.y[node]]) for node in others) / len(others)
    assert loss == pytest.approx(expected, rel=1e-5)
    again = LabelInputs(model, graph, training, 0)
    assert shown_in(again, 4) == (shown, loss)
    if rate == 0.3:
        assert len({tuple(shown_in(batches, epoch)[0]) for epoch in range(5)}) > 1
        assert shown_in(LabelInputs(model, graph, training, 1), 4)[0] != shown


def test_labels_of_test_nodes_change_no_bit_of_a_teacher() -> None:
    graph = Graph.from_data(make_data())
    other = replace(graph, y=graph.y.clone())
    other.y[graph.test] = (other.y[graph.test] + 1) % 3
    one, two = trained(graph), trained(other)
    assert one.output.checksum() == two.output.checksum()
    assert one.scores["test"] != two.scores["test"]


def test_hidden_nodes_are_answered_in_production() -> None:
    result = trained(Graph.from_data(make_data()), setting="production")
    view = apply_setting(Graph.from_data(make_data()), "production")
    assert result.of(view.full).logits.shape == (60, 3)
    assert torch.equal(result.of(view.observed).logits, result.output.logits)
    assert 0 <= result.scores["test"] <= 1


@pytest.mark.parametrize("life", [1, 3])
def test_a_killed_teacher_goes_on_with_the_same_bits(life: int, tmp_path: Path) -> None:
    graph = Graph.from_data(make_data())
    whole = trained(graph)
    with checkpoint_after_every_epoch():
        while True:
            try:
                cut = trained(graph, MortalCache(tmp_path, life))
                break
            except KilledError:
                torch.rand(3)
    assert cut.output.checksum() == whole.output.checksum()


def test_a_saved_teacher_answers_as_it_was_trained(tmp_path: Path) -> None:
    data = make_data()
    run = graphkd.distill(data, training=SHORT, baseline=False, device="cpu")
    run.save(tmp_path / "run", save_teacher=True)
    saved = graphkd.load_run(tmp_path / "run", data=data)
    expected = run.result.teacher_result.output
    assert torch.equal(saved.teacher_output().logits, expected.logits)
    assert saved.teacher().convs[0].linear.in_features == data.x.shape[1] + 3


def test_what_cannot_go_with_labels_is_refused() -> None:
    with pytest.raises(GraphKDError, match=r"^training.teacher_label_rate is of a teacher that the run trains"):
        resolve(TeacherOutput(torch.zeros(60, 3)), training=SHORT)
    with pytest.raises(GraphKDError, match=r"method=tined copies the teacher's layers, which read labels as well"):
        spec_of(method=methods.TINED())
