import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.backends import has_torch_scatter
from graphkd.sparse import SparseMatrix, segment_softmax
from graphkd.sparse.segment import rows_of, segment_backends, segment_reduce
from tests import literal
from tests.strategies import patterns, seeded

CPU = torch.device("cpu")
DTYPES = st.sampled_from([torch.float32, torch.float64])


def values(pattern: SparseMatrix, heads: int, seed: int) -> torch.Tensor:
    return 3 * torch.randn(pattern.nnz, heads, generator=seeded(seed), dtype=torch.float64)


@given(pattern=patterns(5, 4), heads=st.sampled_from([1, 3]), seed=st.integers(0, 99), dtype=DTYPES)
def test_every_backend_reduces_as_a_loop_does(
    pattern: SparseMatrix, heads: int, seed: int, dtype: torch.dtype
) -> None:
    table = values(pattern, heads, seed).to(dtype)
    parts = table.split(pattern.rowptr.diff().tolist())
    loops = {
        "sum": torch.stack([part.sum(dim=0) for part in parts]),
        "max": torch.stack([part.max(dim=0).values if len(part) else table.new_zeros(heads) for part in parts]),
    }
    for backend in segment_backends(CPU):
        for reduction, expected in loops.items():
            out = segment_reduce(pattern.rowptr, table, reduction, backend)
            torch.testing.assert_close(out, expected)
            column = segment_reduce(pattern.rowptr, table[:, 0].contiguous(), reduction, backend)
            torch.testing.assert_close(column, expected[:, 0])


@given(pattern=patterns(5, 4), heads=st.sampled_from([1, 3]), seed=st.integers(0, 99))
def test_softmax_equals_the_literal_formula_and_its_gradient(pattern: SparseMatrix, heads: int, seed: int) -> None:
    ours, theirs = (values(pattern, heads, seed).requires_grad_() for _ in range(2))
    out, expected = segment_softmax(pattern.rowptr, ours), literal.segment_softmax(pattern.rowptr, theirs)
    torch.testing.assert_close(out, expected)
    upstream = values(pattern, heads, seed + 1)
    out.backward(upstream)
    (expected * upstream).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_softmax_is_stable_and_takes_one_column() -> None:
    rowptr = torch.tensor([0, 2, 2, 4])
    out = segment_softmax(rowptr, torch.tensor([1e4, 1e4, -1e4, -3e4]))
    assert out.tolist() == [0.5, 0.5, 1.0, 0.0]


def test_rows_of_entries() -> None:
    assert rows_of(torch.tensor([0, 2, 2, 3]), 3).tolist() == [0, 0, 2]


def test_a_torch_scatter_that_does_not_load_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_scatter", None)
    assert not has_torch_scatter()
    assert segment_backends(CPU) == ["torch"]
