"""The kernel, in the interpreter where there is no device."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import seeded

kernel = pytest.importorskip("graphkd.kernels.narrow_gradient", exc_type=ImportError)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@settings(max_examples=12, deadline=None)
@given(
    members=st.integers(1, 3),
    size=st.sampled_from([1, 31, 300, 700]),
    narrow=st.integers(1, 20),
    width=st.sampled_from([1, 5, 64, 90]),
    shared=st.booleans(),
    programs=st.sampled_from([1, 6, 1024]),
    turned=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_it_is_the_product(
    members: int, size: int, narrow: int, width: int, shared: bool, programs: int, turned: bool, seed: int
) -> None:
    """However many programs share the rows, in which order they lie, and whether they are one table for all."""
    grad = torch.randn(members, size, narrow, generator=seeded(seed))
    rows = torch.randn(1 if shared else members, size, width, generator=seeded(seed + 1))
    if turned:  # columns first, as pandas hands tables out
        rows = rows.transpose(1, 2).contiguous().transpose(1, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "PROGRAMS", programs)
        found = kernel.narrow_gradient(grad.to(DEVICE), rows.to(DEVICE).expand(members, size, width)).cpu()
    wanted = torch.einsum("sbo,sbd->sod", grad.double(), rows.double().expand(members, size, width))
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-4)


def test_short_numbers_are_added_up_in_single_precision() -> None:
    short = torch.bfloat16 if DEVICE == "cuda" else torch.float16  # the interpreter multiplies no other
    grad, rows = (torch.randn(2, 3000, width, generator=seeded(width)).to(short) for width in (3, 5))
    found = kernel.narrow_gradient(grad.to(DEVICE), rows.to(DEVICE)).cpu()
    wanted = torch.einsum("sbo,sbd->sod", grad.double(), rows.double())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-3)
