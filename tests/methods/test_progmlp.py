from dataclasses import replace

import pytest
import torch

from graphkd import GraphKDError
from graphkd.methods import Epoch, Phase, ProgMLP, Targets
from graphkd.methods.base import Student
from graphkd.students import MLP, Progressive, StudentOutput
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import seeded

X = torch.randn(7, 5, generator=seeded(0), dtype=torch.float64)
TEACHER = torch.randn(7, 4, generator=seeded(1), dtype=torch.float64)


def started(method: ProgMLP, x: torch.Tensor = X) -> Targets:
    """Targets of seven nodes, three of them labelled; buffers are registered."""
    teacher = TeacherOutput(TEACHER)
    targets = method.prepare(graph_of(torch.zeros(2, 0).long(), 7, x), teacher)
    torch.manual_seed(0)
    student = method.build(lambda: MLP(5, 3, 4, dropout=0.0), targets, teacher)
    student.double().train()
    return targets


def sequence(method: ProgMLP) -> Progressive:
    return method._sequence[0]


def begin(method: ProgMLP, targets: Targets, k: int, number: int = 0) -> None:
    phase = method.phases()[k]
    method.on_epoch_start(Epoch(number, 9, 0, torch.device("cpu"), lambda: TEACHER, phase), targets)


def fixed(logits: torch.Tensor) -> Student:
    """A student that gives these logits on all rows."""
    return lambda inputs: StudentOutput(logits, [], [StudentOutput(logits[: inputs.shape[0]], [])])


def distilled(z: torch.Tensor, targets: Targets, lam: float, tau: float) -> torch.Tensor:
    """lam mean CE + (1 - lam) mean_v KL(p^tau(t_v) || p^tau(z_v))."""
    label = literal.label_loss(z, targets.labels, torch.tensor([0, 1, 2]), torch.ones(7))
    soft = sum(literal.kl(formulas.softened(TEACHER[v], tau), formulas.softened(z[v], tau)) for v in range(7)) / 7
    return lam * label + (1 - lam) * soft


@pytest.mark.parametrize(("k", "beta"), [(0, 2.0), (1, 2.0), (2, 0.5)])
def test_a_student_has_the_published_loss(k: int, beta: float) -> None:
    method = ProgMLP(lam=0.3, tau=0.7, beta=beta, mixing=0.0)
    targets = started(method)
    label = targets.label_loss  # without a mixing range the pairs are the rows themselves
    assert_same_loss(
        lambda z: method.stage_step(fixed(z), targets, k)["loss"],
        lambda z: (k + 1) ** beta * distilled(z, targets, 0.3, 0.7) + label(z),
        torch.randn(7, 4, generator=seeded(2), dtype=torch.float64),
        scale=3.0,
        tolerance=1e-10,
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_labelled_rows_are_mixed_in_pairs_within_the_range(sparse: bool) -> None:
    from tests.sparse.test_matrix import sparse as as_sparse

    method = ProgMLP(mixing=0.4)
    targets = started(method)
    if sparse:
        targets = replace(targets, inputs=as_sparse(X))
    torch.manual_seed(5)
    found = method.stage_step(sequence(method), targets, 0)["mixed"]
    torch.manual_seed(5)
    partner, share = torch.randperm(3).tolist(), 0.4 * torch.rand(3, dtype=torch.float64)
    member = sequence(method).members[0]
    logits = formulas.mixed_up_loss(lambda row: member(row[None]).logits[0], X, targets.labels, partner, share)
    torch.testing.assert_close(found, logits, rtol=1e-10, atol=1e-12)
    assert partner != [0, 1, 2]


def test_a_student_starts_from_the_one_before_and_reads_its_hidden_layer() -> None:
    method = ProgMLP(members=2, threshold=0.8)
    targets = started(method)
    student = sequence(method)
    one, two = student.members
    assert not torch.equal(one.layers[0].weight, two.layers[0].weight)
    begin(method, targets, 1)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(one.parameters(), two.parameters(), strict=True))
    assert student.threshold == 0.8
    two.layers[0].weight.data.zero_()
    begin(method, targets, 1, number=1)
    assert not bool(two.layers[0].weight.any()), "it starts once"
    hidden = student(X).members[1].hidden[0]
    expected = torch.relu(student.carries[0](one(X).hidden[0]) + two.layers[0].bias)
    torch.testing.assert_close(hidden, expected)


def test_the_mixing_range_moves_between_students_by_the_average_loss() -> None:
    method = ProgMLP(lam=0.5, members=3, mixing=0.2, gamma=2.0)
    targets, average = started(method), 0.1
    for _ in range(3):
        terms = method.stage_step(sequence(method), targets, 0)
        average += 0.1 * (0.5 * float(terms["label"].detach()) + 0.5 * float(terms["soft"].detach()) - average)
    assert float(method.average_loss) == pytest.approx(average, abs=1e-9)
    begin(method, targets, 0)
    assert float(method.mixing_range) == pytest.approx(0.2)
    begin(method, targets, 1)
    assert float(method.mixing_range) == pytest.approx(min(0.5, 0.2 + 2.0 * (average - 0.1)))
    method.average_loss.fill_(100.0)
    begin(method, targets, 2)
    assert float(method.mixing_range) == 0.5


def test_each_phase_trains_one_student_and_its_matrix() -> None:
    method = ProgMLP(members=3)
    started(method)
    student = sequence(method)
    phases = method.phases()
    assert [phase.name for phase in phases] == ["student1", "student2", "student3"]
    assert all(isinstance(phase, Phase) and phase.arguments == (k,) for k, phase in enumerate(phases))
    trained = [{id(each) for each in method.stage_groups(student, 0.1, k)[0]["params"]} for k in range(3)]
    assert {id(each) for each in student.parameters()} == set.union(*trained)
    assert sum(map(len, trained)) == len(list(student.parameters()))
    assert id(student.carries[1].weight) in trained[2]


def test_a_batch_without_labels_has_no_pairs() -> None:
    method = ProgMLP()
    targets = started(method)
    terms = method.stage_step(sequence(method), targets.select(torch.tensor([4, 5, 6])), 0)
    assert float(terms["mixed"]) == float(terms["label"]) == 0.0


def test_range_and_loss_are_state_and_students_are_not() -> None:
    method = ProgMLP()
    started(method)
    assert set(method.state_dict()) == {"mixing_range", "average_loss"}
    assert not list(method.parameters())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"members": 0}, "method.members is 0: it must be a whole number from 1 to 64"),
        ({"beta": -1.0}, "method.beta is -1.0"),
        ({"mixing": 0.6}, r"method.mixing is 0.6: it must lie in \[0, 0.5\]"),
        ({"gamma": float("inf")}, "method.gamma is inf"),
        ({"threshold": 0.0}, "method.threshold is 0.0"),
        ({"threshold": 1.5}, "method.threshold is 1.5: it must be a number above 0, 1 at most"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        ProgMLP(**keys)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(5, 3, 4, num_layers=1), "set student.num_layers to 2 or more"),
        (lambda: Progressive(5, 3, 4), "use student=mlp"),
    ],
)
def test_students_that_are_no_mlp_with_a_hidden_layer_are_refused(make: object, message: str) -> None:
    method = ProgMLP()
    with pytest.raises(GraphKDError, match=message):
        method.build(make, started(method), TeacherOutput(TEACHER))
