from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from graphkd import GraphKDError, distill
from graphkd.encoders import Positions
from graphkd.methods import NOSMOG, Targets
from graphkd.methods.base import Student
from graphkd.methods.nosmog import HIDDEN
from graphkd.sparse import Inputs, SparseMatrix, linear
from graphkd.students import MLP, StudentOutput
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph
from graphkd.training import Training
from tests import literal
from tests.conftest import make_data
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import seeded, tables

NO_EDGES = torch.zeros(2, 0).long()
WEIGHT = torch.randn(4, 5, generator=seeded(3), dtype=torch.float64)


class Linear(nn.Module):
    """``z = W u``, with a hidden layer that is ``u`` itself."""

    dropout = 0.0

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())

    def forward(self, x: Inputs) -> StudentOutput:
        return StudentOutput(linear(x, self.weight), [x if isinstance(x, torch.Tensor) else x.to_dense()])


def started(
    method: NOSMOG, teacher: torch.Tensor, hidden: torch.Tensor, x: torch.Tensor
) -> tuple[Targets, Linear]:
    """Targets of a graph without edges, and a linear student; the head is registered."""
    graph, output = graph_of(NO_EDGES, x.shape[0], x), TeacherOutput(teacher, [hidden, teacher])
    targets = method.prepare(graph, output)
    torch.manual_seed(0)
    student = method.build(lambda: Linear(WEIGHT), targets, output)
    method.double()
    assert isinstance(student, Linear)
    return targets, student


def knows(logits: torch.Tensor, hidden: torch.Tensor) -> Student:
    """A student with these answers, whatever it is asked."""
    return lambda inputs: StudentOutput(logits, [hidden])


@given(
    teacher=tables(6, 4),
    hidden=tables(6, 3),
    student=tables(6, 4),
    layer=tables(6, 5),
    lam=st.sampled_from([0, 0.3]),
)
def test_labels_soft_labels_and_gram_equal_the_formula(
    teacher: torch.Tensor, hidden: torch.Tensor, student: torch.Tensor, layer: torch.Tensor, lam: float
) -> None:
    method = NOSMOG(lam=lam, tau=1.4, gram=0.02, adversarial=0)
    targets, _ = started(method, teacher, hidden, layer)
    head = method.head[0]

    def formula(both: torch.Tensor) -> torch.Tensor:
        z, s = both[:, :4], both[:, 4:]
        label = literal.label_loss(z, targets.labels, torch.tensor([0, 1, 2]), torch.ones(6))
        r = torch.stack([torch.relu(head.weight @ row + head.bias) for row in s])
        mixed = lam * label + (1 - lam) * literal.node_loss(z, teacher, 1.4)
        return mixed + 0.02 * formulas.gram_loss(r, hidden)

    assert_same_loss(
        lambda both: method.training_step(knows(both[:, :4], both[:, 4:]), targets)["loss"],
        formula,
        torch.cat([student, layer], dim=1),
        scale=3.0,
        tolerance=1e-9,
    )


@settings(max_examples=20)
@given(teacher=tables(4, 4), x=tables(4, 5), steps=st.integers(0, 6), epsilon=st.sampled_from([0.05, 0.4]))
def test_the_attack_equals_loops_over_nodes_and_entries(
    teacher: torch.Tensor, x: torch.Tensor, steps: int, epsilon: float
) -> None:
    method = NOSMOG(gram=0, adversarial=0.5, epsilon=epsilon, steps=steps)
    graph = graph_of(NO_EDGES, 5, torch.cat([x, x[:1]]))
    teacher = torch.cat([teacher, teacher[:1]])
    targets, student = method.prepare(graph, TeacherOutput(teacher)), Linear(WEIGHT)
    torch.manual_seed(4)
    noise = torch.empty_like(graph.x).uniform_(-epsilon, epsilon)
    torch.manual_seed(4)
    terms = method.training_step(student, targets)
    point = formulas.attacked(graph.x, noise, WEIGHT, teacher, epsilon, steps)
    expected = literal.node_loss(point @ WEIGHT.t(), teacher, 1.0)
    torch.testing.assert_close(terms["adversarial"], expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(terms["loss"], terms["soft"] + 0.5 * terms["adversarial"])


def test_sparse_inputs_are_attacked_as_dense_ones_are() -> None:
    x = torch.randn(6, 5, generator=seeded(0)).double() * (torch.rand(6, 5, generator=seeded(1)) < 0.4)
    teacher, method, losses = torch.randn(6, 4, generator=seeded(2)).double(), NOSMOG(gram=0), []
    for inputs in (x, SparseMatrix.from_torch(x.to_sparse_csr())):
        targets = method.prepare(graph_of(NO_EDGES, 6, inputs), TeacherOutput(teacher))
        torch.manual_seed(0)
        losses.append(method.training_step(Linear(WEIGHT), targets)["loss"])
    torch.testing.assert_close(*losses)


def test_the_head_has_the_students_dropout_trains_and_is_not_shipped() -> None:
    graph, method = small_graph(), NOSMOG()
    output = TeacherOutput(torch.zeros(graph.num_nodes, 3), [torch.zeros(graph.num_nodes, 7)] * 2)
    targets = method.prepare(graph, output)
    student = method.build(lambda: MLP(8, 6, 3, num_layers=3, dropout=0.3), targets, output)
    linear, _, dropout = method.head
    assert (linear.in_features, linear.out_features, dropout.p) == (6, 7, 0.3)
    assert student.training
    ours = {id(each) for group in method.param_groups(student, 0.1) for each in group["params"]}
    assert {id(each) for each in method.head.parameters()} < ours
    assert not {id(each) for each in student.parameters()} & {id(each) for each in method.parameters()}
    assert type(student) is MLP


def test_a_batch_matches_the_pairs_of_its_rows() -> None:
    teacher, hidden = (torch.randn(6, k, generator=seeded(k)).double() for k in (4, 3))
    x = torch.randn(6, 5, generator=seeded(0)).double()
    method = NOSMOG(gram=1.0, adversarial=0)
    targets, student = started(method, teacher, hidden, x)
    index = torch.tensor([4, 1, 3])
    found = method.training_step(student, targets.select(index))["gram"]
    torch.testing.assert_close(found, formulas.gram_loss(method.head(x[index]), hidden[index]))


def test_terms_without_weight_are_left_out() -> None:
    targets, student = started(NOSMOG(), *(torch.ones(6, k).double() for k in (4, 3, 5)))
    assert set(targets.tables) == {HIDDEN}
    bare = NOSMOG(gram=0, adversarial=0)
    targets = bare.prepare(
        graph_of(NO_EDGES, 6, torch.ones(6, 5).double()), TeacherOutput(torch.ones(6, 4).double())
    )
    assert not targets.tables
    assert not [*bare.parameters()]
    assert set(bare.training_step(student, targets)) == {"loss", "label", "soft"}


def test_its_inputs_are_positions_beside_the_features() -> None:
    encoder = NOSMOG().encoder()
    assert isinstance(encoder, Positions)
    assert (encoder.kind, encoder.features, encoder.width(10)) == ("deepwalk", "raw", 74)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"gram": -1}, "method.gram is -1: it must be a number, 0 or more"),
        ({"adversarial": "much"}, "method.adversarial is much"),
        ({"epsilon": 0}, "method.epsilon is 0: it must be a number above 0"),
        ({"steps": 1.5}, "method.steps is 1.5: it must be a whole number"),
        ({"lam": 2}, "method.lam is 2"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        NOSMOG(**keys)


@pytest.mark.filterwarnings("ignore:the plain MLP")
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"teacher": torch.zeros(60, 3)}, "the teacher has none: set teacher.num_layers to 2 or more"),
        ({"student": functools.partial(MLP, num_layers=1)}, "the student has none: set student.num_layers to 2"),
    ],
)
def test_layers_that_are_not_there_are_one_line(part: dict, message: str) -> None:
    short = Training(max_epochs=2, patience=2)
    with pytest.raises(GraphKDError, match=message) as caught:
        distill(make_data(), method="nosmog", encoder="raw", training=short, device="cpu", **part)
    assert "\n" not in str(caught.value)
    distill(make_data(), method=NOSMOG(gram=0), encoder="raw", training=short, device="cpu", **part)
