"""Balances against their formulas, in float64."""

import math
from dataclasses import replace

import pytest
import torch

from graphkd import GraphKDError
from graphkd.balance import (
    BalancedDistillation,
    BalancedSoftmax,
    EffectiveNumber,
    LogitAdjustment,
    LongTailDistillation,
    NoBalance,
)
from graphkd.balance.class_sizes import balanced_weights
from graphkd.datasets import Graph
from graphkd.methods import GLNN
from graphkd.students import MLP, Ensemble
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph


def drawn(rows: int = 60, classes: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, classes, generator=generator, dtype=torch.float64)


def graph_of(*sizes: int) -> Graph:
    """A small graph with so many training nodes of each class."""
    graph = small_graph()
    nodes = [graph.train[graph.y[graph.train] == c][:size] for c, size in enumerate(sizes)]
    return replace(graph, train=torch.cat(nodes))


def counts(graph: Graph) -> list[int]:
    return [sum(1 for node in graph.train.tolist() if int(graph.y[node]) == c) for c in range(3)]


def literal_weights(sizes: list[float], beta: float) -> list[float]:
    weights = [(1 - beta) / (1 - beta**size) if size else 0.0 for size in sizes]
    present = sum(1 for size in sizes if size)
    return [present * weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("sizes", [(2, 5, 6), (1, 6, 0)])
def test_effective_numbers_weight_the_labels_of_classes_that_occur(sizes: tuple[int, ...]) -> None:
    graph, part, z = graph_of(*sizes), EffectiveNumber(0.9), drawn()
    part.build(graph, z)
    expected = literal_weights(counts(graph), 0.9)
    assert part.class_weight().tolist() == pytest.approx(expected, rel=1e-12)
    assert sum(expected) == pytest.approx(sum(1 for size in sizes if size))
    targets = replace(GLNN(lam=0.5).prepare(graph, TeacherOutput(z)), class_weight=part.class_weight())
    total = 0.0
    for node in graph.train.tolist():
        label = int(graph.y[node])
        log_p = float(z[node, label]) - math.log(sum(math.exp(float(entry)) for entry in z[node]))
        total -= expected[label] * log_p / graph.train.numel()
    assert float(targets.label_loss(z)) == pytest.approx(total, rel=1e-10)


def test_balanced_weights_are_scikit_learn_s() -> None:
    graph = graph_of(2, 5, 0)
    # compute_class_weight("balanced", classes=[0, 1], y=labels): n / (C n_c) of the two classes that occur.
    assert balanced_weights(graph).tolist() == pytest.approx([7 / (2 * 2), 7 / (2 * 5), 0.0])
    assert float(balanced_weights(graph)[graph.y[graph.train]].mean()) == pytest.approx(1.0)


@pytest.mark.parametrize("prior", ["labels", "teacher"])
@pytest.mark.parametrize("tau", [1.0, 2.5])
def test_bkd_weights_the_teacher_s_distributions(prior: str, tau: float) -> None:
    graph, part, t = graph_of(1, 4, 6), BalancedDistillation(beta=0.99, prior=prior), drawn()
    part.build(graph, t)
    soft = torch.softmax(t, dim=1)
    sizes = counts(graph) if prior == "labels" else [max(1.0, float(sum(soft[:, c]))) for c in range(3)]
    weights = literal_weights(sizes, 0.99)
    found = torch.softmax(part.teacher(t, tau) / tau, dim=1)
    for row in range(t.shape[0]):
        q = [math.exp(float(entry) / tau) for entry in t[row]]
        weighted = [w * entry for w, entry in zip(weights, q, strict=True)]
        assert found[row].tolist() == pytest.approx([entry / sum(weighted) for entry in weighted], rel=1e-9)


@pytest.mark.parametrize("part", [BalancedDistillation(), LogitAdjustment(), BalancedSoftmax(), EffectiveNumber()])
def test_classes_of_one_size_change_no_bit(part) -> None:
    graph, z = graph_of(5, 5, 5), drawn().float()
    part.build(graph, z)
    assert torch.equal(part.teacher(z, 2.0), z)
    assert torch.equal(part.label(z), z)
    weight = part.class_weight()
    assert weight is None or torch.equal(weight.float(), torch.ones(3))


def test_a_class_without_a_training_node_counts_as_one_in_a_prior() -> None:
    one, none, z = graph_of(1, 5, 6), graph_of(0, 5, 6), drawn()
    for part in (BalancedDistillation(), LogitAdjustment()):
        shifts = []
        for graph in (one, none):
            part.build(graph, z)
            shifts.append(part.shift)
        assert torch.equal(*shifts)
        assert bool(shifts[0].isfinite().all())


def test_logit_adjustment_shifts_by_class_shares_of_training_nodes_up_to_a_constant() -> None:
    graph, part, z = graph_of(2, 5, 6), LogitAdjustment(strength=0.5), drawn()
    part.build(graph, z)
    sizes = counts(graph)
    shift = torch.tensor([0.5 * math.log(size / sum(sizes)) for size in sizes], dtype=torch.float64)
    torch.testing.assert_close(part.label(z).softmax(dim=1), (z + shift).softmax(dim=1), rtol=1e-12, atol=0)


def test_balanced_softmax_is_logit_adjustment_of_strength_1() -> None:
    graph, z = graph_of(2, 5, 6), drawn()
    one, other = BalancedSoftmax(), LogitAdjustment(1.0)
    for part in (one, other):
        part.build(graph, z)
    assert torch.equal(one.label(z), other.label(z))


def test_post_hoc_the_last_bias_has_the_shift_and_losses_have_none() -> None:
    graph, part, z = graph_of(2, 5, 6), LogitAdjustment(strength=2.0, post_hoc=True), drawn()
    part.build(graph, z)
    targets = GLNN(lam=0.5).prepare(graph, TeacherOutput(z))
    assert part.attach(targets, 1.0) is targets
    student = MLP(8, 6, 3).double().eval()
    x = graph.x.double()
    with torch.no_grad():
        before = student(x).logits
        part.adjust_answer(student)
        after = student(x).logits
    sizes = counts(graph)
    shift = torch.tensor([2 * math.log(size / sum(sizes)) for size in sizes], dtype=torch.float64)
    torch.testing.assert_close(after.softmax(dim=1), (before - shift).softmax(dim=1), rtol=1e-10, atol=1e-12)
    with pytest.raises(GraphKDError, match=r"^balance.post_hoc=true shifts the bias .* an ensemble does not end"):
        part.adjust_answer(Ensemble(8, 6, 3))


def test_a_fold_that_moves_stays_balanced() -> None:
    graph, part, t = graph_of(1, 5, 6), BalancedDistillation(), drawn()
    part.build(graph, t)
    method = GLNN(lam=0.5, tau=2.0)
    targets = part.attach(method.prepare(graph, TeacherOutput(part.teacher(t, 2.0))), 2.0)
    before = targets.soft.table.clone()
    targets.refold(logits=t + 1.0)
    torch.testing.assert_close(targets.soft.table, before, rtol=1e-10, atol=0)
    targets.refold(logits=torch.zeros_like(t))
    assert not torch.allclose(targets.soft.table, before)


def test_none_leaves_everything_alone() -> None:
    graph, part, z = graph_of(1, 5, 6), NoBalance(), drawn()
    part.build(graph, z)
    targets = GLNN(lam=0.5).prepare(graph, TeacherOutput(z))
    assert part.attach(part.fold(targets), 1.0) is targets
    assert part.teacher(z, 1.0) is z
    assert (part.class_weight(), part.acts_on, part.reads_teacher, part.trains) == (None, "nothing", False, False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EffectiveNumber(1.0), "balance.beta is 1.0: it must lie between 0 and 1"),
        (lambda: BalancedDistillation(0), "balance.beta is 0: it must lie between 0 and 1"),
        (lambda: BalancedDistillation(prior="both"), "balance.prior is 'both': choose labels or teacher"),
        (lambda: LogitAdjustment(0), "balance.strength is 0: it must be a number above 0"),
        (lambda: LogitAdjustment(post_hoc=1), "balance.post_hoc is 1: choose true or false"),
        (lambda: LongTailDistillation(alpha=-1), "balance.alpha is -1: it must be a number, 0 or more"),
        (
            lambda: LongTailDistillation(alpha=0, beta=0),
            "balance.alpha and beta are 0, so that nothing",
        ),
    ],
)
def test_mistakes(make, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        make()
