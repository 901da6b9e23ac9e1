import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from graphkd.sparse import Adjacency
from graphkd.teachers.edge_error import edge_error, scaled_to_one
from tests.literal import dense_adjacency
from tests.strategies import edge_lists, seeded, tables


def literal_error(z: Tensor, edges: Tensor) -> Tensor:
    """sqrt(mean over all (i, j) of (A_ij - g_ij)^2), A with ones on its diagonal, g = <z_i, z_j> from 0 to 1."""
    count, adjacency = z.shape[0], dense_adjacency(edges, z.shape[0])
    products = torch.stack([torch.stack([(z[i] * z[j]).sum() for j in range(count)]) for i in range(count)])
    g = (products - products.min()) / (products.max() - products.min())
    total = torch.zeros((), dtype=torch.float64)
    for i in range(count):
        for j in range(count):
            total = total + ((1.0 if i == j else float(adjacency[i, j])) - g[i, j]) ** 2
    return torch.sqrt(total / count**2)


@settings(max_examples=20)
@given(edges=edge_lists(5), z=tables(5, 3))
def test_of_all_pairs_it_is_the_formula(edges: Tensor, z: Tensor) -> None:
    z = z + torch.randn(5, 3, generator=seeded(0), dtype=torch.float64)  # pairs of one product have many gradients
    mine, other = z.clone().requires_grad_(), z.clone().requires_grad_()
    found, expected = edge_error(mine, Adjacency(edges, 5), 25), literal_error(other, edges)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    found.backward()
    expected.backward()
    torch.testing.assert_close(mine.grad, other.grad, rtol=1e-8, atol=1e-10)


def test_of_drawn_pairs_it_is_near() -> None:
    draw = seeded(1)
    edges = torch.randint(60, (2, 400), generator=draw)
    z = torch.randn(60, 3, generator=draw, dtype=torch.float64).requires_grad_()
    torch.manual_seed(0)
    exact = edge_error(z, Adjacency(edges, 60), 3600)
    found = torch.stack([edge_error(z, Adjacency(edges, 60), 3000) for _ in range(30)])
    assert float(found.detach().std()) > 0
    assert float(found.detach().mean()) == pytest.approx(float(exact.detach()), rel=0.03)


def test_where_all_products_are_alike_it_has_a_gradient() -> None:
    z = torch.zeros(4, 3, requires_grad=True)
    edge_error(z, Adjacency(torch.zeros(2, 0).long(), 4), 16).backward()
    assert bool(z.grad.isfinite().all())
    assert torch.equal(scaled_to_one(torch.ones(3)), torch.zeros(3))
