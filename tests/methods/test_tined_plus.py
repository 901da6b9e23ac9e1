from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from graphkd import GraphKDError
from graphkd.encoders import Positions
from graphkd.methods import TINED, Targets, TINEDPlus
from graphkd.students import MLP
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph
from tests import literal
from tests.methods import literal as formulas
from tests.methods.test_tined import output_of, teacher_of


def started(method: TINED, norm: str = "none") -> tuple[Targets, MLP, TeacherOutput]:
    """Targets with two columns of positions, and a student, in float64."""
    graph = small_graph()
    graph = replace(graph, x=graph.x.double())
    positions = torch.randn(60, 2, generator=torch.Generator().manual_seed(1)).double()
    output = output_of(teacher_of("sage gcn", 8, 6, 3), graph)
    targets = method.prepare(graph.with_inputs(torch.cat([graph.x, positions], dim=1)), output)
    assert targets.edges is not None
    targets = replace(targets, edges=targets.edges.to(torch.float64))
    torch.manual_seed(0)
    student = method.build(lambda: MLP(10, 6, 3, dropout=0.0, norm=norm).double(), targets, output)
    method.double()
    assert isinstance(student, MLP)
    return targets, student.double(), output


def head(method: TINEDPlus, hidden: Tensor) -> Tensor:
    """``ReLU(W h + b)``."""
    linear = method.nosmog.head[0]
    return torch.relu(hidden @ linear.weight.T + linear.bias)


def test_the_loss_is_that_of_tined_with_the_gram_term_and_the_loss_at_perturbed_inputs() -> None:
    method = TINEDPlus(lam=0.3, beta=0.7, ratio="log", edges=1.0, gram=0.2, adversarial=0.4, epsilon=0.5, steps=0)
    targets, student, output = started(method)
    torch.manual_seed(5)
    terms = method.training_step(student, targets)
    torch.manual_seed(5)
    noise = torch.empty(60, 10, dtype=torch.float64).uniform_(-0.5, 0.5)
    hidden = student(targets.inputs).hidden
    assert [layer.shape[1] for layer in hidden] == [6, 6, 3]
    gram = formulas.gram_loss(head(method, hidden[1]), output.hops[0])
    adversarial = literal.node_loss(student(targets.inputs + noise).logits, output.logits, 1.0)
    torch.testing.assert_close(terms["gram"], gram)
    torch.testing.assert_close(terms["adversarial"], adversarial)
    alone = TINED(lam=0.3, beta=0.7)
    alone.register_buffer("has_ratio", method.has_ratio)
    alone.register_buffer("log_ratio", method.log_ratio)
    plain = alone.training_step(student, targets)
    assert plain["energy"].item() > 0
    for name in ("label", "soft", "energy"):
        torch.testing.assert_close(terms[name], plain[name])
    torch.testing.assert_close(terms["loss"], plain["loss"] + 0.2 * gram + 0.4 * adversarial)


def test_a_batch_perturbs_its_own_rows_and_compares_them_alone() -> None:
    method = TINEDPlus(edges=1.0, gram=0.2, adversarial=0.4, epsilon=0.5, steps=0)
    targets, student, output = started(method)
    rows = torch.tensor([7, 3, 11])
    batch = targets.select(rows)
    assert batch.own is not None
    assert batch.inputs.shape[0] > 3
    torch.manual_seed(5)
    terms = method.training_step(student, batch)
    torch.manual_seed(5)
    noise = torch.empty(3, 10, dtype=torch.float64).uniform_(-0.5, 0.5)
    inputs = targets.inputs[rows]
    expected = formulas.gram_loss(head(method, student(inputs).hidden[1]), output.hops[0][rows])
    torch.testing.assert_close(terms["gram"], expected)
    noisy = student(inputs + noise).logits
    adversarial = literal.node_loss(noisy, output.logits[rows], 1.0)
    entropy = _entropy(output.logits[rows]) - _entropy(output.logits)
    torch.testing.assert_close(terms["adversarial"] + entropy, adversarial)


def _entropy(logits: Tensor) -> float:
    """``mean Σ_c q_c log q_c``, which a batch of soft targets has of all rows."""
    return -sum(formulas.entropy(row) for row in logits) / logits.shape[0]


def test_its_head_trains_with_the_propagations_and_is_not_shipped() -> None:
    method = TINEDPlus(lr_ratio=0.5)
    _, student, _ = started(method)
    fast, slow = sorted(method.param_groups(student, 0.1), key=lambda group: -group["lr"])
    known = {id(each) for group in (fast, slow) for each in group["params"]}
    assert {id(each) for each in method.nosmog.head.parameters()} <= {id(each) for each in fast["params"]}
    assert known == {id(each) for module in (student, method) for each in module.parameters()}
    assert not any("head" in name for name in student.state_dict())


def test_it_is_published_with_positions() -> None:
    assert isinstance(TINEDPlus().encoder(), Positions)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"gram": -1}, "method.gram is -1"),
        ({"epsilon": 0}, "method.epsilon is 0"),
        ({"steps": 0.5}, "method.steps is 0.5"),
        ({"beta": -1}, "method.beta is -1"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        TINEDPlus(**keys)


def test_refusals_name_the_method() -> None:
    graph = small_graph()
    teacher = teacher_of("gcn", 8, 6, 3).float()
    output = output_of(teacher, graph)
    with pytest.raises(GraphKDError, match="method=tined_plus reads the teacher's last hidden layer"):
        TINEDPlus().prepare(graph, replace(output, hops=[]))
