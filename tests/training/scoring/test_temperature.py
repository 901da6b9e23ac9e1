import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from graphkd.students import MLP
from graphkd.training.scoring.temperature import fit_temperature, scale_last_layer
from tests.deploy.bundles import student


def loss(z: list[list[float]], y: list[int], temperature: float) -> float:
    """The mean of ``−log softmax(z_v / T)_{y_v}``, as a loop."""
    total = 0.0
    for row, label in zip(z, y, strict=True):
        scaled = [value / temperature for value in row]
        top = max(scaled)
        total += top + math.log(sum(math.exp(value - top) for value in scaled)) - scaled[label]
    return total / len(y)


def drawn(seed: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits whose labels are drawn from them, then multiplied: the temperature is near the factor."""
    generator = torch.Generator().manual_seed(seed)
    z = 2 * torch.randn(60, 3, generator=generator)
    y = torch.multinomial(torch.softmax(z, dim=1), 1, generator=generator).squeeze(1)
    return scale * z, y


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), scale=st.sampled_from([0.2, 1.0, 5.0]))
def test_it_is_the_minimum_that_scipy_finds(seed: int, scale: float) -> None:
    z, y = drawn(seed, scale)
    rows, labels = z.double().tolist(), y.tolist()
    found = minimize_scalar(lambda log: loss(rows, labels, math.exp(log)), bounds=(-4, 4), options={"xatol": 1e-9})
    assert fit_temperature(z, y) == pytest.approx(math.exp(found.x), rel=1e-5)
    assert loss(rows, labels, fit_temperature(z, y)) <= found.fun + 1e-12


def test_logits_that_are_multiplied_have_the_multiple_as_their_temperature() -> None:
    z, y = drawn(0, 1.0)
    assert fit_temperature(7 * z.double(), y) == pytest.approx(7 * fit_temperature(z.double(), y), rel=1e-9)


def test_where_every_node_is_right_no_temperature_is_the_best_one() -> None:
    with pytest.warns(UserWarning, match="the validation nodes determine no temperature from 0.01 to 100"):
        assert fit_temperature(3 * torch.eye(3), torch.arange(3)) == 1.0


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_last_layer_divides_the_logits_and_leaves_the_classes(norm: str) -> None:
    model, x = student(norm), torch.randn(200, 5)
    assert isinstance(model, MLP)
    before = model(x).logits
    scale_last_layer(model, 1.7)
    assert torch.allclose(model(x).logits, before / 1.7, atol=1e-6)
    assert torch.equal(model(x).logits.argmax(dim=1), before.argmax(dim=1))
