from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets import Preprocessing
from graphkd.io.rows import as_rows, dense, preprocess
from graphkd.sparse import as_features
from tests.sparse.test_matrix import sparse
from tests.strategies import tables


@given(x=tables(5, 4), features=st.sampled_from(["stored", "binary"]), row_normalize=st.booleans())
def test_dense_and_sparse_agree_and_twice_is_once(x: torch.Tensor, features: str, row_normalize: bool) -> None:
    steps = Preprocessing(features, row_normalize)
    once = steps(x)
    torch.testing.assert_close(steps(sparse(x)).to_dense(), once)
    torch.testing.assert_close(steps(once), once)
    totals = once.abs().sum(dim=1)
    if row_normalize:
        torch.testing.assert_close(totals[totals > 0], torch.ones_like(totals[totals > 0]))
    if features == "binary" and not row_normalize:
        assert set(once.unique().tolist()) <= {0.0, 1.0}


# values, columns, where rows end, and the table that they add up to
TWICE = {
    "a value in two parts": ([1.0, 1.0, 3.0], [1, 1, 2], [0, 3], [[0.0, 2.0, 3.0]]),
    "in three parts": ([1.0, 2.0, 1.0], [0, 0, 0], [0, 3], [[4.0, 0.0, 0.0]]),
    "that cancel": ([1.0, -1.0, 2.0], [1, 1, 0], [0, 3], [[2.0, 0.0, 0.0]]),
    "apart from each other": ([1.0, 5.0, 1.0], [2, 0, 2], [0, 3], [[5.0, 0.0, 2.0]]),
    "in the second row": ([4.0, 1.0, 1.0], [0, 1, 1], [0, 1, 3], [[4.0, 0.0, 0.0], [0.0, 2.0, 0.0]]),
    "at the same place in two rows": ([4.0, 1.0], [1, 1], [0, 1, 2], [[0.0, 4.0, 0.0], [0.0, 1.0, 0.0]]),
    "with an empty row between": (
        [1.0, 1.0, 2.0],
        [0, 0, 0],
        [0, 2, 2, 3],
        [[2.0, 0, 0], [0.0, 0, 0], [2.0, 0, 0]],
    ),
    "out of order": ([1.0, 2.0, 3.0], [2, 0, 2], [0, 3], [[2.0, 0.0, 4.0]]),
    "that leave nothing": ([0.5, -0.5], [1, 1], [0, 2], [[0.0, 0.0, 0.0]]),
    "a listed zero": ([0.0, 2.0], [0, 1], [0, 2], [[0.0, 2.0, 0.0]]),
}


@pytest.mark.parametrize("form", ["scipy matrix", "scipy array", "scipy coo", "torch CSR"])
@pytest.mark.parametrize("name", TWICE)
def test_entries_that_are_listed_twice_count_once(name: str, form: str) -> None:
    """In training and in serving, before values become 1 and rows are divided."""
    values, columns, ends, table = TWICE[name]
    parts, shape = (np.float32(values), np.int32(columns), np.int32(ends)), (len(table), 3)
    rows: Any = scipy.sparse.csr_matrix(parts, shape=shape)
    if form == "scipy array":
        rows = scipy.sparse.csr_array(parts, shape=shape)
    elif form == "scipy coo":
        rows = scipy.sparse.coo_matrix((rows.data, (np.repeat(range(len(table)), np.diff(ends)), columns)), shape)
    elif form == "torch CSR":
        rows = torch.sparse_csr_tensor(*map(torch.tensor, (ends, columns, values)), shape, check_invariants=False)
    for steps in (Preprocessing("binary"), Preprocessing(row_normalize=True), Preprocessing("binary", True)):
        expected = steps(torch.tensor(table, dtype=torch.float32))
        torch.testing.assert_close(steps(as_features(rows)).to_dense(), expected)
        served = dense(preprocess(as_rows(rows, 3), steps.features, steps.row_normalize))
        np.testing.assert_allclose(served, expected, rtol=1e-6)


def test_unknown_features_are_refused() -> None:
    with pytest.raises(GraphKDError, match="dataset.features is 'tfidf': choose stored or binary"):
        Preprocessing("tfidf")


@pytest.mark.parametrize("scale", [1e-45, 1e-30, 1e38])
def test_rows_at_the_ends_of_float32_sum_to_one(scale: float) -> None:
    rows = torch.full((2, 4), scale)
    for x in (Preprocessing(row_normalize=True)(rows), Preprocessing(row_normalize=True)(sparse(rows)).to_dense()):
        torch.testing.assert_close(x, torch.full((2, 4), 0.25))
