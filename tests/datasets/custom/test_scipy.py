from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from graphkd import GraphKDError, from_scipy
from tests.datasets.custom.graphs import X, matrix


def test_a_matrix_s_rows_are_senders_and_stored_zeros_no_edges() -> None:
    stored = scipy.sparse.csr_matrix((np.array([5.0, 0.0]), ([0, 1], [2, 2])), (3, 3))
    data = from_scipy(stored, X[:3], directed=True)
    assert data.edge_index.tolist() == [[0], [2]]
    assert "edge_weight" not in data
    assert "y" not in data
    assert stored.nnz == 2


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "no matrix": (lambda: from_scipy(np.eye(3), X[:3]), "adjacency is a ndarray, no scipy sparse matrix"),
    "no square": (lambda: from_scipy(matrix().tocsr()[:3], X), r"adjacency must be square .* shape \[3, 8\]"),
    "fewer features": (lambda: from_scipy(matrix(), X[:3]), "adjacency is for 8 nodes, features has 3 rows"),
    "signed": (lambda: from_scipy(-matrix(), X, weighted=True), "adjacency holds -1.0 for edge 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake: str) -> None:
    make, message = MISTAKES[mistake]
    with pytest.raises(GraphKDError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_small_integers_do_not_wrap_around_where_entries_are_added() -> None:
    twice = (np.full(4, 128, np.uint8), ([0, 0, 1, 1], [1, 1, 2, 2]))
    matrix, x = (scipy.sparse.coo_array(twice, shape=(30, width)) for width in (30, 3))
    data = from_scipy(matrix, x, [0, 1] * 15, weighted=True, directed=True)
    assert data.edge_weight.tolist() == [256, 256]
    assert data.x.to_dense().max() == 256
