"""The kernels, in the interpreter where there is no device."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.sparse import SparseMatrix
from graphkd.sparse.segment import segment_reduce
from tests.strategies import patterns, seeded

kernels = pytest.importorskip("graphkd.kernels.rows", exc_type=ImportError)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@settings(max_examples=15, deadline=None)
@given(
    rows=st.integers(1, 9),
    width=st.sampled_from([1, 3, 4]),
    count=st.sampled_from([0, 1, 700]),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]),
    seed=st.integers(0, 10**6),
)
def test_rows_by_number(rows: int, width: int, count: int, dtype: torch.dtype, seed: int) -> None:
    table = torch.randn(rows, width, generator=seeded(seed)).to(dtype)
    index = torch.randint(rows, (count,), generator=seeded(seed + 1))
    assert torch.equal(kernels.take(table.to(DEVICE), index.to(DEVICE)).cpu(), table[index])


@settings(max_examples=15, deadline=None)
@given(pattern=patterns(5, 4), width=st.sampled_from([1, 3, 8]), step=st.sampled_from([1, 2, 64]),
       dtype=st.sampled_from([torch.float32, torch.float64]), seed=st.integers(0, 10**6))  # fmt: skip
def test_rows_are_reduced_as_a_loop_does(
    pattern: SparseMatrix, width: int, step: int, dtype: torch.dtype, seed: int
) -> None:
    """Rows without entries give 0, whatever the others are."""
    values = torch.randn(pattern.nnz, width, generator=seeded(seed), dtype=dtype) - 1
    parts = values.split(pattern.rowptr.diff().tolist())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "STEP", step)
        total, highest = (
            kernels.reduce_rows(pattern.rowptr.to(DEVICE), values.to(DEVICE), name).cpu()
            for name in ("sum", "max")
        )
    torch.testing.assert_close(total, torch.stack([part.sum(dim=0) for part in parts]))
    zeros = values.new_zeros(width)
    wanted = torch.stack([part.max(dim=0).values if len(part) else zeros for part in parts])
    assert torch.equal(highest, wanted)


@pytest.mark.parametrize("entries", [0, 5])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_as_segment_reduce_calls_them(entries: int, shape: tuple[int, ...]) -> None:
    """One column or several, and rows of which none has an entry."""
    rowptr, values = torch.tensor([0, 0, entries]), torch.randn(entries, *shape, generator=seeded(1))
    for reduction in ("sum", "max"):
        found = segment_reduce(rowptr.to(DEVICE), values.to(DEVICE), reduction, "triton").cpu()
        torch.testing.assert_close(found, segment_reduce(rowptr, values, reduction, "torch"))
