import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.influence import confidence, reliability
from tests.influence import twins
from tests.strategies import tables

NONE = torch.zeros(2, 0, dtype=torch.long)


@given(logits=tables(6, 4, low=-20.0))
def test_confidence_is_entropy_turned_round(logits: torch.Tensor) -> None:
    most = torch.tensor(4.0).double().log().item()
    expected = twins.scaled([most - h for h in twins.entropy(logits)], noise=1e-12)
    ours = confidence(torch.ones(6, 1), NONE, logits=logits)
    torch.testing.assert_close(ours.double(), expected, atol=1e-6, rtol=0)


@given(x=tables(5, 3), layer=tables(3, 4), seed=st.integers(0, 9), std=st.sampled_from([0.1, 1.0]))
def test_reliability_is_one_less_the_change_of_entropy(
    x: torch.Tensor, layer: torch.Tensor, seed: int, std: float
) -> None:
    noise = std * torch.randn(5, 3, generator=torch.Generator().manual_seed(seed)).double()
    before, after = twins.entropy(x @ layer), twins.entropy((x + noise) @ layer)
    change = [abs(one - other) for one, other in zip(before, after, strict=True)]
    if max(change) - min(change) < 1e-9:
        return  # nothing but rounding to rank
    expected = twins.scaled([1 - each / max(change) for each in change])
    ours = reliability(
        x, NONE, std=std, seed=seed, logits=x @ layer, perturbed=lambda noise: (x + noise.double()) @ layer
    )
    torch.testing.assert_close(ours.double(), expected, atol=1e-5, rtol=0)


@given(x=tables(5, 3))
def test_a_teacher_that_noise_does_not_move(x: torch.Tensor) -> None:
    assert torch.equal(reliability(x, NONE, logits=x, perturbed=lambda noise: x), torch.ones(5))


def test_one_class_is_equally_sure_everywhere() -> None:
    x = torch.rand(4, 1)
    assert torch.equal(confidence(x, NONE, logits=x), torch.ones(4))
    assert torch.equal(reliability(x, NONE, logits=x, perturbed=lambda noise: x + noise), torch.ones(4))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"std": 0.0}, "influence.std is 0.0"),
        ({"std": float("inf")}, "std is inf"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    x = torch.rand(4, 2)
    with pytest.raises(GraphKDError, match=message):
        reliability(x, NONE, logits=x, perturbed=lambda noise: x + noise, **keys)
