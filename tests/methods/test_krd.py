from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.influence import reliability
from graphkd.methods import KRD, Epoch, Targets
from graphkd.methods.krd import fitted_power
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, seeded, tables

RING = torch.tensor([[0, 1, 2, 3, 4, 5, 1, 2], [1, 2, 3, 4, 5, 0, 0, 1]])


def epoch(number: int, seed: int = 0, logits: Callable[[], torch.Tensor] | None = None) -> Epoch:
    return Epoch(number, 100, seed, torch.device("cpu"), logits or (lambda: torch.zeros(6, 4)))


def started(method: KRD, influence: torch.Tensor | None, edges: torch.Tensor = RING, seed: int = 0) -> Targets:
    """Targets of six nodes with a drawn teacher, for a method whose buffers are registered."""
    teacher = TeacherOutput(torch.randn(6, 4, generator=seeded(seed), dtype=torch.float64))
    targets = method.prepare(graph_of(edges, 6, influence=influence), teacher)
    method.build(torch.nn.Identity, targets, teacher)
    return targets


def drawn(targets: Targets) -> list[tuple[int, int]]:
    """(receiver, sender) of the edges that this epoch has."""
    weights = targets.soft.fold.weights
    ends = zip(weights.row.tolist(), weights.col.tolist(), weights.value.tolist(), strict=True)
    return [(i, j) for i, j, value in ends if value > 0]


@given(edges=edge_lists(6), teacher=tables(6, 4), student=tables(6, 4))
def test_while_it_warms_up_it_equals_its_formula_over_all_edges(
    edges: torch.Tensor, teacher: torch.Tensor, student: torch.Tensor
) -> None:
    graph, method = graph_of(edges, 6), KRD(lam=0.3, tau=1.4)
    targets = method.prepare(graph, TeacherOutput(teacher))

    def formula(z: torch.Tensor) -> torch.Tensor:
        label = literal.label_loss(z, graph.y, graph.train, torch.ones(6))
        return 0.3 * label + 0.7 * literal.edge_loss(z, teacher, edges, 1.4, torch.ones(6), "reference")

    assert_same_loss(
        lambda z: method.loss(StudentOutput(z, []), targets)["loss"], formula, student, scale=1.5, tolerance=1e-10
    )
    assert targets.inputs is graph.x


@settings(max_examples=20)
@given(
    edges=edge_lists(6),
    teacher=tables(6, 4),
    student=tables(6, 4),
    influence=tables(6, 1, low=0.0),
    seed=st.integers(0, 99),
)
def test_the_folded_loss_equals_a_loop_over_the_drawn_edges(
    edges: torch.Tensor, teacher: torch.Tensor, student: torch.Tensor, influence: torch.Tensor, seed: int
) -> None:
    method = KRD(lam=0.0, tau=0.8, power=0.7, warmup=0)
    graph = graph_of(edges, 6, influence=influence[:, 0] / 3.0)
    targets = method.prepare(graph, TeacherOutput(teacher))
    method.build(torch.nn.Identity, targets, TeacherOutput(teacher))
    for number in range(2):  # the second draw starts from what the first left
        method.on_epoch_start(replace(epoch(number, seed), logits=lambda: student), targets)
        kept = drawn(targets)
        assert set(kept) - {(i, i) for i in range(6)} <= set(formulas.directed_edges(edges, 6))
        assert_same_loss(
            lambda z: method.loss(StudentOutput(z, []), targets)["loss"],
            lambda z, kept=kept: formulas.drawn_edge_loss(z, teacher, kept, 0.8),
            student,
            scale=1.5,
            tolerance=1e-10,
        )


def test_edges_are_drawn_with_the_probability_of_their_sender_and_loops_always() -> None:
    rho = torch.tensor([0.0, 0.2, 0.5, 0.7, 0.9, 1.0], dtype=torch.float64)
    method, times = KRD(power=1.5, warmup=0), 600
    targets = started(method, 1 - rho)
    count = dict.fromkeys(drawn(targets), 0)
    together = 0
    for seed in range(times):
        method.on_epoch_start(epoch(0, seed), targets)
        kept = drawn(targets)
        together += (0, 1) in kept and (1, 2) in kept
        for pair in kept:
            count[pair] += 1
    assert set(count) == {*formulas.directed_edges(RING, 6), *((i, i) for i in range(6))}
    for (i, j), often in count.items():
        chance = 1.0 if i == j else 1 - float(rho[j]) ** 1.5
        spread = (chance * (1 - chance) * times) ** 0.5
        assert abs(often - chance * times) <= 4 * spread, (i, j)
    # One draw per edge: those of senders 1 and 2 to other receivers have nothing to do with each other.
    both = (1 - 0.2**1.5) * (1 - 0.5**1.5)
    assert abs(together - both * times) <= 4 * (both * (1 - both) * times) ** 0.5


def test_the_draw_is_that_of_seed_and_epoch() -> None:
    influence = torch.full((6,), 0.5)

    def draws(seed: int, number: int) -> list[tuple[int, int]]:
        method = KRD(warmup=0, momentum=1.0)
        targets = started(method, influence)
        torch.rand(3)
        method.on_epoch_start(epoch(number, seed), targets)
        return drawn(targets)

    assert draws(3, 7) == draws(3, 7)
    assert len({tuple(draws(seed, number)) for seed in range(3) for number in range(3)}) > 4


def test_all_edges_are_there_until_the_warm_up_is_over() -> None:
    method = KRD(warmup=3)
    targets = started(method, torch.zeros(6))
    everything, table = drawn(targets), targets.soft.table.clone()
    for number in range(3):
        method.on_epoch_start(epoch(number), targets)
        assert drawn(targets) == everything
        assert torch.equal(targets.soft.table, table)
    method.on_epoch_start(epoch(3), targets)
    assert drawn(targets) == [(i, i) for i in range(6)]  # every sender is as unreliable as can be


def test_without_influence_every_edge_is_drawn() -> None:
    method = KRD(warmup=0)
    targets = started(method, None)
    everything = drawn(targets)
    method.on_epoch_start(epoch(0), targets)
    assert drawn(targets) == everything


def least_power(centres: list[float], rates: list[float]) -> float:
    """The power of least error, from a search over a grid and then between its points."""
    grid = np.exp(np.linspace(np.log(0.02), np.log(500.0), 400)).tolist()
    best = min(range(1, 399), key=lambda k: formulas.power_error(grid[k], centres, rates))
    low, high = grid[best - 1], grid[best + 1]
    for _ in range(80):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        if formulas.power_error(one, centres, rates) < formulas.power_error(two, centres, rates):
            high = two
        else:
            low = one
    return (low + high) / 2


def test_the_power_moves_towards_the_fit_of_a_case_by_hand() -> None:
    """Bins of a quarter: 0 to .25 agrees fully, .25 to .5 by half, .75 to 1 not at all, and .5 to .75 is empty."""
    rho = torch.tensor([0.0, 0.2, 0.3, 0.45, 0.8, 1.0])
    method = KRD(bins=4, momentum=0.75, power=2.0)
    targets = started(method, 1 - rho)
    student = torch.nn.functional.one_hot(targets.tables["teacher_class"], 4).double()
    student[3:] = student[3:].roll(1, dims=1)
    method.on_epoch_start(epoch(1, logits=lambda: student), targets)
    fit = least_power([0.125, 0.375, 0.875], [1.0, 0.5, 0.0])
    assert float(method.power_now) == pytest.approx(0.75 * 2.0 + 0.25 * fit, abs=1e-5)
    second = float(method.power_now)
    method.on_epoch_start(epoch(2, logits=lambda: student), targets)
    assert float(method.power_now) == pytest.approx(0.75 * second + 0.25 * fit, abs=1e-5)


def test_agreement_is_scaled_from_its_least_to_its_largest() -> None:
    """1/3, 1/3 and 1 of three, two-thirds off: 0, 0 and 1 after scaling, as if the first two were 0."""
    rho = torch.tensor([0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9]).double()
    some = torch.tensor([1, 1, 1, 1, 1, 0, 1, 0, 0]).bool()
    more = torch.tensor([1, 1, 1, 1, 0, 1, 0, 0, 1]).bool()
    fit = least_power([1 / 6, 1 / 2, 5 / 6], [1.0, 0.5, 0.0])
    assert fitted_power(rho, some, 3, 1.0) == pytest.approx(fit, abs=1e-5)
    assert fitted_power(rho, more, 3, 1.0) == fitted_power(rho, some, 3, 1.0)


@settings(max_examples=20)
@given(seed=st.integers(0, 999), bins=st.sampled_from([2, 5, 50]), power=st.sampled_from([0.5, 1.0, 3.0]))
def test_the_fit_has_the_least_error_where_agreement_falls_with_noise(seed: int, bins: int, power: float) -> None:
    draw = seeded(seed)
    rho = torch.rand(200, generator=draw, dtype=torch.float64)
    rho[0] = 1.0
    agrees = torch.rand(200, generator=draw, dtype=torch.float64) < 1 - rho**power
    edges, rates = zip(*formulas.agreement_by_bin(rho, agrees.tolist(), bins), strict=True)
    centres = [edge + 0.5 / bins for edge in edges]
    scaled = [(rate - min(rates)) / (max(rates) - min(rates)) for rate in rates]
    found = formulas.power_error(fitted_power(rho, agrees, bins, 1.0), centres, scaled)
    assert found <= formulas.power_error(least_power(centres, scaled), centres, scaled) + 1e-6


def test_the_power_stays_at_the_first_epoch_and_where_all_agree_alike() -> None:
    method = KRD(power=1.25, momentum=0.5)
    targets = started(method, torch.linspace(0, 1, 6))
    method.on_epoch_start(epoch(0), targets)
    assert float(method.power_now) == 1.25
    same = torch.nn.functional.one_hot(targets.tables["teacher_class"], 4)
    method.on_epoch_start(epoch(1, logits=lambda: same), targets)
    assert float(method.power_now) == 1.25


def test_rho_is_the_published_one_shifted_and_scaled_to_start_at_zero() -> None:
    x, noise_of = torch.zeros(6, 3), torch.randn(3, 4, generator=seeded(1))
    logits = torch.randn(6, 4, generator=seeded(2))
    asked = []

    def perturbed(noise: torch.Tensor) -> torch.Tensor:
        asked.append(logits + noise @ noise_of)
        return asked[-1]

    influence = reliability(x, RING, logits=logits, perturbed=perturbed)
    rho = formulas.reliability(logits, asked[0])
    targets = KRD().prepare(graph_of(RING, 6, influence=influence), TeacherOutput(logits))
    expected = (rho - rho.min()) / (1 - rho.min())
    torch.testing.assert_close(targets.tables["rho"], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"power": 0.0}, "method.power is 0.0: it must be a number above 0"),
        ({"power": float("nan")}, "method.power is nan"),
        ({"momentum": 1.5}, "method.momentum is 1.5"),
        ({"bins": 1}, "method.bins is 1: it must be a whole number, 2 or more"),
        ({"warmup": -1}, "method.warmup is -1"),
        ({"lam": 2.0}, "method.lam is 2.0"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        KRD(**keys)
