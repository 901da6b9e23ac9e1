"""The kernels, in the interpreter where there is no device."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.dropout.rng import Rate, stays
from tests.dropout.tables import of

kernels = pytest.importorskip("graphkd.kernels.dropout_masks", exc_type=ImportError)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

SIZES = st.sampled_from([1, 3, 1023, 1024, 1025, 3000])
STARTS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3)
RATES = st.sampled_from([0.0, 2**-16, 0.3, 0.5, 1 - 2**-16])


@settings(max_examples=15, deadline=None)
@given(
    starts=STARTS, size=SIZES, p=RATES, relu=st.booleans(), dtype=st.sampled_from([torch.float32, torch.float64])
)
def test_what_stays_is_what_the_bits_say(
    starts: list[int], size: int, p: float, relu: bool, dtype: torch.dtype
) -> None:
    x, rate, begins = of((len(starts), size), dtype, size), Rate.of(p), torch.tensor(starts)
    table, out = x.to(DEVICE, copy=True), torch.empty_like(x, device=DEVICE)
    kernels.forward(table, out, begins.to(DEVICE), rate, relu=relu)
    wanted = x.clamp(min=0) if relu else x
    assert torch.equal(table.cpu(), wanted)
    assert torch.equal(out.cpu(), wanted * (stays(begins, size, rate.levels).to(dtype) * rate.scale))


@settings(max_examples=15, deadline=None)
@given(starts=STARTS, size=SIZES, p=RATES, told=st.booleans())
def test_the_gradient_passes_where_something_was_left(starts: list[int], size: int, p: float, told: bool) -> None:
    hidden, dropped, other = (of((len(starts), size), torch.float64, seed) for seed in (1, 2, 3))
    rate, begins, out = Rate.of(p), torch.tensor(starts), torch.empty_like(hidden, device=DEVICE)
    tables = dropped.to(DEVICE), hidden.to(DEVICE), out, begins.to(DEVICE), rate
    kernels.backward(*tables, other.to(DEVICE) if told else None)
    wanted = dropped * (stays(begins, size, rate.levels).double() * rate.scale) + (other if told else 0)
    torch.testing.assert_close(out.cpu(), wanted * (hidden > 0))
