from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.methods import AdaGMLP, Targets
from graphkd.methods.base import Student
from graphkd.students import MLP, StudentOutput
from graphkd.students.ensemble import Ensemble
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import seeded, tables

NO_EDGES = torch.zeros(2, 0).long()


def started(method: AdaGMLP, teacher: torch.Tensor, x: torch.Tensor | None = None, train: int = 3) -> Targets:
    """Targets of a graph without edges, whose first ``train`` nodes are labelled; buffers are registered."""
    rows = teacher.shape[0]
    graph = graph_of(NO_EDGES, rows, x)
    graph = replace(graph, y=torch.arange(rows) % 4, train=torch.arange(train))
    targets = method.prepare(graph, TeacherOutput(teacher))
    width = targets.inputs.shape[1]
    torch.manual_seed(0)
    method.build(lambda: MLP(width, 3, 4, num_layers=3, dropout=0.0).double(), targets, TeacherOutput(teacher))
    return targets


def answers(logits: Sequence[torch.Tensor]) -> Student:
    """An ensemble that gives these logits on all rows."""
    members = [StudentOutput(each, []) for each in logits]
    return lambda inputs: StudentOutput(logits[0], [], members)


def formula(
    logits: torch.Tensor, teacher: torch.Tensor, weights: torch.Tensor, method: AdaGMLP, targets: Targets
) -> torch.Tensor:
    """``lam mean_k CE_k + (1 − lam) mean_k KD_k``, logits [K, N, C]."""
    label = torch.zeros((), dtype=torch.float64)
    for k in range(method.members):
        own = torch.tensor([v for v in range(teacher.shape[0]) if int(method.member_of[v]) == k])
        if own.numel():
            label = label + literal.label_loss(logits[k], targets.labels, own, torch.ones(teacher.shape[0]))
    soft, _, _ = formulas.boosted_distillation(list(logits), teacher, weights, method.tau, method.beta)
    return method.lam * label / method.members + (1 - method.lam) * soft


@settings(max_examples=20)
@given(
    teacher=tables(6, 4),
    one=tables(6, 4),
    two=tables(6, 4),
    three=tables(6, 4),
    members=st.sampled_from([1, 2, 3]),
    beta=st.sampled_from([0.5, 4.0]),
)
def test_three_steps_equal_the_formula_and_its_weights(
    teacher: torch.Tensor, one: torch.Tensor, two: torch.Tensor, three: torch.Tensor, members: int, beta: float
) -> None:
    """Loss and gradient of each, weights in the order of the students, which the next step starts from."""
    method = AdaGMLP(lam=0.3, tau=0.7, members=members, beta=beta)
    targets, weights = started(method, teacher), torch.full((6,), 1 / 6, dtype=torch.float64)
    for shift in range(3):
        logits = torch.stack([one, two, three][:members]).roll(shift, dims=1)
        expected = formulas.boosted_distillation(list(logits), teacher, weights, 0.7, beta)
        assert_same_loss(
            lambda z: method.training_step(answers(z), targets)["loss"],
            lambda z, weights=weights: formula(z, teacher, weights, method, targets),
            logits,
            scale=3.0,
            tolerance=1e-10,
        )
        _, weights, coefficients = expected
        torch.testing.assert_close(method.node_weight, weights, rtol=1e-9, atol=1e-12)
        share = torch.tensor(coefficients) / sum(coefficients)
        torch.testing.assert_close(method._ensemble[0].alpha, share, rtol=1e-5, atol=1e-6)


def test_a_student_is_given_what_the_one_before_it_found_hard() -> None:
    """Only node 0 is wrong: its weight grows, and the second student's loss is that weight times its KL."""
    teacher = 3.0 * torch.eye(4, dtype=torch.float64)[torch.arange(5) % 4]
    first = teacher.clone()
    first[0] = first[0].roll(1)
    method = AdaGMLP(lam=0.0, tau=1.0, members=2, beta=1.0)
    targets = started(method, teacher)
    wrong = float(literal.kl(formulas.softened(teacher[0]), formulas.softened(first[0])))
    error = 1 - float(torch.exp(torch.tensor(-wrong, dtype=torch.float64)))
    mean = error / 5
    grown = ((1 - mean) / mean) ** error
    weight = grown / (4 + grown)
    loss = method.training_step(answers([first, first]), targets)["soft"]
    assert weight > 0.4
    assert float(loss) == pytest.approx((wrong / 5 + weight * wrong) / 2)


def test_a_student_that_is_always_wrong_counts_for_almost_nothing_and_moves_no_weight() -> None:
    teacher = 40.0 * torch.eye(4, dtype=torch.float64)[torch.arange(5) % 4]
    method = AdaGMLP(members=2)
    targets = started(method, teacher)
    terms = method.training_step(answers([teacher.roll(1, dims=1), teacher]), targets)
    assert bool(terms["loss"].isfinite())
    torch.testing.assert_close(method.node_weight, torch.full((5,), 0.2, dtype=torch.float64))
    torch.testing.assert_close(method._ensemble[0].alpha, torch.tensor([0.0, 1.0]))
    assert bool((method._ensemble[0].alpha > 0).all())  # of which a logarithm is taken


@pytest.mark.parametrize(("labelled", "members"), [(12, 3), (11, 3), (12, 5), (2, 3)])
def test_labelled_nodes_are_shared_out_and_each_has_one_reader(labelled: int, members: int) -> None:
    method = AdaGMLP(members=members)
    targets = started(method, torch.zeros(20, 4), train=labelled)
    readers = method.member_of
    assert (readers[labelled:] == -1).all()
    sizes = torch.bincount(readers[:labelled], minlength=members)
    assert int(sizes.sum()) == labelled
    assert int(sizes.max() - sizes.min()) <= 1
    shares = []
    for seed in range(3):
        torch.manual_seed(seed)
        method.build(lambda: MLP(2, 3, 4), targets, TeacherOutput(torch.zeros(20, 4)))
        shares.append(method.member_of.tolist())
    assert labelled == 2 or len({tuple(share) for share in shares}) == 3


def test_a_student_reads_the_labels_of_its_own_nodes_alone() -> None:
    method = AdaGMLP(lam=1.0, members=3)
    targets = started(method, torch.zeros(9, 4).double(), train=7)
    logits = torch.randn(3, 9, 4, generator=seeded(0), dtype=torch.float64).requires_grad_()
    method.training_step(answers(logits), targets)["loss"].backward()
    for k in range(3):
        assert torch.equal(logits.grad[k].abs().sum(dim=1) > 0, method.member_of == k)


class Recorded:
    """An ensemble that keeps what it was asked, and how it answered."""

    def __init__(self, ensemble: Ensemble) -> None:
        self.ensemble = ensemble
        self.inputs: list[torch.Tensor] = []
        self.outputs: list[list[StudentOutput]] = []

    def __call__(self, inputs: torch.Tensor) -> StudentOutput:
        output = self.ensemble(inputs)
        self.inputs.append(inputs)
        self.outputs.append(output.members)
        return output


@pytest.mark.parametrize("align", [0.0, 0.3, 1.0])
def test_the_alignment_equals_its_formula_on_a_masked_copy_of_the_labelled_rows(align: float) -> None:
    x = 1 + torch.rand(12, 40, generator=seeded(0), dtype=torch.float64)
    teacher = torch.randn(12, 4, generator=seeded(1), dtype=torch.float64)
    method = AdaGMLP(lam=0.4, members=2, mask=0.25, align=align)
    targets = started(method, teacher, x, train=7)
    student = Recorded(method._ensemble[0])
    first, second = (method.training_step(student, targets) for _ in range(2))
    _, copy, _, other = student.inputs
    assert set(first) == {"loss", "label", "soft", "align"}
    assert bool(((copy == x[:7]) | (copy == 0)).all())
    assert abs(float((copy == 0).double().mean()) - 0.25) < 0.1  # of 280, standard deviation .026
    assert not torch.equal(copy, other)  # drawn anew in every step
    pairs = zip(student.outputs[0], student.outputs[1], strict=True)
    parts = [
        formulas.alignment(
            whole.logits[:7], masked.logits, [layer[:7] for layer in whole.hidden], masked.hidden, align
        )
        for whole, masked in pairs
    ]
    assert len(student.outputs[0][0].hidden) == 2
    torch.testing.assert_close(first["align"], sum(parts) / 2, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(first["loss"], 0.4 * first["label"] + 0.6 * first["soft"] + first["align"])
    assert not torch.equal(first["align"], second["align"])


def test_without_a_mask_the_students_are_asked_once() -> None:
    method = AdaGMLP(mask=0.0, align=0.5)
    targets = started(method, torch.zeros(6, 4).double(), torch.ones(6, 5).double())
    student = Recorded(method._ensemble[0])
    assert "align" not in method.training_step(student, targets)
    assert len(student.inputs) == 1


def test_what_is_shipped_mixes_the_students_by_their_coefficients() -> None:
    x = torch.randn(9, 5, generator=seeded(0), dtype=torch.float64)
    teacher = 0.5 * torch.randn(9, 4, generator=seeded(1), dtype=torch.float64)
    method = AdaGMLP(members=3, beta=1.0)
    targets = started(method, teacher, x)
    ensemble = method._ensemble[0]
    output = ensemble(x)
    method.training_step(ensemble, targets)
    logits = [member.logits.detach() for member in output.members]
    start = torch.full((9,), 1 / 9, dtype=torch.float64)
    _, _, coefficients = formulas.boosted_distillation(logits, teacher, start, method.tau, method.beta)
    assert len({round(each, 3) for each in coefficients}) == 3
    expected = formulas.ensemble_probabilities(logits, coefficients)
    torch.testing.assert_close(torch.softmax(ensemble(x).logits, dim=1), expected, rtol=1e-5, atol=1e-6)


def test_a_batch_moves_the_weights_of_its_rows_as_if_they_were_all() -> None:
    teacher = torch.randn(8, 4, generator=seeded(1), dtype=torch.float64)
    logits = torch.randn(8, 4, generator=seeded(2), dtype=torch.float64)
    method = AdaGMLP(lam=0.0, members=1, beta=1.0)
    targets, index = started(method, teacher), torch.tensor([6, 1, 3])
    rest = [row for row in range(8) if row not in index.tolist()]
    loss = method.training_step(answers([logits[index]]), targets.select(index))["soft"]
    expected = sum(
        literal.kl(formulas.softened(teacher[i], 0.9), formulas.softened(logits[i], 0.9)) / 8 for i in index
    )
    torch.testing.assert_close(loss, expected * 8 / 3)
    own, _ = formulas.boosting_round(torch.full((3,), 1 / 3), logits[index], teacher[index], 1.0)
    torch.testing.assert_close(method.node_weight[index] / method.node_weight[index].sum(), own)
    assert float(method.node_weight.sum()) == pytest.approx(1.0)
    assert len(set(method.node_weight[rest].tolist())) == 1
    assert (method.node_weight[index] > method.node_weight[rest[0]]).all()


def test_node_weights_are_state_of_the_method_and_students_are_not() -> None:
    method = AdaGMLP(members=2)
    started(method, torch.zeros(6, 4))
    assert set(method.state_dict()) == {"node_weight", "member_of"}
    assert not list(method.parameters())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"members": 0}, "method.members is 0: it must be a whole number from 1 to 64"),
        ({"members": True}, "method.members is True"),
        ({"beta": 0.0}, "method.beta is 0.0"),
        ({"mask": 1.0}, "method.mask is 1.0"),
        ({"align": -0.1}, "method.align is -0.1"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        AdaGMLP(**keys)


def test_another_student_than_an_mlp_is_refused() -> None:
    targets = started(AdaGMLP(), torch.zeros(6, 4))
    with pytest.raises(GraphKDError, match="use student=mlp"):
        AdaGMLP().build(lambda: torch.nn.Linear(2, 4), targets, TeacherOutput(torch.zeros(6, 4)))
