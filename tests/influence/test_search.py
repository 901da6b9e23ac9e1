"""The least cosine: whatever is ruled out, it is that of all pairs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.influence import _clusters, _pairs, _search
from graphkd.influence._clusters import Balls
from graphkd.influence._minimum import Means
from graphkd.influence._pairs import Pairs
from graphkd.influence._search import Tables, least_cosine
from tests.strategies import seeded, tables

DTYPES = st.sampled_from([torch.float32, torch.float64])


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7, 1e-8, 1e-9, 1e-11])
@pytest.mark.parametrize("first", [True, False])
def test_of_blocks_that_float32_cannot_tell_apart_the_least_is_found(
    gap: float, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pair to a block; whichever comes first, the other one may still be the least."""
    monkeypatch.setattr(_pairs, "BLOCK", (1, 1))
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    cosines = torch.tensor([0.3, 0.3 - gap] if first else [0.3 - gap, 0.3], dtype=torch.float64)
    y = torch.stack([cosines, (1 - cosines**2).sqrt()], dim=1)
    pairs = Pairs(*of(x, y), Means(None, 1.0))
    assert pairs.search(slice(0, 1), slice(0, 2))
    assert pairs.least == pytest.approx(0.3 - gap, abs=1e-15)


def inverse(table: torch.Tensor) -> torch.Tensor:
    norm = table.double().norm(dim=1)
    return torch.where(norm > 0, 1.0 / norm, 0.0)


def of(x: torch.Tensor, y: torch.Tensor) -> Tables:
    return Tables(x, inverse(x), y, inverse(y))


def brute_force(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(((x.double() @ y.double().t()) * inverse(x).unsqueeze(1) * inverse(y)).min())


@st.composite
def pairs_of_tables(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor]:
    """Few or many rows, narrow or wide, around some centres or all over; duplicates and zero rows among them."""
    rows, others, width = (
        draw(st.integers(1, 150)),
        draw(st.integers(1, 150)),
        draw(st.sampled_from([1, 2, 5, 40])),
    )
    generator = seeded(draw(st.integers(0, 2**31)))
    noise = draw(st.sampled_from([0.0, 0.05, 1.0]))
    centres = torch.randn(draw(st.integers(1, 6)), width, generator=generator)

    def table(size: int) -> torch.Tensor:
        near = centres[torch.randint(len(centres), (size,), generator=generator)]
        near = near + noise * torch.randn(size, width, generator=generator)
        near[torch.rand(size, generator=generator) < draw(st.sampled_from([0.0, 0.1, 1.0]))] = 0.0
        return near.to(dtype)

    dtype = draw(DTYPES)
    return table(rows), table(others)


def workers() -> st.SearchStrategy[int]:
    return st.sampled_from([1, 2])


@given(both=pairs_of_tables(), threads=workers(), memory=st.sampled_from([1e-5, 1e-4, 1.0]))
def test_balls_leave_the_least_pair(both: tuple[torch.Tensor, torch.Tensor], threads: int, memory: float) -> None:
    pairs = Pairs(*of(*both), Means(None, memory), threads)
    balls = Balls(pairs, threads)
    if bool((pairs.y_scale == 0).any()):
        pairs.least = 0.0
    assert balls.sweep(None, 2.0)
    assert pairs.least == pytest.approx(brute_force(*both), abs=1e-12)


@given(both=pairs_of_tables(), steps=st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=4))
def test_after_each_step_nothing_is_below_it(both: tuple[torch.Tensor, torch.Tensor], steps: list[float]) -> None:
    pairs, expected = Pairs(*of(*both), Means(None, 1.0)), brute_force(*both)
    if bool((pairs.y_scale == 0).any()):
        pairs.least = 0.0
    balls, known = Balls(pairs, 1), None
    for high in sorted(steps):
        assert balls.sweep(known, high)
        known = min(high, pairs.least)
        assert known <= expected + 1e-12
        assert pairs.least >= expected - 1e-12


@given(both=pairs_of_tables(), least=st.floats(-1.0, 1.0))
def test_the_cost_curve_counts_what_a_sweep_looks_at(
    both: tuple[torch.Tensor, torch.Tensor], least: float
) -> None:
    pairs = Pairs(*of(*both), Means(None, 1.0))
    balls = Balls(pairs, 1)
    curve = balls.cost()
    assert curve.below(-1.0) <= curve.below(least) <= curve.below(1.0)
    members = float((pairs.y_scale > 0).sum())
    assert curve.below(1.0) == pytest.approx(len(both[0]) * members)
    some = curve.affordable(0.3 * curve.below(1.0))
    assert some == -1.0 or curve.below(some) <= 0.3 * curve.below(1.0)


@given(both=pairs_of_tables(), balls=st.booleans(), seconds=st.sampled_from([None, 0.0, 1e-3, 30.0]))
def test_the_search_finds_or_bounds_it(
    both: tuple[torch.Tensor, torch.Tensor], balls: bool, seconds: float | None
) -> None:
    expected = brute_force(*both)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_search, "SMALL", 0 if balls else 10**6)
        found = least_cosine(of(*both), -1.0, torch.arange(min(3, len(both[0]))), Means(seconds, 1.0))
    assert found.low - 1e-12 <= max(-1.0, expected) <= found.high + 1e-12
    assert 0.0 < found.share <= 1.0
    if seconds in (None, 30.0):
        assert found.exact


@given(x=tables(9, 3, low=0.0), y=tables(9, 3, low=0.0), balls=st.booleans())
def test_a_floor_of_zero_hides_nothing(x: torch.Tensor, y: torch.Tensor, balls: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_search, "SMALL", 0 if balls else 10**6)
        found = least_cosine(of(x, y), 0.0, torch.arange(2), Means(30.0, 1.0))
    assert found.exact
    assert found.low == pytest.approx(brute_force(x, y), abs=1e-12)


def test_balls_rule_out_most_pairs_of_rows_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """5,000 rows around 40 centres; the balls find all of them."""
    monkeypatch.setattr(_search, "SMALL", 0)
    generator = seeded(0)
    centres = torch.randn(40, 16, generator=generator)
    x = centres.repeat(125, 1) + 0.05 * torch.randn(5_000, 16, generator=generator)
    found = least_cosine(of(x, x), -1.0, torch.arange(64), Means(None, 1.0))
    assert found.exact
    assert found.low == pytest.approx(brute_force(x, x), abs=1e-12)
    assert found.share < 0.05


def test_rows_in_all_directions_are_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_search, "SMALL", 0)
    monkeypatch.setattr(_clusters.Balls, "sweep", lambda *_: pytest.fail("no ball rules anything out here"))
    x = torch.randn(600, 64, generator=seeded(0))
    found = least_cosine(of(x, x), -1.0, torch.arange(8), Means(None, 1.0))
    assert found.exact
    assert found.low == pytest.approx(brute_force(x, x), abs=1e-12)


def test_a_bound_that_rounds_to_the_least_entry_still_lets_it_be_looked_at() -> None:
    pairs = Pairs(*of(torch.ones(3, 2), torch.ones(3, 2)), Means(None, 1.0))
    least = float(torch.tensor(0.1))
    pairs.error, pairs.least = 0.0, least * (1.0 + 1e-12)  # float32 knows no number between the two
    pairs._refine(torch.full((3, 3), least), slice(0, 3), slice(0, 3), pairs.least)
    assert pairs.least == pytest.approx(least)


def test_a_least_that_another_thread_lowers_meanwhile_does_no_harm() -> None:
    class Lowered(Pairs):
        @property
        def least(self) -> float:
            self.asked += 1
            return 1.0 - self.asked  # every look finds it lower than the one before

        @least.setter
        def least(self, value: float) -> None:
            self.asked = 0

    pairs = Lowered(*of(torch.ones(3, 2), torch.ones(3, 2)), Means(None, 3.0))
    pairs.error = 1.5  # the first look lets the block's cosines of 1 through, the second would not
    assert pairs.search(slice(0, 3), slice(0, 3))
