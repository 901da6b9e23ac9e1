"""What every exported method promises; a new one is covered by being exported."""

import pytest
import torch

from graphkd import influence, methods, students, teachers
from graphkd.datasets import Graph
from graphkd.methods import Method
from graphkd.registry import catalogue, parameters_of
from tests.conftest import make_data


@pytest.fixture
def graph() -> Graph:
    return Graph.from_data(make_data()).with_influence(torch.rand(60))


@pytest.mark.parametrize("method", catalogue(methods).values())
@pytest.mark.parametrize("teacher", catalogue(teachers).values())
def test_rows_in_finite_loss_out_and_gradients_for_the_student_only(
    method: type[Method], teacher: type, graph: Graph
) -> None:
    torch.manual_seed(0)
    network = teacher(graph.num_features, 8, graph.num_classes)
    output = network(graph.x, graph.adj)
    criterion = method()
    targets = criterion.prepare(graph, output.detach())
    student = students.MLP(targets.inputs.shape[1], 6, graph.num_classes)
    terms = criterion(student(targets.inputs), targets)
    assert targets.num_rows == targets.inputs.shape[0] == graph.num_nodes
    assert "loss" in terms
    assert all(term.dim() == 0 and term.isfinite() for term in terms.values())
    terms["loss"].backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in student.parameters())
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("part", [*catalogue(teachers).values(), *catalogue(students).values()])
def test_no_parameter_is_without_a_gradient(part: type, norm: str, graph: Graph) -> None:
    """In float64, where rounding is far below any real gradient: a bias before a batch norm would have none."""
    torch.manual_seed(0)
    network = part(graph.num_features, 8, graph.num_classes, 3, dropout=0.0, norm=norm).double()
    for (
        parameter
    ) in network.parameters():  # attention that starts at zero is a mean, whatever its receiver's share
        parameter.data += 0.1 * torch.randn_like(parameter)
    is_student = part in catalogue(students).values()
    x = graph.x.double()
    output = network(x) if is_student else network(x, graph.adj)
    torch.nn.functional.cross_entropy(output.logits[graph.train], graph.y[graph.train]).backward()
    largest = {name: float(parameter.grad.abs().max()) for name, parameter in network.named_parameters()}
    assert all(size > 1e-10 for size in largest.values()), largest


@pytest.mark.parametrize("method", catalogue(methods).values())
def test_its_inputs_are_those_that_it_states(method: type[Method], graph: Graph) -> None:
    """A table says what a student reads, and a plain MLP is given the same, before anything is compiled."""
    criterion = method()
    targets = criterion.prepare(graph, teachers.GCN(graph.num_features, 8, 3)(graph.x, graph.adj).detach())
    assert targets.propagation == criterion.propagation(graph.adj.weighted)
    assert targets.inputs.shape[1] == criterion.input_width(graph.num_features)


@pytest.mark.parametrize("method", catalogue(methods).values())
def test_batches_estimate_the_whole_without_bias(method: type[Method], graph: Graph) -> None:
    torch.manual_seed(0)
    output = teachers.GCN(8, 6, 3).eval()(graph.x, graph.adj).detach()
    criterion = method()
    targets = criterion.prepare(graph, output)
    student = students.MLP(8, 6, 3).eval()
    whole = criterion(student(targets.inputs), targets)["loss"]
    batches = [targets.select(index) for index in torch.randperm(60).split(20)]
    losses = [criterion(student(batch.inputs), batch)["loss"] for batch in batches]
    torch.testing.assert_close(torch.stack(losses).mean(), whole, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("method", catalogue(methods).values())
def test_the_targets_do_not_depend_on_the_labels_of_val_and_test_nodes(method: type[Method], graph: Graph) -> None:
    output = teachers.TeacherOutput(torch.randn(60, 3))
    scrambled = Graph(**{**vars(graph), "y": graph.y.clone()})
    rest = torch.cat([graph.val, graph.test])
    scrambled.y[rest] = (graph.y[rest] + 1) % 3
    one, two = (method().prepare(each, output) for each in (graph, scrambled))
    used = one.label_weight != 0
    assert torch.equal(one.label_weight, two.label_weight)
    assert torch.equal(one.labels[used], two.labels[used])
    assert torch.equal(one.inputs, two.inputs)
    if one.soft is not None:
        assert torch.equal(one.soft.table, two.soft.table)


@pytest.mark.parametrize("method", catalogue(methods).values())
def test_settings_have_defaults_and_are_kept_under_their_own_names(method: type[Method]) -> None:
    made = method()
    assert all(hasattr(made, name) for name in parameters_of(method))
    assert made.influence == "none" or made.influence in catalogue(influence)
