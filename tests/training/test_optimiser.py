"""Update rule, schedules and clipping, against torch's own and against the formulas."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from graphkd import Training
from graphkd.training.fit.loop import fit
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.optimiser import Optimiser

EPOCHS = 6
TARGETS = torch.tensor([[3.0, -1.0, 0.5], [-200.0, 40.0, 9.0]])
"""Of two steps of an epoch; gradients of the second are long."""


def literal_factor(schedule: str, warmup: int, epoch: int, epochs: int) -> float:
    if epoch < warmup:
        return (epoch + 1) / (warmup + 1)
    passed, of = epoch - warmup, epochs - warmup
    if schedule == "cosine":
        return 0.5 + 0.5 * math.cos(math.pi * passed / of)
    return (of - passed) / of if schedule == "linear" else 1.0


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear"])
@pytest.mark.parametrize("warmup", [0, 1, 5])
def test_rates_follow_the_formula(schedule: str, warmup: int) -> None:
    optimiser = Optimiser(schedule=schedule, warmup=warmup)
    factors = [optimiser.factor(epoch, 12) for epoch in range(12)]
    assert factors == pytest.approx(
        [literal_factor(schedule, warmup, epoch, 12) for epoch in range(12)], rel=1e-12
    )
    assert factors[warmup] == 1.0 == max(factors)
    assert all(0 < factor <= 1 for factor in factors)


def test_without_settings_rates_are_the_same_bits() -> None:
    assert [0.1 * Optimiser().factor(epoch, 3) for epoch in range(3)] == [0.1] * 3


def weight_after(optimiser: Optimiser, decay: float = 0.0) -> torch.Tensor:
    """The weight after ``EPOCHS`` of two steps; learning has begun after the second epoch."""
    model = nn.Linear(3, 1, bias=False)
    nn.init.ones_(model.weight)
    scores = iter(range(1, EPOCHS + 1))

    def steps(epoch: int) -> Iterator[dict[str, torch.Tensor]]:
        for target in TARGETS:
            yield {"loss": loss_of(model.weight, target) + (0.0 if epoch else 1e6)}

    score = lambda: torch.tensor(float(next(scores)))  # noqa: E731
    groups: list[dict[str, Any]] = [{"params": list(model.parameters()), "lr": 0.1}]
    spec = TrainSpec(model, lambda _: model.state_dict(), [groups], [decay], steps, score, optimiser=optimiser)
    (result,) = fit("student", spec, Training(max_epochs=EPOCHS), [[]])
    assert result.best_epoch == EPOCHS - 1
    return model.weight.detach()


def loss_of(weight: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (weight - target).square().sum()


def literal_weight(rule: Any, optimiser: Optimiser, decay: float = 0.0) -> torch.Tensor:
    """The same by a loop over torch's optimiser, whose weight decay begins in the third epoch."""
    weight = nn.Parameter(torch.ones(1, 3))
    optimizer = rule([weight], lr=0.1, weight_decay=0.0, fused=True)
    for epoch in range(EPOCHS):
        factor = literal_factor(optimiser.schedule, optimiser.warmup, epoch, EPOCHS)
        optimizer.param_groups[0].update(lr=0.1 * factor, weight_decay=decay if epoch > 1 else 0.0)
        for target in TARGETS:
            optimizer.zero_grad()
            loss_of(weight, target).backward()
            if optimiser.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_([weight], optimiser.clip_norm)
            optimizer.step()
    return weight.detach()


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize(
    "settings", [{}, {"schedule": "cosine", "warmup": 2}, {"schedule": "linear"}, {"warmup": 3}]
)
def test_both_rules_are_torch_s_under_every_schedule(settings: dict[str, Any], decay: float) -> None:
    ends = []
    for name, rule in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
        optimiser = Optimiser(name, **settings)
        ends.append(weight_after(optimiser, decay))
        torch.testing.assert_close(ends[-1], literal_weight(rule, optimiser, decay), rtol=1e-6, atol=0)
    assert torch.equal(*ends) == (decay == 0)


@pytest.mark.parametrize("clip_norm", [0.5, 20.0, 1e6])
def test_clipping_is_torch_s(clip_norm: float) -> None:
    optimiser = Optimiser(clip_norm=clip_norm)
    weight = weight_after(optimiser)
    assert torch.equal(weight, literal_weight(torch.optim.Adam, optimiser))
    assert torch.equal(weight, weight_after(Optimiser())) == (clip_norm == 1e6)


def test_every_member_is_clipped_by_a_norm_of_its_own() -> None:
    generator = torch.Generator().manual_seed(0)
    members = [[nn.Parameter(torch.zeros(size, dtype=torch.float64)) for size in (3, 2)] for _ in range(3)]
    grads = [[scale * torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in member]
             for scale, member in zip((0.1, 1.0, 50.0), members, strict=True)]  # fmt: skip
    for member, mine in zip(members, grads, strict=True):
        for parameter, grad in zip(member, mine, strict=True):
            parameter.grad = grad.clone()
    groups = [[{"params": [parameter], "lr": 0.1} for parameter in member] for member in members]
    Optimiser(clip_norm=1.0).clip(groups)
    for member, mine in zip(members, grads, strict=True):
        norm = math.sqrt(sum(float(entry) ** 2 for grad in mine for entry in grad))
        factor = min(1.0, 1.0 / (norm + 1e-6))
        for parameter, grad in zip(member, mine, strict=True):
            assert parameter.grad.tolist() == pytest.approx([factor * entry for entry in grad.tolist()], rel=1e-12)
