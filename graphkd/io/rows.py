"""Rows of any kind → checked rows of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphkd.checks import check_unmasked
from graphkd.errors import GraphKDError
from graphkd.io.frame import object_numbers
from graphkd.io.sparse import check_compressed, check_sparse

Rows = Any
"""``[B, D]`` float32: an array in C order, or a canonical scipy CSR matrix (whoever has one has scipy)."""


def as_rows(x: Any, width: int | None = None, where: str = "x") -> Rows:
    """Checks rows and makes them float32; the one reader of training and of every runtime.

    Args:
        x: ``[B, D]``: array, nested lists, scipy sparse matrix, tensor, torch sparse tensor, ``SparseMatrix``.
        width: ``D``, where it is known.
        where: they come from, for the error message.

    Raises:
        GraphKDError: no table of real, finite numbers, or of another width.
    """
    sparse = hasattr(x, "tocsr") or hasattr(x, "rowptr") or _is_torch_sparse(x)
    rows = _csr(x, where) if sparse else _dense(x, where)
    if len(rows.shape) != 2 or (width is not None and rows.shape[1] != width):
        wanted = "features" if width is None else width
        raise GraphKDError(f"{where} must be [rows, {wanted}], but has shape {list(rows.shape)}")
    values = rows if isinstance(rows, np.ndarray) else rows.data
    if not np.isfinite(values).all():
        place = ""
        if values is rows:
            place = f" (first in row {int((~np.isfinite(rows)).any(axis=1).argmax())})"
        raise GraphKDError(f"{where} holds NaN or infinite values{place}: fill or drop them")
    return rows


def array_of(x: Any) -> Any:
    """A tensor's numbers as an array, whatever its strides, device and precision; all else through ``np.asarray``.

    bfloat16, which numpy has not, becomes float32, exactly.
    """
    if not hasattr(x, "detach"):
        return np.asarray(x)
    plain = x.detach().cpu()
    return (plain.float() if str(plain.dtype) == "torch.bfloat16" else plain).resolve_conj().resolve_neg().numpy()


def preprocess(rows: Rows, features: str, row_normalize: bool) -> Rows:
    """``graphkd.datasets.Preprocessing`` of checked rows ``[B, D]``, sparse where they are."""
    if features == "binary":
        rows = _with_values(rows, (_values(rows) != 0).astype(np.float32))
    if not row_normalize:
        return rows
    if isinstance(rows, np.ndarray):
        total = np.abs(rows).sum(axis=1, dtype=np.float64, keepdims=True)
        return (rows * _inverse(total)).astype(np.float32)
    place = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    total = np.bincount(place, weights=np.abs(rows.data, dtype=np.float64), minlength=rows.shape[0])
    return _with_values(rows, (rows.data * _inverse(total)[place]).astype(np.float32))


def dense(rows: Rows) -> np.ndarray[Any, np.dtype[np.float32]]:
    """``[B, D]`` rows as an array."""
    table: np.ndarray[Any, np.dtype[np.float32]] = rows if isinstance(rows, np.ndarray) else rows.toarray()
    return table


def _dense(x: Any, where: str) -> Rows:
    check_unmasked(x, where)
    try:
        table = array_of(x)
    except (TypeError, ValueError, RuntimeError):
        table = np.empty(0, dtype=object)
    if table.dtype == object and table.ndim == 2:
        table = np.stack([object_numbers(column, f"{where} feature {at}") for at, column in enumerate(table.T)], 1)
    if table.dtype.kind == "c":
        raise GraphKDError(f"{where} must hold real numbers, but holds {table.dtype}: encode it as such first")
    if table.dtype.kind not in "biuf":
        raise GraphKDError(
            f"{where} is no table of numbers, but a {type(x).__name__}: "
            "give [rows, features] as a tensor or an array"
        )
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and refused as such
        return np.ascontiguousarray(table, dtype=np.float32) if table.ndim else table


def _csr(x: Any, where: str) -> Rows:
    given = x if hasattr(x, "tocsr") else _from_torch(x.torch() if hasattr(x, "rowptr") else x, where)
    if given.dtype.kind not in "biuf":
        raise GraphKDError(f"{where} must hold real numbers, but holds {given.dtype}: encode it as such first")
    check_sparse(given, where)
    small = given.dtype.kind != "f" or given.dtype.itemsize < 4  # wraps around, or rounds, where entries are added
    csr = (given.astype(np.float64) if small else given).tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()  # the caller's matrix stays as it is
        csr.sum_duplicates()
    with np.errstate(over="ignore"):
        return csr if csr.dtype == np.float32 else csr.astype(np.float32)


def _is_torch_sparse(x: Any) -> bool:
    return hasattr(x, "to_sparse_csr") and str(x.layout) != "torch.strided"


def _from_torch(x: Any, where: str) -> Any:
    """Whoever has a torch tensor has torch, and scipy with it; nobody else needs either."""
    import scipy.sparse

    given = x.detach().cpu()
    if str(given.layout) == "torch.sparse_coo":
        entries, (row, column) = array_of(given._values()), array_of(given._indices())
        matrix = scipy.sparse.coo_matrix(given.shape, dtype=entries.dtype)
        matrix.data, matrix.row, matrix.col = entries, row, column
        return matrix
    csr = given.to_sparse_csr()
    values, indices, indptr = (array_of(part) for part in (csr.values(), csr.col_indices(), csr.crow_indices()))
    if fault := check_compressed(indptr, indices, given.shape[0], given.shape[1], len(values)):
        raise GraphKDError(f"{where} is no valid sparse tensor: {fault}; make it again")
    return scipy.sparse.csr_matrix((values, indices, indptr), shape=tuple(given.shape))


def _values(rows: Rows) -> Any:
    return rows if isinstance(rows, np.ndarray) else rows.data


def _with_values(rows: Rows, values: Any) -> Rows:
    if isinstance(rows, np.ndarray):
        return values
    return type(rows)((values, rows.indices, rows.indptr), shape=rows.shape)


def _inverse(total: Any) -> Any:
    return np.divide(1.0, total, out=np.zeros(total.shape), where=total > 0)
