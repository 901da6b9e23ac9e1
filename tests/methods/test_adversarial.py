import pytest
import torch

from graphkd import GraphKDError
from graphkd.methods import adversarial
from graphkd.methods.adversarial import dense_rows, perturbed
from graphkd.sparse import SparseMatrix
from tests import literal
from tests.strategies import seeded

WEIGHT = torch.randn(4, 5, generator=seeded(3), dtype=torch.float64)


def test_an_attack_stays_within_epsilon_and_raises_the_loss_above_that_of_noise() -> None:
    x, q = torch.randn(30, 5, generator=seeded(0)).double(), torch.randn(30, 4, generator=seeded(1)).double()

    def loss(point: torch.Tensor) -> torch.Tensor:
        return literal.node_loss(point @ WEIGHT.t(), q, 1.0)

    found, noise = perturbed(loss, x, 0.1, 5), perturbed(loss, x, 0.1, 0)
    assert float((found - x).abs().max()) <= 0.1 + 1e-12
    assert float((found - x).abs().mean()) > 0.08  # of noise, 0.05; at corners, but where a slope changes its sign
    assert loss(found) > loss(noise) + 0.05
    assert not found.requires_grad


def test_the_ascent_leaves_no_gradient_on_parameters() -> None:
    weight = torch.nn.Parameter(WEIGHT.clone())
    perturbed(lambda point: (point @ weight.t()).square().sum(), torch.randn(6, 5).double(), 0.1, 3)
    assert weight.grad is None


def test_too_many_sparse_rows_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adversarial, "MOST_ENTRIES", 40)
    x = SparseMatrix.from_torch(torch.eye(9, 5).to_sparse_csr())
    with pytest.raises(
        GraphKDError, match=r"9 sparse rows of 5 entries are too many: set training.batch_size=2, or"
    ):
        dense_rows(x, "nosmog")
    assert dense_rows(x.select(torch.arange(8)), "nosmog").shape == (8, 5)
