"""What every exported method promises; a new one is covered by being exported."""

import functools
from collections.abc import Callable

import pytest
import torch

from graphkd import influence, methods, students, teachers
from graphkd.datasets import Graph
from graphkd.methods import Method
from graphkd.registry import catalogue
from graphkd.teachers import Teacher
from graphkd.testing import METHOD_CHECKS
from graphkd.testing.methods import teacher_output
from tests.conftest import make_data
from tests.networks import teacher_like

SHORT = {"simmlp": functools.partial(methods.SimMLP, pretrain_epochs=3)}
"""Methods that train for long by default."""


LONG = ("tined", "tined_plus", "cohop", "progmlp", "nosmog", "vqgraph")
"""Methods whose runs, killed and resumed again and again, take seconds."""

CHECKS = [
    pytest.param(
        method,
        check,
        marks=[pytest.mark.slow] * (method.name in LONG and check.__name__ == "resumes_with_the_same_bits"),
        id=f"{method.name}-{check.__name__}",
    )
    for method in catalogue(methods).values()
    for check in METHOD_CHECKS
]


@pytest.mark.parametrize(("method", "check"), CHECKS)
def test_it_keeps_its_promise(method: type[Method], check: Callable[[type[Method]], None]) -> None:
    check(SHORT.get(method.name, method))


@pytest.mark.parametrize("method", catalogue(methods).values())
def test_it_declares_whether_its_steps_read_edges(method: type[Method]) -> None:
    graph = Graph.from_data(make_data())
    kind = SHORT.get(method.name, method)()
    targets = kind.prepare(graph, teacher_output(graph, kind.needs_teacher))
    assert (targets.edges is not None) == method.live_edges


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("part", [*catalogue(teachers).values(), *catalogue(students).values()])
def test_no_parameter_is_without_a_gradient(part: type, norm: str) -> None:
    """In float64, where rounding is far below any real gradient: a bias before a batch norm would have none."""
    graph = Graph.from_data(make_data())
    torch.manual_seed(0)
    keys = {"num_layers": 3, "dropout": 0.0, "norm": norm}
    network = teacher_like(part, graph.num_features, 8, graph.num_classes, **keys).double()
    for parameter in network.parameters():
        # Attention that starts at zero is a mean, whatever its receiver's share.
        parameter.data += 0.1 * torch.randn_like(parameter)
    is_student = part in catalogue(students).values()
    x = graph.x.double()
    output = network(x) if is_student else network(x, graph.adj)
    loss = Teacher.loss if is_student else type(network).loss
    loss(network, output, graph.y, graph.train)["loss"].backward()
    largest = {name: float(parameter.grad.abs().max()) for name, parameter in network.named_parameters()}
    assert all(size > 1e-10 for size in largest.values()), largest


@pytest.mark.parametrize("method", catalogue(methods).values())
def test_its_influence_is_one_that_there_is(method: type[Method]) -> None:
    assert method.influence == "none" or method.influence in catalogue(influence)
