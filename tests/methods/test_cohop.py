from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.encoders import Labels
from graphkd.methods import CoHOp, Epoch, Targets
from graphkd.methods.base import Student
from graphkd.runs import SeedRun
from graphkd.spec import resolve
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph
from graphkd.training import Training
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, seeded, tables

NO_TEACHER = TeacherOutput(torch.zeros(6, 4))


def started(method: CoHOp, edges: torch.Tensor) -> tuple[Graph, Targets]:
    """Targets of six nodes whose features are their numbers; buffers are registered."""
    graph = graph_of(edges, 6, torch.arange(6.0, dtype=torch.float64).unsqueeze(1))
    targets = method.prepare(graph, NO_TEACHER)
    method.build(torch.nn.Identity, targets, NO_TEACHER)
    return graph, targets


def knows(logits: torch.Tensor) -> Student:
    """A student that has the logits of every node by heart."""
    return lambda inputs: StudentOutput(logits[inputs[:, 0].long()], [])


def epoch(number: int, logits: torch.Tensor) -> Epoch:
    return Epoch(number, 100, 0, torch.device("cpu"), lambda: logits)


def formula(z: torch.Tensor, labels: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    mine = (labels >= 0).nonzero().reshape(-1)
    label = literal.label_loss(z, labels, mine, torch.ones(6))
    return label + 0.3 * formulas.consistency_loss(z, edges)


@settings(max_examples=20)
@given(edges=edge_lists(6), student=tables(6, 4))
def test_the_loss_of_a_round_equals_loops_over_nodes_and_neighbours(
    edges: torch.Tensor, student: torch.Tensor
) -> None:
    method = CoHOp(consistency=0.3)
    _, targets = started(method, edges)
    labels = torch.tensor([0, 1, 0, -1, -1, -1])
    assert torch.equal(method.pseudo_label, labels)
    assert_same_loss(
        lambda z: method.training_step(knows(z), targets)["loss"],
        lambda z: formula(z, labels, edges),
        student,
        scale=2.0,
        tolerance=1e-10,
    )


@settings(max_examples=15)
@given(edges=edge_lists(6), student=tables(6, 4), order=st.permutations(range(6)), size=st.integers(1, 5))
def test_batches_have_the_loss_of_the_formula_in_the_mean(
    edges: torch.Tensor, student: torch.Tensor, order: list[int], size: int
) -> None:
    method = CoHOp(consistency=0.3)
    _, targets = started(method, edges)

    def in_batches(z: torch.Tensor) -> torch.Tensor:
        parts = [targets.select(part) for part in torch.tensor(order).split(size)]
        losses = [method.training_step(knows(z), part)["loss"] * part.num_rows / 6 for part in parts]
        return torch.stack(losses).sum()

    labels = torch.tensor([0, 1, 0, -1, -1, -1])
    assert_same_loss(in_batches, lambda z: formula(z, labels, edges), student, scale=2.0, tolerance=1e-10)


def test_both_ends_of_an_edge_get_a_gradient() -> None:
    method = CoHOp(consistency=1.0)
    _, targets = started(method, torch.tensor([[4], [5]]))
    z = torch.randn(6, 4, generator=seeded(0), dtype=torch.float64).requires_grad_()
    method.training_step(knows(z), targets)["consistency"].backward()
    assert z.grad[4:].abs().sum(dim=1).min() > 1e-3
    assert not z.grad[:4].any()


def test_a_round_is_labelled_by_confident_answers_of_the_one_before_and_training_nodes_keep_theirs() -> None:
    method = CoHOp(threshold=0.6, rounds=3)
    _, targets = started(method, torch.zeros(2, 0).long())
    answers = torch.tensor([[3, 9.0], [3, 9], [0, 9], [2, 9], [1, 0.1], [1, 9]])
    logits = torch.zeros(6, 4)
    logits[torch.arange(6), answers[:, 0].long()] = answers[:, 1]
    method.on_epoch_start(epoch(0, logits), targets)  # the first round has no answers yet
    assert method.pseudo_label.tolist() == [0, 1, 0, -1, -1, -1]
    method.on_epoch_start(epoch(1, logits), targets)
    assert method.pseudo_label.tolist() == [0, 1, 0, -1, -1, -1]
    method.on_epoch_start(epoch(0, logits), targets)
    assert method.pseudo_label.tolist() == [0, 1, 0, 2, -1, 1]
    method.on_epoch_start(epoch(0, logits.roll(1, dims=1)), targets)  # anew, not in addition
    assert method.pseudo_label.tolist() == [0, 1, 0, 3, -1, 2]


def test_the_label_loss_is_a_mean_over_labels_and_pseudo_labels() -> None:
    method, edges = CoHOp(consistency=0), torch.zeros(2, 0).long()
    _, targets = started(method, edges)
    method.pseudo_label.copy_(torch.tensor([0, 1, 0, 2, -1, 1]))
    z = torch.randn(6, 4, generator=seeded(0), dtype=torch.float64)
    terms = method.training_step(knows(z), targets)
    assert set(terms) == {"loss", "label"}
    mine = torch.tensor([0, 1, 2, 3, 5])
    torch.testing.assert_close(terms["loss"], literal.label_loss(z, method.pseudo_label, mine, torch.ones(6)))


def trained(graph: Graph, **keys: float) -> SeedRun:
    method = CoHOp(rounds=3, threshold=0.3, **keys)
    return SeedRun.train(graph, resolve(method=method, training=Training(max_epochs=6, patience=6)), 0)


def test_labels_of_test_nodes_change_no_bit_of_the_student_and_those_of_training_nodes_do() -> None:
    graph = small_graph()
    states = []
    for nodes in (graph.test[:0], graph.test, graph.train[:1]):
        y = graph.y.clone()
        y[nodes] = (y[nodes] + 1) % graph.num_classes
        run = trained(replace(graph, y=y))
        states.append((run.distilled.model.state_dict(), run.distilled.task.method.pseudo_label))
    (first, labels), (second, others), (third, _) = states
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(labels, others)
    assert any(not torch.equal(first[name], third[name]) for name in first)


def test_every_round_is_a_phase_and_the_later_ones_have_pseudo_labels() -> None:
    graph = small_graph()
    run = trained(graph)
    assert [phase.name for phase in CoHOp(rounds=3).phases()] == ["round1", "round2", "round3"]
    method = run.distilled.task.method
    assert int(method.rounds_begun) == 3
    assert int((method.pseudo_label >= 0).sum()) > graph.train.numel()
    assert torch.equal(method.pseudo_label[graph.train], graph.y[graph.train])


def test_its_inputs_are_histograms_of_labels_beside_the_features() -> None:
    assert CoHOp(decay=0.2, depth=3).encoder() == Labels(decay=0.2, depth=3)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"consistency": -1}, "method.consistency is -1: it must be a number, 0 or more"),
        ({"threshold": 1.5}, r"method.threshold is 1.5: it must lie in \[0, 1\]"),
        ({"rounds": 0}, "method.rounds is 0: it must be a whole number from 1 to 100"),
        ({"decay": 0}, "method.decay is 0: it must be a number above 0, 1 at most"),
        ({"depth": 51}, "method.depth is 51: it must be a whole number from 1 to 50"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        CoHOp(**keys)
