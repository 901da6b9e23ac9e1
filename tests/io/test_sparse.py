"""Sparse matrices whose index arrays lie: one line, before any kernel of scipy or torch sees them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError, from_scipy
from graphkd.deploy.batch.columns import Wanted
from graphkd.deploy.batch.reading import open_rows, whole
from graphkd.io.npz import features_of, read_features
from graphkd.io.rows import as_rows, dense
from graphkd.io.sparse import check_sparse
from graphkd.sparse import as_features

X = np.array([[1, 0, 2, 0], [0, 0, 0, 0], [0, 3, 0, 0], [4, 0, 0, 5]], dtype=np.float32)
BIG = 2**31 - 1


def spoiled(kind: str, **arrays: Any) -> Any:
    """A matrix that scipy would not make."""
    matrix = (
        scipy.sparse.csr_matrix(X).asformat(kind)
        if kind != "bsr"
        else scipy.sparse.bsr_matrix(X, blocksize=(2, 2))
    )
    for name, array in arrays.items():
        setattr(matrix, name, np.asarray(array) if name != "_shape" else array)
    return matrix


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "csr index": ("csr", {"indices": [0, BIG, 1, 0, 3]}),
    "csr negative index": ("csr", {"indices": [0, -5, 1, 0, 3]}),
    "csr rows fall": ("csr", {"indptr": [0, 5, 2, 3, 5]}),
    "csr rows leave": ("csr", {"indptr": [0, 2, 2, 3, BIG]}),
    "csr rows begin late": ("csr", {"indptr": [1, 2, 2, 3, 5]}),
    "csr too few rows": ("csr", {"indptr": [0, 5]}),
    "csr no rows": ("csr", {"indptr": np.zeros(0, np.int32)}),
    "csr shape": ("csr", {"_shape": (10**8, 4)}),
    "csr narrow": ("csr", {"_shape": (4, 2)}),
    "csr fewer values": ("csr", {"data": np.ones(2, np.float32)}),
    "csr float indices": ("csr", {"indices": [0.0, 2.0, 1.0, 0.0, 3.0]}),
    "csr deep values": ("csr", {"data": np.ones((5, 1), np.float32)}),
    "csc index": ("csc", {"indices": [0, BIG, 2, 0, 3]}),
    "csc columns fall": ("csc", {"indptr": [0, 9, 3, 4, 5]}),
    "csc shape": ("csc", {"_shape": (4, 10**8)}),
    "bsr index": ("bsr", {"indices": [0, 7, 0, 1]}),
    "bsr rows": ("bsr", {"indptr": [0, 4, 2]}),
    "bsr blocks": ("bsr", {"data": np.zeros((4, 0, 2), np.float32)}),
    "bsr odd blocks": ("bsr", {"data": np.zeros((4, 3, 2), np.float32)}),
    "coo row": ("coo", {"row": [0, BIG, 2, 3, 3]}),
    "coo column": ("coo", {"col": [0, -1, 1, 0, 3]}),
    "coo lengths": ("coo", {"row": [0, 1]}),
    "coo shape": ("coo", {"_shape": (2, 2)}),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("way", [as_rows, as_features, lambda x: from_scipy(x, X)])
def test_no_way_in_takes_them(case: str, way: Callable[[Any], Any]) -> None:
    kind, arrays = BAD[case]
    with pytest.raises(GraphKDError, match="is no valid|must be square|for 4 nodes|must be") as caught:
        way(spoiled(kind, **arrays))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr", "coo", "lil", "dok", "dia"])
def test_what_scipy_makes_is_right(kind: str) -> None:
    matrix = scipy.sparse.csr_matrix(X).asformat(kind)
    check_sparse(matrix, "x")
    np.testing.assert_array_equal(dense(as_rows(matrix)), X)


def test_room_behind_the_last_entry_is_legal() -> None:
    matrix = scipy.sparse.csr_matrix(X)
    matrix.data = np.append(matrix.data, np.float32(9))
    matrix.indices = np.append(matrix.indices, np.int32(77))
    np.testing.assert_array_equal(dense(as_rows(matrix)), X)


@given(st.lists(st.integers(-3, 9), min_size=5, max_size=5), st.lists(st.integers(-2, 8), min_size=5, max_size=5))
def test_whatever_passes_has_the_entries_that_it_states(indices: list[int], indptr: list[int]) -> None:
    matrix = spoiled("csr", indices=indices, indptr=indptr)
    legal = indptr[0] == 0 and indptr == sorted(indptr) and indptr[-1] <= 5
    legal = legal and all(0 <= index < 4 for index in indices[: indptr[-1]])
    try:
        check_sparse(matrix, "x")
    except GraphKDError:
        assert not legal
    else:
        assert legal


def tensors() -> dict[str, torch.Tensor]:
    """Sparse tensors that torch does not look at."""
    ones = torch.ones(2)
    csr = torch.sparse_csr_tensor([0, 1, 2], [0, 3], ones, (2, 2), check_invariants=False)
    rows = torch.sparse_csr_tensor([0, 2**40, 2], [0, 1], ones, (2, 2), check_invariants=False)
    coo = torch.sparse_coo_tensor([[0, 1], [0, 9]], ones, (2, 2), check_invariants=False, is_coalesced=True)
    return {"csr": csr, "rows": rows, "coo": coo}


@pytest.mark.parametrize("way", [as_rows, as_features])
def test_sparse_tensors_are_looked_at_too(way: Callable[[Any], Any]) -> None:
    for x in tensors().values():
        with pytest.raises(GraphKDError, match="x is no valid"):
            way(x)


FILES: dict[str, dict[str, Any]] = {
    "index": {"indices": [0, BIG, 1, 0, 3]},
    "negative": {"indices": [0, -1, 1, 0, 3]},
    "falling": {"indptr": [0, 5, 2, 3, 5]},
    "huge": {"indptr": [0, 2, 2, 3, BIG]},
    "below": {"indptr": [-2, 2, 2, 3, 5]},
    "short": {"indptr": [0, 5]},
    "other": {"shape": [9, 9]},
    "fewer": {"data": [1.0]},
    "objects": {"shape": [4, 4, 4]},
}


def write(file: Path, kind: str, changes: dict[str, Any]) -> None:
    matrix = scipy.sparse.csr_matrix(X).asformat(kind)
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": matrix.shape}
    np.savez(file, format=kind.encode(), **{**parts, **changes})


@pytest.mark.parametrize("case", FILES)
def test_files_of_rows_and_features_are_one_line(case: str, tmp_path: Path) -> None:
    for kind in ("csr", "csc"):
        file = tmp_path / f"{kind}.npz"
        write(file, kind, FILES[case])
        with pytest.raises(GraphKDError) as caught:
            list(whole(open_rows(file, Wanted(4)), file, 2, 0))
        assert "\n" not in str(caught.value)
    write(tmp_path / "features.npz", "csr", FILES[case])
    with pytest.raises(GraphKDError, match=r"features.npz"):
        read_features(tmp_path)
    arrays = {f"x_{name}": np.asarray(part) for name, part in np.load(tmp_path / "features.npz").items()}
    with pytest.raises(GraphKDError, match="are no CSR matrix"):
        features_of(arrays, tmp_path / "graph2.npz")
