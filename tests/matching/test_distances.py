import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from graphkd.matching.distances import DISTANCES
from tests.matching import distance_twins
from tests.memory import peak_growth
from tests.strategies import tables

BY_NODE = [name for name, distance in DISTANCES.items() if distance.by_node]


def value_and_gradient(function, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    leaf = student.clone().requires_grad_()
    value = function(leaf, teacher)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


@pytest.mark.parametrize("name", BY_NODE)
@settings(max_examples=15)
@given(student=tables(5, 3), teacher=tables(5, 3))
def test_distances_equal_loops_over_nodes_in_value_and_gradient(
    name: str, student: torch.Tensor, teacher: torch.Tensor
) -> None:
    found = value_and_gradient(DISTANCES[name], student, teacher)
    expected = value_and_gradient(getattr(distance_twins, name), student, teacher)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", BY_NODE)
def test_every_node_has_its_share(name: str) -> None:
    student, teacher = torch.randn(7, 3), torch.randn(7, 3)
    shares = DISTANCES[name].of(student, teacher)
    assert shares.shape == (7,)
    assert (shares > 0).all()
    torch.testing.assert_close(shares.mean(), DISTANCES[name](student, teacher))


@pytest.mark.parametrize("name", DISTANCES)
def test_equal_layers_have_no_distance_and_no_gradient(name: str) -> None:
    x = torch.randn(50, 8)
    value, gradient = value_and_gradient(DISTANCES[name], x, x)
    assert 0 <= value + 1e-6 < 2e-6
    assert gradient.abs().max() < 1e-6


@pytest.mark.parametrize("name", ["normalized_mse", "cosine", "layer_norm", "standardized_mse", "cka"])
def test_scale_does_not_matter(name: str) -> None:
    student, teacher = torch.randn(50, 8), torch.randn(50, 8)
    plain = DISTANCES[name](student, teacher)
    torch.testing.assert_close(DISTANCES[name](5 * student, 0.5 * teacher), plain, rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", ["layer_norm", "standardized_mse", "cka"])
def test_a_number_added_to_a_layer_does_not_matter(name: str) -> None:
    student, teacher = torch.randn(50, 8), torch.randn(50, 8)
    plain = DISTANCES[name](student, teacher)
    torch.testing.assert_close(DISTANCES[name](student + 3, teacher - 2), plain, rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("normalized_mse", 4.0), ("cosine", 2.0), ("layer_norm", 4.0), ("standardized_mse", 4.0)],
)
def test_opposite_layers_are_at_the_far_end(name: str, expected: float) -> None:
    x = torch.randn(50, 8)
    assert float(DISTANCES[name](x, -x)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("value", [0.0, 0.1])
def test_constant_layers_have_a_finite_distance_and_gradient(name: str, value: float) -> None:
    flat, x = torch.full((60, 4), value), torch.randn(60, 4)
    for student, teacher in ((flat, x), (x, flat), (flat, flat)):
        found = value_and_gradient(DISTANCES[name], student, teacher)
        assert all(tensor.isfinite().all() for tensor in found)


@pytest.mark.slow
def test_no_distance_makes_a_matrix_of_nodes_by_nodes() -> None:
    setup = (
        "import torch; from graphkd.matching.distances import DISTANCES\n"
        "s, t = torch.randn(50_000, 16, requires_grad=True), torch.randn(50_000, 16)"
    )
    assert peak_growth(setup, "for distance in DISTANCES.values(): distance(s, t).backward()") < 100e6
