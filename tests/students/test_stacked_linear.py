"""The layer of several members against each of them alone."""

import pytest
import torch
from torch import nn

from graphkd.students.stacked_linear import Joined, StackedLinear, weight_gradient
from tests.strategies import seeded


def members(count: int, rows: int, columns: int) -> list[nn.Linear]:
    torch.manual_seed(0)
    return [nn.Linear(columns, rows) for _ in range(count)]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_each_is_what_it_is_alone(shared: bool, precision: torch.dtype | None) -> None:
    layers = members(3, 5, 7)
    h = torch.randn(1 if shared else 3, 11, 7, generator=seeded(1)).expand(3, 11, 7)
    told = torch.randn(3, 11, 5, generator=seeded(2))
    tables = [torch.stack([getattr(each, name).detach() for each in layers]) for name in ("weight", "bias")]
    parameters = [getattr(each, name) for name in ("weight", "bias") for each in layers]
    both, found = h.detach().requires_grad_(), []
    for run in ("together", "alone"):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is not None):
            if run == "together":
                out = StackedLinear.apply(both, *tables, *parameters)
            else:
                out = torch.stack([layer(own) for layer, own in zip(layers, both, strict=True)])
        assert out.dtype == (precision or torch.float32)
        found.append([out, *torch.autograd.grad((told * out).sum(), [both, *parameters])])
    for one, other in zip(*found, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, **({} if precision is None else {"rtol": 0.02, "atol": 0.05}))


def test_the_gradient_of_a_joined_table_is_that_of_its_rows() -> None:
    parts = [nn.Parameter(torch.ones(2, 3)) for _ in range(2)]
    told = torch.arange(12.0).view(3, 2, 2).permute(1, 2, 0)
    (told * Joined.apply(torch.ones(2, 2, 3), *parts)).sum().backward()
    for part, wanted in zip(parts, told, strict=True):
        assert torch.equal(part.grad, wanted)
        assert part.grad.is_contiguous()


def test_the_weights_of_a_table_that_all_share() -> None:
    grad, rows = torch.randn(3, 11, 5, generator=seeded(3)), torch.randn(11, 7, generator=seeded(4))
    found = weight_gradient(grad, rows.expand(3, 11, 7))
    torch.testing.assert_close(found, torch.stack([own.t() @ rows for own in grad]))


def test_a_table_that_all_share_stays_one_in_short_numbers() -> None:
    layers, kept = members(3, 5, 7), []
    tables = [torch.stack([getattr(each, name).detach() for each in layers]) for name in ("weight", "bias")]
    parameters = [getattr(each, name) for name in ("weight", "bias") for each in layers]
    watched = torch.autograd.graph.saved_tensors_hooks(
        lambda saved: kept.append(saved) or saved, lambda saved: saved
    )
    with torch.autocast("cpu", torch.bfloat16), watched:
        StackedLinear.apply(torch.ones(11, 7).expand(3, 11, 7), *tables, *parameters)
    assert [saved.untyped_storage().nbytes() for saved in kept if saved.shape == (3, 11, 7)] == [2 * 11 * 7]
