import pytest
import torch

from graphkd.layers import dropout, make_norm


def test_dropout_keeps_the_right_share_and_the_expectation() -> None:
    torch.manual_seed(0)
    x = torch.ones(300, 1001)
    for p in (0.1, 0.5, 0.9):
        out = dropout(x, p, training=True)
        values = out.unique()
        assert values.tolist() == pytest.approx([0.0, 1 / (1 - p)], rel=1e-4)
        assert float((out == 0).float().mean()) == pytest.approx(p, abs=0.003)
        assert float(out.mean()) == pytest.approx(1.0, abs=0.02)


def test_dropout_is_independent_across_rows_and_columns() -> None:
    torch.manual_seed(1)
    kept = (dropout(torch.ones(400, 257), 0.5, training=True) > 0).double() - 0.5
    shifts = [kept[:, 1:] * kept[:, :-1], kept[:, 4:] * kept[:, :-4], kept[1:] * kept[:-1]]
    assert all(abs(float(product.mean())) < 0.005 for product in shifts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_gradient_passes_where_the_value_passed(dtype: torch.dtype) -> None:
    torch.manual_seed(2)
    x = torch.randn(70, 999, dtype=dtype).t().requires_grad_()
    out = dropout(x, 0.3, training=True)
    out.backward(torch.full_like(out, 2.0))
    torch.testing.assert_close(out, x * x.grad / 2)
    assert set(x.grad.unique().tolist()) == {0.0, x.grad.max().item()}


def test_the_same_seed_drops_the_same_and_evaluation_drops_nothing() -> None:
    x = torch.randn(50, 40)
    torch.manual_seed(3)
    one = dropout(x, 0.4, training=True)
    torch.manual_seed(3)
    assert torch.equal(one, dropout(x, 0.4, training=True))
    assert not torch.equal(one, dropout(x, 0.4, training=True))
    assert dropout(x, 0.4, training=False) is x
    assert dropout(x, 0.0, training=True) is x


def test_batch_normalisation_trains_on_one_row_by_its_running_statistics() -> None:
    torch.manual_seed(0)
    norm, plain = make_norm("batch", 3), torch.nn.BatchNorm1d(3)
    rows, one = torch.randn(5, 3), torch.randn(1, 3)
    torch.testing.assert_close(norm(rows), plain(rows))
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    out = norm(one)
    torch.testing.assert_close(out, plain.eval()(one))
    out.sum().backward()
    assert norm.bias.grad.tolist() == [1.0, 1.0, 1.0]
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


def test_dropout_close_to_one_stays_finite() -> None:
    assert dropout(torch.ones(1000), 1 - 1e-7, training=True).isfinite().all()
