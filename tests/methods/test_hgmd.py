from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.methods import HGMD, Epoch, Targets
from graphkd.methods.hgmd import relative_entropy
from graphkd.methods.mixup import mixup_targets
from graphkd.sparse import SparseMatrix
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests import literal
from tests.methods import literal as formulas
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, seeded, tables

RING = torch.tensor([[0, 1, 2, 3, 4, 5, 1, 2], [1, 2, 3, 4, 5, 0, 0, 1]])
LOOPS = [(i, i) for i in range(6)]


def epoch(number: int, seed: int = 0, total: int = 11, logits: Callable[[], torch.Tensor] | None = None) -> Epoch:
    return Epoch(number, total, seed, torch.device("cpu"), logits or (lambda: torch.zeros(6, 4)))


def started(method: HGMD, teacher: torch.Tensor, edges: torch.Tensor = RING) -> Targets:
    """Targets of six nodes, for a method whose student is built."""
    output = TeacherOutput(teacher)
    targets = method.prepare(graph_of(edges, 6), output)
    method.build(torch.nn.Identity, targets, output)
    return targets


def folded(targets: Targets) -> dict[tuple[int, int], float]:
    """What the fold holds of every drawn (receiver, sender)."""
    weights = targets.soft.fold.weights
    ends = zip(weights.row.tolist(), weights.col.tolist(), strict=True)
    return dict(zip(ends, weights.value.tolist(), strict=True))


def some(seed: int) -> torch.Tensor:
    return torch.randn(6, 4, generator=seeded(seed), dtype=torch.float64)


@given(edges=edge_lists(6), teacher=tables(6, 4), student=tables(6, 4), shares=tables(20, 20, low=0.0))
def test_mixed_targets_equal_a_loop_over_edges(
    edges: torch.Tensor, teacher: torch.Tensor, student: torch.Tensor, shares: torch.Tensor
) -> None:
    pairs = sorted([*formulas.directed_edges(edges, 6), *LOOPS])
    row, col = torch.tensor(pairs).t()
    value = (shares / 3.0).reshape(-1)[: len(pairs)]
    soft = mixup_targets(teacher, SparseMatrix.from_coo(row, col, value, (6, 6)), 0.8)
    mixed = dict(zip(pairs, value.tolist(), strict=True))
    assert_same_loss(
        soft.loss, lambda z: formulas.mixup_loss(z, teacher, mixed, 0.8), student, scale=1.5, tolerance=1e-10
    )


def test_mixed_targets_of_weighted_nodes_equal_a_loop_over_edges() -> None:
    pattern = graph_of(RING, 6).adj.structure(self_loops=1)
    shares = pattern.with_values(torch.rand(pattern.nnz, generator=seeded(1), dtype=torch.float64))
    weights, teacher = torch.arange(1.0, 7.0, dtype=torch.float64), some(0)
    soft = mixup_targets(teacher, shares, 1.0)
    soft.refold(sender_weight=weights)
    pairs = zip(shares.row.tolist(), shares.col.tolist(), strict=True)
    mixed = dict(zip(pairs, shares.value.tolist(), strict=True))
    assert_same_loss(
        soft.loss,
        lambda z: formulas.weighted_mixup_loss(z, teacher, mixed, weights),
        some(1),
        scale=1.5,
        tolerance=1e-10,
    )


def test_many_edges_are_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = graph_of(RING, 6).adj.structure(self_loops=1)
    shares = pattern.with_values(torch.rand(pattern.nnz, generator=seeded(1), dtype=torch.float64))
    whole = mixup_targets(some(0), shares, 1.0)
    monkeypatch.setattr("graphkd.methods.mixup.BLOCK", 4 * 4)  # four edges
    torch.testing.assert_close(mixup_targets(some(0), shares, 1.0).constant, whole.constant, rtol=1e-14, atol=0)


def test_mixed_targets_take_single_precision() -> None:
    pattern = graph_of(RING, 6).adj.structure(self_loops=1)
    soft = mixup_targets(some(0).float(), pattern, 1.0)
    expected = mixup_targets(some(0), pattern, 1.0)
    assert soft.table.dtype == torch.float32
    torch.testing.assert_close(float(soft.constant), float(expected.constant), rtol=1e-6, atol=0)


@settings(max_examples=25)
@given(edges=edge_lists(6), teacher=tables(6, 4), student=tables(6, 4), seed=st.integers(0, 99))
def test_with_mixup_the_loss_of_an_epoch_equals_a_loop_over_the_drawn_edges(
    edges: torch.Tensor, teacher: torch.Tensor, student: torch.Tensor, seed: int
) -> None:
    method, graph = HGMD(lam=0.3, tau=0.8, alpha=2.0), graph_of(edges, 6)
    targets = started(method, teacher, edges)
    for number in (0, 4):
        method.on_epoch_start(epoch(number, seed, logits=lambda: student), targets)
        shares = folded(targets)
        assert set(LOOPS) <= set(shares) <= {*LOOPS, *formulas.directed_edges(edges, 6)}

        def formula(z: torch.Tensor, shares: dict[tuple[int, int], float] = shares) -> torch.Tensor:
            label = literal.label_loss(z, graph.y, graph.train, torch.ones(6))
            return 0.3 * label + 0.7 * formulas.mixup_loss(z, teacher, shares, 0.8)

        assert_same_loss(
            lambda z: method.loss(StudentOutput(z, []), targets)["loss"],
            formula,
            student,
            scale=1.5,
            tolerance=1e-10,
        )


@settings(max_examples=25)
@given(edges=edge_lists(6), teacher=tables(6, 4), student=tables(6, 4), seed=st.integers(0, 99))
def test_with_weights_the_loss_of_an_epoch_equals_a_loop_over_the_drawn_edges(
    edges: torch.Tensor, teacher: torch.Tensor, student: torch.Tensor, seed: int
) -> None:
    method = HGMD(lam=0.0, tau=1.3, alpha=2.0, mode="weight")
    targets = started(method, teacher, edges)
    for number in (0, 4):
        method.on_epoch_start(epoch(number, seed, logits=lambda: student), targets)
        alpha = 2.0 * 100 ** (-number / 10)
        chances = {
            (i, j): 1.0 if i == j or number == 0 else formulas.hardness_probability(i, j, teacher, student, alpha)
            for i, j in folded(targets)
        }
        assert_same_loss(
            lambda z: method.loss(StudentOutput(z, []), targets)["loss"],
            lambda z, chances=chances: formulas.hardness_weighted_loss(z, teacher, chances, 1.3),
            student,
            scale=1.5,
            tolerance=1e-10,
        )


def test_edges_are_drawn_with_the_probability_of_the_formula_and_loops_always() -> None:
    method, teacher, student, times = HGMD(alpha=0.5), some(0), some(1), 500
    targets = started(method, teacher)
    count = dict.fromkeys([*LOOPS, *formulas.directed_edges(RING, 6)], 0)
    for seed in range(times):
        method.on_epoch_start(epoch(1, seed, 3, lambda: student), targets)
        for pair in folded(targets):
            count[pair] += 1
    alpha, chances = 0.5 / 10, {}  # the middle one of three epochs
    for i, j in count:
        chances[i, j] = 1.0 if i == j else formulas.hardness_probability(i, j, teacher, student, alpha)
        spread = (chances[i, j] * (1 - chances[i, j]) * times) ** 0.5
        assert abs(count[i, j] - chances[i, j] * times) <= 4 * spread, (i, j)
    drawn = [chance for (i, j), chance in chances.items() if i != j]
    assert min(drawn) < 0.05 < max(drawn)


def test_an_edges_share_is_its_probability_times_a_number_from_a_beta_distribution() -> None:
    method, teacher, student = HGMD(alpha=3.0, beta=0.4), some(0), some(1)
    targets, ratios = started(method, teacher), []
    for seed in range(200):
        method.on_epoch_start(epoch(1, seed, 3, lambda: student), targets)
        for (i, j), share in folded(targets).items():
            if i != j:
                ratios.append(share / formulas.hardness_probability(i, j, teacher, student, 0.3))
    ratio = np.array(ratios)
    assert ratio.min() >= 0
    assert ratio.max() <= 1 + 1e-9
    assert abs(ratio.mean() - 0.5) < 4 * ratio.std() / ratio.size**0.5
    assert abs(ratio.var() - 1 / (4 * (2 * 0.4 + 1))) < 0.02  # that of Beta(b, b)


@pytest.mark.parametrize("mode", ["mixup", "weight"])
def test_all_edges_are_there_in_the_first_epoch_and_fewer_as_alpha_decays(mode: str) -> None:
    method, counts = HGMD(mode=mode), []
    targets = started(method, some(0))
    for number in (0, 1, 10):
        drawn = 0
        for seed in range(20):
            method.on_epoch_start(epoch(number, seed, logits=lambda: some(1)), targets)
            drawn += len(folded(targets))
        counts.append(drawn / 20)
    assert counts[0] == len(LOOPS) + len(formulas.directed_edges(RING, 6))
    assert counts[0] > counts[1] > counts[2] + 2 > 2


def test_the_draw_is_that_of_seed_and_epoch() -> None:
    def draw(seed: int, number: int) -> dict[tuple[int, int], float]:
        method = HGMD(alpha=1.0)
        targets = started(method, some(0))
        torch.rand(3)
        method.on_epoch_start(epoch(number, seed, logits=lambda: some(1)), targets)
        return folded(targets)

    assert draw(3, 7) == draw(3, 7)
    assert len({tuple(draw(seed, number).items()) for seed in range(3) for number in range(3)}) == 9


@pytest.mark.parametrize("mode", ["mixup", "weight"])
def test_a_teacher_without_doubt_and_one_epoch_leave_finite_targets(mode: str) -> None:
    """Entropies of 0 divide by nothing, and the last epoch can be the first."""
    method = HGMD(mode=mode)
    targets = started(method, 2000.0 * torch.eye(6, 4))
    for number in (0, 1):
        method.on_epoch_start(replace(epoch(number, total=1), logits=lambda: 2000.0 * torch.eye(6, 4)), targets)
        loss = method.loss(StudentOutput(torch.zeros(6, 4), []), targets)["soft"]
        assert loss.isfinite()
        assert targets.soft.table.isfinite().all()


def test_entropies_are_relative_to_the_largest() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.0, 5000.0]])
    expected = formulas.relative_entropies(logits)
    torch.testing.assert_close(relative_entropy(logits), torch.tensor(expected, dtype=torch.float64))
    assert expected[0] == 1.0
    assert expected[2] == 1e-8


def test_other_teacher_logits_are_folded_as_mixed_targets() -> None:
    """A calibration that moves changes the logits of the fold that the method made."""
    method = HGMD()
    targets = started(method, some(0))
    method.on_epoch_start(epoch(0), targets)
    shares, other = folded(targets), some(2)
    targets.refold(logits=other)
    value = method.loss(StudentOutput(some(1), []), targets)["soft"]
    torch.testing.assert_close(value, formulas.mixup_loss(some(1), other, shares, 0.9))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"alpha": 0.0}, "method.alpha is 0.0: it must be a number above 0"),
        ({"beta": -1}, "method.beta is -1: it must be a number above 0"),
        ({"mode": "mix"}, "method.mode is 'mix': choose mixup or weight"),
        ({"lam": 2.0}, "method.lam is 2.0"),
        ({"tau": 0.0}, "method.tau is 0.0"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        HGMD(**keys)
