"""The kernel, in the interpreter where there is no device."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import seeded

kernel = pytest.importorskip("graphkd.students.triton_gradient", exc_type=ImportError)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@settings(max_examples=12, deadline=None)
@given(
    members=st.integers(1, 3),
    size=st.sampled_from([1, 31, 300, 700]),
    narrow=st.integers(1, 20),
    width=st.sampled_from([1, 5, 64, 90]),
    shared=st.booleans(),
    shares=st.sampled_from([1, 2, 64]),
    seed=st.integers(0, 10**6),
)
def test_it_is_the_product(
    members: int, size: int, narrow: int, width: int, shared: bool, shares: int, seed: int
) -> None:
    """However many programs share the rows, and whether they are one table for all."""
    grad = torch.randn(members, size, narrow, generator=seeded(seed))
    rows = torch.randn(1 if shared else members, size, width, generator=seeded(seed + 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "SHARES", shares)
        found = kernel.narrow_gradient(grad.to(DEVICE), rows.to(DEVICE).expand(members, size, width)).cpu()
    wanted = torch.einsum("sbo,sbd->sod", grad.double(), rows.double().expand(members, size, width))
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-4)
