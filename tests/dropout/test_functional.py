import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.distributed.shard import Shard, shard_scope
from graphkd.dropout import dropout, relu_dropout, stacked_relu_dropout


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


def test_dropout_close_to_one_stays_finite() -> None:
    assert dropout(torch.ones(1000), 1 - 1e-7, training=True).isfinite().all()


def joined(z: Tensor, p: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return relu_dropout(z * 1, p, True, generator)


def apart(z: Tensor, p: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    hidden = F.relu(z * 1)
    return hidden, dropout(hidden, p, True, generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (300, 1001)])
@pytest.mark.parametrize("read", ["hidden", "dropped", "both"])
def test_joined_to_the_activation_it_is_the_same(shape: tuple[int, int], dtype: torch.dtype, read: str) -> None:
    z = torch.randn(shape, generator=torch.Generator().manual_seed(4)).to(dtype)
    weights = torch.randn(2, *shape, generator=torch.Generator().manual_seed(5)).to(dtype)
    found = []
    for run in (joined, apart):
        own = z.clone().requires_grad_()
        hidden, dropped = run(own, 0.3, torch.Generator().manual_seed(6))
        terms = {"hidden": weights[0] * hidden, "dropped": weights[1] * dropped}
        sum(term.sum() for name, term in terms.items() if read in (name, "both")).backward()
        found.append((hidden, dropped, own.grad))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_joined_and_alone_drop_nothing_in_evaluation_and_the_same_of_a_part() -> None:
    z = torch.randn(20, 6)
    hidden, dropped = relu_dropout(z.clone(), 0.5, training=False)
    assert dropped is hidden
    assert torch.equal(hidden, F.relu(z))
    rows = slice(5, 12)
    whole = joined(z, 0.5, torch.Generator().manual_seed(7))
    with shard_scope(Shard(rows, 20)):
        own = joined(z[rows], 0.5, torch.Generator().manual_seed(7))
    for one, other in zip(whole, own, strict=True):
        torch.testing.assert_close(one[rows], other)


def test_rows_that_are_not_contiguous_are_no_exception() -> None:
    z = torch.randn(30, 40).t()
    one = joined(z, 0.5, torch.Generator().manual_seed(8))
    assert (one[0] == F.relu(z)).all()
    assert set((one[1] / one[0])[one[0] > 0].unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("rates", [(0.5, 0.5, 0.5), (0.1, 0.0, 0.7), (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_of_several_each_is_as_it_is_alone(rates: tuple[float, ...], dtype: torch.dtype) -> None:
    z, weights = torch.randn(3, 50, 7).to(dtype), torch.randn(2, 3, 50, 7).to(dtype)
    generators = [[torch.Generator().manual_seed(seed) for seed in (1, 2, 3)] for _ in range(2)]
    both = z.clone().requires_grad_()
    found = stacked_relu_dropout(both * 1, rates, generators[0])
    sum((weight * part).sum() for weight, part in zip(weights, found, strict=True)).backward()
    for k, (p, generator) in enumerate(zip(rates, generators[1], strict=True)):
        own = z[k].clone().requires_grad_()
        alone = relu_dropout(own * 1, p, True, generator)
        sum((weight[k] * part).sum() for weight, part in zip(weights, alone, strict=True)).backward()
        for one, other in zip(found, alone, strict=True):
            assert torch.equal(one[k], other)
        assert torch.equal(both.grad[k], own.grad)
