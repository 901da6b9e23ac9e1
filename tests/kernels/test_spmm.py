"""The Triton kernel, in the interpreter where there is no device."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.sparse import SparseMatrix
from tests.strategies import seeded

kernel = pytest.importorskip("graphkd.kernels.spmm", exc_type=ImportError)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def matrix(rows: int, columns: int, entries: int, seed: int, dtype: torch.dtype = torch.float32) -> SparseMatrix:
    generator = seeded(seed)
    row, col = (torch.randint(size, (entries,), generator=generator) for size in (rows, columns))
    return SparseMatrix.from_coo(row, col, torch.randn(entries, generator=generator, dtype=dtype), (rows, columns))


def product(sparse: SparseMatrix, dense: torch.Tensor) -> torch.Tensor:
    there, table = sparse.to(DEVICE), dense.to(DEVICE)
    pieces = kernel.Pieces.of(there.rowptr)
    return kernel.triton_spmm(there.rowptr, there.col, there.value, table, pieces).cpu()


@settings(max_examples=12, deadline=None)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 30),
    width=st.sampled_from([1, 3, 17, 40]),
    entries=st.integers(0, 80),
    seed=st.integers(0, 10**6),
    longest=st.sampled_from([1, 4, 1000]),
)
def test_it_is_the_product(rows: int, columns: int, width: int, entries: int, seed: int, longest: int) -> None:
    """Whatever is cut into pieces: rows of no entry, of one, of many."""
    sparse = matrix(rows, columns, entries, seed, torch.float64)
    dense = torch.randn(columns, width, generator=seeded(seed + 1), dtype=torch.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "LONGEST", longest)
        found = product(sparse, dense)
    torch.testing.assert_close(found, sparse.to_dense() @ dense, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_short_numbers_are_added_up_in_single_precision(dtype: torch.dtype) -> None:
    sparse = SparseMatrix(torch.tensor([0, 300]), torch.zeros(300, dtype=torch.long), torch.ones(300), 1)
    found = product(sparse, torch.ones(1, 5, dtype=dtype))
    assert found.dtype == dtype
    assert found.tolist() == [[300.0] * 5]  # counted in bfloat16 it would stay at 256


def test_pieces_cover_every_entry_of_a_long_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "LONGEST", 3)
    pieces = kernel.Pieces.of(torch.tensor([0, 2, 9, 9, 12, 16]))
    assert pieces.rows.tolist() == [1, 4]
    assert pieces.first.tolist() == [0, 3, 5]
    assert list(zip(pieces.start.tolist(), pieces.end.tolist(), strict=True)) == [
        (2, 5), (5, 8), (8, 9), (12, 15), (15, 16),
    ]  # fmt: skip
    assert kernel.Pieces.of(torch.tensor([0, 3, 6])) is None


def test_a_transposed_table_and_no_columns_or_rows() -> None:
    sparse = matrix(5, 7, 20, 0)
    dense = torch.randn(4, 7, generator=seeded(1)).t()
    torch.testing.assert_close(product(sparse, dense), sparse.to_dense() @ dense)
    assert product(sparse, torch.empty(7, 0)).shape == (5, 0)
    assert product(matrix(1, 7, 0, 0).select(torch.tensor([], dtype=torch.long)), dense).shape == (0, 4)
