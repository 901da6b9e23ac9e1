"""The bits against the published generator, and one another."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.dropout.rng import RandomBits, Rate, stays


def splitmix64(state: int) -> Iterator[int]:
    """The published generator, number by number."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        yield z ^ (z >> 31)


def test_the_bits_are_those_of_the_published_generator() -> None:
    assert next(splitmix64(1234567)) == 6457827717110365317  # of the reference implementation
    for start in (0, 1234567, -5):
        bits, literal = RandomBits(start), splitmix64(start)
        for k in range(2):
            words = bits.block(k).view(np.uint64)
            assert words[:5].tolist() == [next(literal) for _ in range(5)]
            assert RandomBits(start).block(k, 18).tolist() == bits.block(k)[:18].tolist()
            for _ in range(words.size - 5):
                last = next(literal)
            assert words[-1] == last


def test_bits_are_even_and_those_of_two_calls_have_nothing_in_common() -> None:
    one, other = (RandomBits(start).block(0).astype(float) for start in (3, 4))
    assert np.mean(one) == pytest.approx(2**15, rel=0.02)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.02


@given(starts=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3), size=st.integers(0, 70),
       levels=st.integers(0, 2**16 - 1))  # fmt: skip
def test_by_torch_they_are_the_same(starts: list[int], size: int, levels: int) -> None:
    found = stays(torch.tensor(starts), size, levels)
    assert found.shape == (len(starts), size)
    for row, start in zip(found, starts, strict=True):
        assert row.tolist() == (RandomBits(start).block(0)[:size] >= levels).tolist()


def test_a_rate_leaves_something_and_keeps_the_expectation() -> None:
    for p in (0.0, 0.3, 0.5, 1 - 1e-9):
        rate = Rate.of(p)
        assert rate.levels < 2**16
        assert rate.scale * (1 - rate.levels / 2**16) == pytest.approx(1)
        assert rate.levels / 2**16 == pytest.approx(p, abs=2**-16)
