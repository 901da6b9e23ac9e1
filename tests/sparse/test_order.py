import pytest
import torch

from graphkd.sparse import Features, SparseMatrix, order, spmm_linear
from tests.sparse.test_matrix import sparse


@pytest.mark.parametrize("width", [3, 9])
@pytest.mark.parametrize("rows", [2, 6])
def test_both_orders_are_the_product_on_dense_and_sparse_rows(width: int, rows: int) -> None:
    torch.manual_seed(0)
    operator = torch.randn(rows, 6, dtype=torch.float64) * (torch.rand(rows, 6) < 0.5)
    x, weight = torch.randn(6, 5, dtype=torch.float64), torch.randn(width, 5, dtype=torch.float64)
    bias = torch.randn(width, dtype=torch.float64)
    for features in (x, sparse(x)):
        out = spmm_linear(sparse(operator), features, weight, bias)
        torch.testing.assert_close(out, operator @ x @ weight.t() + bias)


@pytest.mark.parametrize(
    ("senders", "d", "h", "expected"),
    [
        (4, 2, 3, "propagate"),  # square: the narrower side
        (4, 3, 2, "project"),
        (4, 3, 3, "project"),
        (400, 3, 2, "propagate"),  # 8 entries: 128 · 1 < 396 · 6
        (20, 3, 2, "project"),  # 128 > 16 · 6
    ],
)
def test_the_cheaper_order_is_taken(
    senders: int, d: int, h: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def linear(x: Features, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        seen.append("propagate" if x.shape[0] == 4 and bias is not None else "project")
        return x @ weight.t()

    monkeypatch.setattr(order, "linear", linear)
    col = torch.arange(8) % 4
    operator = SparseMatrix(torch.tensor([0, 2, 4, 6, 8]), col, torch.ones(8), senders)
    spmm_linear(operator, torch.ones(senders, d), torch.ones(h, d), torch.ones(h))
    assert seen == [expected]
