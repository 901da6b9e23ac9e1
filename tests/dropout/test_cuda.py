"""What a CUDA device does, on a CPU where there is none: by the kernel, interpreted, and by torch's calls."""

import pytest
import torch
from torch import Tensor

from graphkd.dropout import cpu, cuda
from tests.dropout.tables import of

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(params=["triton", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "triton":
        pytest.importorskip("triton")
    monkeypatch.setattr(cuda, "has_triton", lambda: request.param == "triton")


def generators(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (70, 131)])
def test_a_table_is_dropped_as_on_a_cpu(shape: tuple[int, int], dtype: torch.dtype, way: None) -> None:
    x, weight = of(shape, dtype, 1), of(shape, dtype, 2)
    found = []
    for run, place in ((cuda.Dropout, DEVICE), (cpu.Dropout, "cpu")):
        own = x.to(place, copy=True).requires_grad_()
        out = run.apply(own, 0.3, *generators(1))
        (weight.t().to(place) * out.t()).sum().backward()
        found.append((out.cpu(), own.grad.cpu()))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("read", ["hidden", "dropped", "both"])
@pytest.mark.parametrize("rates", [(0.5,), (0.3, 0.3, 0.3), (0.0, 0.3, 0.9)])
def test_joined_to_the_activation_it_is_as_on_a_cpu(rates: tuple[float, ...], read: str, way: None) -> None:
    z, weights = of((len(rates), 41, 30), torch.float32, 3), of((2, len(rates), 41, 30), torch.float32, 4)
    found: list[tuple[Tensor, ...]] = []
    for run, place in ((cuda.ReluDropout, DEVICE), (cpu.ReluDropout, "cpu")):
        own = z.to(place, copy=True).requires_grad_()
        hidden, dropped = run.apply(own * 1, rates, generators(len(rates)))
        terms = {"hidden": weights[0].to(place) * hidden, "dropped": weights[1].to(place) * dropped}
        sum(term.sum() for name, term in terms.items() if read in (name, "both")).backward()
        found.append((hidden.cpu(), dropped.cpu(), own.grad.cpu()))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)  # a device may add and multiply at once


def test_what_is_not_a_number_stays_so(way: None) -> None:
    z = torch.full((2, 9), float("nan"), device=DEVICE)
    hidden, dropped = cuda.ReluDropout.apply(z, (0.5,), generators(1))
    assert hidden.isnan().all()
    assert dropped.isnan().all()


@pytest.mark.parametrize("told", [(0,), (1,), (0, 1)])
def test_not_even_what_is_infinite_comes_through_what_is_not_active(told: tuple[int, ...], way: None) -> None:
    z = torch.tensor([[-1.0, 2.0] * 10], device=DEVICE, requires_grad=True)
    outputs = cuda.ReluDropout.apply(z * 1, (0.3,), generators(1))
    upstream = torch.tensor([[float("inf"), 1.0] * 10], device=DEVICE)
    (grad,) = torch.autograd.grad([outputs[k] for k in told], z, [upstream] * len(told))
    assert (grad[:, ::2] == 0).all()
    assert grad.isfinite().all()


def test_short_numbers_are_multiplied_in_single_precision(way: None, request: pytest.FixtureRequest) -> None:
    z, told = (of((4, 300), torch.bfloat16, seed) for seed in (5, 6))
    own, other = z.to(DEVICE, copy=True).requires_grad_(), z.float().requires_grad_()
    hidden, dropped = cuda.ReluDropout.apply(own * 1, (0.3,), generators(1))
    assert (hidden.dtype, dropped.dtype) == (torch.bfloat16, torch.bfloat16)
    _, wanted = cpu.ReluDropout.apply(other * 1, (0.3,), generators(1))
    dropped.backward(told.to(DEVICE))
    wanted.backward(told.float())
    # The interpreter cuts digits off where everything else rounds.
    interpreted = DEVICE == "cpu" and "triton" in request.node.name
    for short, single in ((dropped, wanted), (own.grad, other.grad)):
        torch.testing.assert_close(short.cpu(), single.bfloat16(), rtol=2**-7 if interpreted else 0, atol=0)
