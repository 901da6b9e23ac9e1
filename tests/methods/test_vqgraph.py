from dataclasses import replace

import pytest
import torch

from graphkd import GraphKDError
from graphkd.methods import Targets, VQGraph
from graphkd.spec import resolve
from graphkd.students import MLP, Ensemble
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import graph_of
from tests.strategies import seeded

X = torch.randn(7, 5, generator=seeded(0), dtype=torch.float64)
CODES, TOKENS = (
    torch.nn.functional.normalize(torch.randn(rows, 6, generator=seeded(rows), dtype=torch.float64), dim=1)
    for rows in (9, 7)
)
TEACHER = TeacherOutput(
    torch.randn(7, 4, generator=seeded(1), dtype=torch.float64),
    extras={"tokens": TOKENS},
    constants={"codebook": CODES},
)


def started(method: VQGraph) -> tuple[Targets, MLP]:
    """Targets of seven nodes, three of them labelled, and the student that the method built."""
    targets = method.prepare(graph_of(torch.zeros(2, 0).long(), 7, X), TEACHER)
    torch.manual_seed(0)
    student = method.build(lambda: MLP(5, 3, 4, dropout=0.0).double(), targets, TEACHER)
    method.double()
    assert isinstance(student, MLP)
    return targets, student


def test_a_step_has_the_published_loss_and_trains_the_projection() -> None:
    method = VQGraph(lam=0.3, tau=0.8, lam_tok=0.7, tau_tok=0.5)
    targets, student = started(method)
    terms = method.training_step(student, targets)
    output = student(X)
    label = literal.label_loss(output.logits, targets.labels, torch.tensor([0, 1, 2]), torch.ones(7))
    pairs = zip(TEACHER.logits, output.logits, strict=True)
    soft = sum(literal.kl(formulas.softened(t, 0.8), formulas.softened(z, 0.8)) for t, z in pairs) / 7
    projected = output.hidden[-1] @ method.projection.weight.T + method.projection.bias
    tokens = formulas.token_loss(projected, TOKENS, CODES, 0.5)
    expected = 0.3 * label + 0.7 * soft + 0.7 * 0.5**2 * tokens
    torch.testing.assert_close(terms["loss"], expected, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(terms["tokens"], tokens, rtol=1e-9, atol=1e-11)
    learned = [*student.parameters(), *method.parameters()]
    mine = torch.autograd.grad(terms["loss"], learned)
    theirs = torch.autograd.grad(expected, learned)
    torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-9)
    assert all(bool(grad.any()) for grad in mine)


def test_the_codebook_is_state_of_the_method_and_only_the_projection_trains() -> None:
    method = VQGraph()
    started(method)
    assert set(method.state_dict()) == {"codebook", "projection.weight", "projection.bias"}
    assert not method.codebook.requires_grad
    assert method.projection.weight.shape == (6, 3)


def test_without_a_weight_the_tokens_are_left_out_and_it_is_glnn() -> None:
    method = VQGraph(lam_tok=0.0)
    targets, student = started(method)
    terms = method.training_step(student, targets)
    assert set(terms) == {"loss", "label", "soft"}
    assert torch.equal(terms["loss"], terms["soft"])


@pytest.mark.parametrize("lacks", [{"extras": {}}, {"constants": {}}])
def test_a_teacher_without_a_codebook_is_refused(lacks: dict) -> None:
    with pytest.raises(GraphKDError, match="this one has none: use teacher=vqgraph"):
        VQGraph().prepare(graph_of(torch.zeros(2, 0).long(), 7, X), replace(TEACHER, **lacks))


def test_another_teacher_is_refused_before_it_is_trained() -> None:
    with pytest.raises(
        GraphKDError, match="method=vqgraph reads what only teacher=vqgraph computes, not teacher=gcn"
    ):
        resolve("gcn", method="vqgraph")


@pytest.mark.parametrize("student", [lambda: MLP(5, 3, 4, num_layers=1), lambda: Ensemble(5, 3, 4)])
def test_a_student_without_a_hidden_layer_of_its_own_is_refused(student: object) -> None:
    method = VQGraph()
    targets, _ = started(method)
    with pytest.raises(GraphKDError, match="reads the last hidden layer of an MLP"):
        VQGraph().build(student, targets, TEACHER)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"lam_tok": -1.0}, "method.lam_tok is -1.0: it must be a number, 0 or more"),
        ({"tau_tok": 0.0}, "method.tau_tok is 0.0: it must be a number above 0"),
        ({"lam": 1.5}, "method.lam is 1.5"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        VQGraph(**keys)
