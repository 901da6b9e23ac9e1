from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given

from graphkd.io.rows import as_rows, dense
from graphkd.sparse import SparseMatrix, as_features, linear, select_rows
from tests.sparse.test_matrix import sparse
from tests.strategies import tables


@given(table=tables(5, 7, dtype=torch.float32), weight=tables(3, 7, dtype=torch.float32))
def test_linear_is_the_same_on_dense_and_sparse_rows(table: torch.Tensor, weight: torch.Tensor) -> None:
    bias = torch.arange(3.0)
    torch.testing.assert_close(linear(sparse(table), weight, bias), linear(table, weight, bias))


@given(table=tables(5, 7))
def test_as_features_takes_every_form_of_rows(table: torch.Tensor) -> None:
    array = table.numpy()
    forms = [table, array, scipy.sparse.csr_matrix(array), scipy.sparse.coo_matrix(array)]
    forms += [table.to_sparse_csr(), table.to_sparse_coo()]
    for form in forms:
        features = as_features(form)
        dense = features.to_dense() if isinstance(features, SparseMatrix) else features
        assert torch.equal(dense, table)
    index = torch.tensor([4, 0])
    assert torch.equal(select_rows(sparse(table), index).to_dense(), select_rows(table, index))


def test_the_caller_s_matrix_stays_as_it_is() -> None:
    parts = (np.array([1.0, 2.0]), np.array([1, 1]), np.array([0, 2]))
    matrix = scipy.sparse.csr_matrix(parts, shape=(1, 2))
    assert as_features(matrix).to_dense().tolist() == [[0.0, 3.0]]
    assert matrix.nnz == 2


def test_an_array_that_may_not_be_written_to_gives_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    array = np.ones((2, 2), dtype=np.float32)
    array.flags.writeable = False
    assert as_features(array).sum() == 4
    assert not recwarn.list


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("int8", 100),
        ("int8", -100),
        ("uint8", 200),
        ("int16", 30_000),
        ("uint16", 60_000),
        ("bool", True),
        ("int64", 7),
    ],
)
@pytest.mark.parametrize("form", [scipy.sparse.coo_matrix, scipy.sparse.coo_array])
def test_small_whole_numbers_do_not_wrap_around_where_they_are_added(form: Any, dtype: str, value: int) -> None:
    """In training and in serving."""
    x = form((np.array([value, value, 1], dtype), ([0, 0, 1], [1, 1, 0])), (2, 2))
    expected = np.float32([[0, 2 * int(value)], [1, 0]])
    np.testing.assert_array_equal(as_features(x).to_dense(), expected)
    np.testing.assert_array_equal(dense(as_rows(x, 2)), expected)


def test_whole_numbers_become_float32() -> None:
    assert as_features(np.array([[1, 2]])).dtype == torch.float32
    assert as_features(scipy.sparse.csr_matrix(np.array([[1, 0]]))).dtype == torch.float32
