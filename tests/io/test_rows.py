from decimal import Decimal

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from graphkd import GraphKDError
from graphkd.datasets import Preprocessing
from graphkd.io.rows import as_rows, dense, preprocess
from graphkd.sparse import SparseMatrix, as_features, check_features

TABLES = arrays.arrays(np.float32, (4, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32) | st.just(0.0))


def with_torch(x: object) -> np.ndarray:
    rows = check_features(as_features(x).to(torch.float32), 3)
    return (rows.to_dense() if isinstance(rows, SparseMatrix) else rows).numpy()


@given(TABLES, st.sampled_from(["stored", "binary"]), st.booleans())
def test_rows_are_prepared_as_torch_prepares_them(x: np.ndarray, features: str, row_normalize: bool) -> None:
    expected = Preprocessing(features, row_normalize)(torch.from_numpy(x)).numpy()
    for given_rows in (x, scipy.sparse.csr_matrix(x)):
        found = dense(preprocess(as_rows(given_rows, 3), features, row_normalize))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)


FORMS = {
    "float64": lambda x: x.astype(np.float64),
    "float16": lambda x: x.astype(np.float16),
    "column order": np.asfortranarray,
    "a part": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "lists": lambda x: x.tolist(),
    "whole numbers": lambda x: x.astype(np.int64),
    "truth values": lambda x: x > 0,
    "tensor": torch.from_numpy,
    "torch CSR": lambda x: torch.from_numpy(x).to_sparse_csr(),
    "torch COO": lambda x: torch.from_numpy(x).to_sparse(),
    "scipy CSC": scipy.sparse.csc_matrix,
    "scipy array": scipy.sparse.coo_array,
    "entries twice": lambda x: scipy.sparse.csr_matrix((np.ones(4), [0, 0, 2, 1], [0, 2, 3, 4, 4]), shape=(4, 3)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_every_form_is_read_as_with_torch(form: str) -> None:
    x = FORMS[form](np.array([[1, 0, 2], [0, 0, 0], [-1, 3, 0], [0, 0, 5]], dtype=np.float32))
    before = x.copy() if isinstance(x, scipy.sparse.csr_matrix) else None
    found = as_rows(x, 3)
    np.testing.assert_array_equal(dense(found), with_torch(x))
    assert dense(found).flags.c_contiguous
    if before is not None:
        assert (before != x).nnz == 0


MISTAKES = {
    "wrong width": np.ones((2, 4)),
    "one row without its brackets": [1.0, 2.0, 3.0],
    "a number": 3.0,
    "three dimensions": np.ones((2, 3, 1)),
    "NaN": np.array([[0.0, 0, 0], [0, np.nan, 0]]),
    "infinite": [[np.inf, 0, 0]],
    "too large for float32": np.full((1, 3), 1e39),
    "NaN in a sparse matrix": scipy.sparse.csr_matrix([[np.nan, 0, 0]]),
    "complex": np.ones((1, 3)) * 1j,
    "complex and sparse": scipy.sparse.csr_matrix(np.ones((1, 3)) * 1j),
    "texts": [["a", "b", "c"]],
    "ragged": [[1.0, 2.0, 3.0], [1.0]],
    "nothing": None,
    "a mapping": {"x": 1},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_answered_as_with_torch(mistake: str) -> None:
    with pytest.raises(GraphKDError) as expected:
        with_torch(MISTAKES[mistake])
    with pytest.raises(GraphKDError) as found:
        as_rows(MISTAKES[mistake], 3)
    assert str(found.value) == str(expected.value)


def test_numbers_kept_as_objects_are_numbers_and_all_else_is_named() -> None:
    x = np.array([[1, True], [2.5, Decimal("0.5")]], dtype=object)
    assert as_rows(x).tolist() == [[1, 1], [2.5, 0.5]]
    for value, message in {
        "1": "x feature 1 holds '1' in row 1",
        None: "x holds NaN",
        1j: "holds 1j in row 1",
    }.items():
        x[1, 1] = value
        with pytest.raises(GraphKDError, match=message):
            as_rows(x)


def test_a_masked_row_in_a_list_is_missing() -> None:
    rows = [[1.0, 2.0], np.ma.masked_array([1.0, 2.0], [False, True])]
    with pytest.raises(GraphKDError, match=r"features holds masked values, .* \(first in row 1\)"):
        as_rows(rows, where="features")


def test_small_integers_do_not_wrap_around_where_entries_are_added() -> None:
    x = scipy.sparse.coo_array((np.full(2, 100, np.int8), ([0, 0], [1, 1])), shape=(1, 3))
    assert dense(as_rows(x, 3)).tolist() == [[0, 200, 0]]


@pytest.mark.parametrize("columns", [[0, 3, 1], [0, 2, 99], [3, 3, 3], [2**31 - 1, 0, 1], [0, -1, 1], [-5, 0, 1]])
@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csr_array])
def test_columns_that_a_sparse_matrix_does_not_have_are_refused(kind: type, columns: list[int]) -> None:
    x = kind(
        (np.ones(3, np.float32), np.array([0, 1, 2], np.int32), np.array([0, 1, 2, 3], np.int32)), shape=(3, 3)
    )
    x.indices[:] = columns  # scipy looks at them only where a matrix is made
    with pytest.raises(GraphKDError, match="x is no valid csr matrix: an index lies outside"):
        as_rows(x, 3)
