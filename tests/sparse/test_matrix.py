import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.sparse import SparseMatrix, row_pieces
from tests.strategies import tables


def sparse(table: torch.Tensor) -> SparseMatrix:
    row, col = table.nonzero().t()
    return SparseMatrix.from_coo(row, col, table[row, col], tuple(table.shape))


@given(table=tables(5, 7))
def test_dense_transpose_and_sums_agree_with_the_dense_table(table: torch.Tensor) -> None:
    matrix = sparse(table)
    assert torch.equal(matrix.to_dense(), table)
    assert torch.equal(matrix.t().to_dense(), table.t())
    assert matrix.t().t() is matrix
    torch.testing.assert_close(matrix.sum(dim=1), table.sum(dim=1))
    torch.testing.assert_close(matrix.sum(dim=0), table.sum(dim=0))
    assert torch.equal(matrix.torch().to_dense(), table)


@given(table=tables(5, 7), first=st.booleans())
def test_transpose_order_says_where_the_entries_of_the_transpose_are(table: torch.Tensor, first: bool) -> None:
    matrix = sparse(table)
    if first:
        matrix.t()
    order = matrix.transpose_order()
    assert torch.equal(matrix.value[order], matrix.t().value)
    assert torch.equal(matrix.row[order], matrix.t().col)
    assert matrix.transpose_order() is order
    halved = matrix.with_values(matrix.value / 2).scale(rows=torch.ones_like(table[:, 0]))
    assert halved.transpose_order() is order, "sorted once for all matrices of a pattern"
    assert torch.equal(halved.t().to_dense(), table.t() / 2)


@given(table=tables(5, 7), index=st.lists(st.integers(0, 4), max_size=8))
def test_select_takes_rows_in_the_given_order(table: torch.Tensor, index: list[int]) -> None:
    rows = torch.tensor(index, dtype=torch.long)
    assert torch.equal(sparse(table).select(rows).to_dense(), table[rows])


@given(table=tables(5, 7), ends=st.tuples(st.integers(0, 5), st.integers(0, 5)))
def test_some_rows_share_the_memory(table: torch.Tensor, ends: tuple[int, int]) -> None:
    matrix, part = sparse(table), slice(min(ends), max(ends))
    rows = matrix.rows(part)
    assert torch.equal(rows.to_dense(), table[part])
    assert rows.nnz == 0 or rows.col.untyped_storage().data_ptr() == matrix.col.untyped_storage().data_ptr()
    assert matrix.rows(slice(0, 5)) is matrix


@given(counts=st.lists(st.integers(0, 5), max_size=9), most=st.integers(0, 8), start=st.integers(0, 3))
def test_pieces_are_all_rows_with_so_many_entries_or_one_row(counts: list[int], most: int, start: int) -> None:
    load = torch.tensor([0, *counts]).cumsum(0)
    pieces = list(row_pieces(load, slice(start, len(counts)), most))
    assert [row for part in pieces for row in range(part.start, part.stop)] == list(range(start, len(counts)))
    assert all(sum(counts[part]) <= most or part.stop == part.start + 1 for part in pieces)


@given(table=tables(4, 4))
def test_scaling_a_symmetric_matrix_keeps_it_symmetric_to_the_bit(table: torch.Tensor) -> None:
    matrix = sparse(table + table.t())
    assert matrix.t() is matrix
    scaled = matrix.scale(rows=table[0].abs() + 0.1, cols=table[0].abs() + 0.1)
    assert scaled.t() is scaled


ALIKE = [[0.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]

UNLIKE = {
    "a value": [[0.0, 2.0, 0.0], [2.0, 1.5, 0.0], [0.0, 0.0, 0.0]],
    "a sign": [[0.0, 2.0, 0.0], [-2.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
    "two values in another order": [[0.0, 2.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 0.0]],
    "a column": [[0.0, 2.0, 0.0], [2.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
    "a row": [[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [2.0, 1.0, 0.0]],
    "where a row ends": [[2.0, 2.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
    "an entry less": [[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    "an entry more": [[0.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "a row less": [[0.0, 2.0, 0.0], [2.0, 1.0, 0.0]],
    "a column more": [[0.0, 2.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
}


@pytest.mark.parametrize("name", UNLIKE)
def test_matrices_are_equal_where_shape_places_and_values_are(name: str) -> None:
    one, same, other = (sparse(torch.tensor(table)) for table in (ALIKE, ALIKE, UNLIKE[name]))
    assert one.equals(same)
    assert not one.equals(other)
    assert not other.equals(one)


def test_rows_that_end_elsewhere_are_another_matrix() -> None:
    """The same columns and values in the same order."""
    col, value = torch.tensor([0, 1, 2]), torch.ones(3)
    one, other = (SparseMatrix(torch.tensor(ends), col, value, 3) for ends in ([0, 1, 2, 3], [0, 2, 2, 3]))
    assert not one.equals(other)


@pytest.mark.parametrize("entry", [(0, 1), (1, 0)])
def test_edges_both_ways_of_unequal_weight_are_not_their_own_transpose(entry: tuple[int, int]) -> None:
    table = torch.tensor(ALIKE)
    table[entry] = 3.0
    assert sparse(table).t() is not None
    assert torch.equal(sparse(table).t().to_dense(), table.t())


def test_entries_at_the_same_place_are_added() -> None:
    place = torch.tensor([1, 1, 0])
    matrix = SparseMatrix.from_coo(place, place, torch.tensor([1.0, 2.0, 5.0]), (2, 3))
    assert torch.equal(matrix.to_dense(), torch.tensor([[5.0, 0, 0], [0, 3.0, 0]]))


def test_to_dense_adds_up_what_a_csr_tensor_lists_twice() -> None:
    parts = torch.tensor([0, 2]), torch.tensor([1, 1]), torch.tensor([1.0, 2.0])
    twice = torch.sparse_csr_tensor(*parts, size=(1, 2), check_invariants=False)
    assert SparseMatrix.from_torch(twice).to_dense().tolist() == [[0.0, 3.0]]


def test_from_torch_shares_the_values() -> None:
    tensor = torch.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse_csr()
    matrix = SparseMatrix.from_torch(tensor)
    assert matrix.torch() is tensor
    assert repr(matrix) == "SparseMatrix(2 x 2, 1 entries, torch.float32)"


def test_to_changes_the_dtype_and_otherwise_returns_itself() -> None:
    matrix = sparse(torch.eye(3))
    assert matrix.to(torch.float32) is matrix
    assert matrix.to("cpu") is matrix
    assert matrix.to(torch.float64).dtype == torch.float64


@pytest.mark.slow
def test_no_beta_warning_reaches_the_user() -> None:
    """Torch warns once per process, so this needs one of its own."""
    code = (
        "import torch; from graphkd.sparse import SparseMatrix, spmm; i = torch.arange(3)\n"
        "m = SparseMatrix.from_coo(i, i, torch.ones(3).double(), (3, 3)); spmm(m, torch.ones(3, 1).double())"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=30))
def test_a_pattern_is_the_same_matrix_without_values(entries: list[tuple[int, int]]) -> None:
    row, col = torch.tensor(entries, dtype=torch.long).view(-1, 2).t()
    given_row, given_col = row.clone(), col.clone()
    found = SparseMatrix.pattern(row, col, (5, 7))
    wanted = SparseMatrix.from_coo(row, col, torch.ones(row.numel()), (5, 7))
    assert torch.equal(found.rowptr, wanted.rowptr)
    assert torch.equal(found.col, wanted.col)
    assert torch.equal(found.value, torch.ones(wanted.nnz))
    assert torch.equal(row, given_row)
    assert torch.equal(col, given_col)
