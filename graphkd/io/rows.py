"""Conversion of rows of any supported type to checked numpy rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphkd.checks import check_unmasked
from graphkd.errors import GraphKDError
from graphkd.io.frame import object_numbers
from graphkd.io.sparse import check_compressed, check_sparse

Rows = Any
"""``[B, D]`` float32: an array in C order, or a canonical scipy CSR matrix (scipy is then installed)."""


def as_rows(x: Any, width: int | None = None, where: str = "x") -> Rows:
    """Checks rows and converts them to float32; used by training and every runtime.

    Args:
        x: ``[B, D]``: array, nested lists, scipy sparse matrix, tensor, torch sparse tensor, ``SparseMatrix``.
        width: ``D``, if it is known.
        where: origin of the rows, for error messages.

    Raises:
        GraphKDError: ``x`` is no table of real, finite numbers, or has another width.
    """
    sparse = hasattr(x, "tocsr") or hasattr(x, "rowptr") or _is_torch_sparse(x)
    rows = _csr(x, where) if sparse else _dense(x, where)
    if len(rows.shape) != 2 or (width is not None and rows.shape[1] != width):
        expected = "features" if width is None else width
        raise GraphKDError(f"{where} must be [rows, {expected}], but has shape {list(rows.shape)}")
    values = rows if isinstance(rows, np.ndarray) else rows.data
    if not np.isfinite(values).all():
        location = ""
        if values is rows:
            location = f" (first in row {int((~np.isfinite(rows)).any(axis=1).argmax())})"
        raise GraphKDError(f"{where} holds NaN or infinite values{location}: fill or drop them")
    return rows


def array_of(x: Any) -> Any:
    """Converts a tensor of any strides, device and precision to an array; other types with ``np.asarray``.

    bfloat16, which numpy does not support, becomes float32, exactly.
    """
    if not hasattr(x, "detach"):
        return np.asarray(x)
    host = x.detach().cpu()
    return (host.float() if str(host.dtype) == "torch.bfloat16" else host).resolve_conj().resolve_neg().numpy()


def preprocess(rows: Rows, features: str, row_normalize: bool) -> Rows:
    """Applies ``graphkd.datasets.Preprocessing`` to checked rows ``[B, D]``; sparse rows stay sparse."""
    if features == "binary":
        rows = _with_values(rows, (_values(rows) != 0).astype(np.float32))
    if not row_normalize:
        return rows
    if isinstance(rows, np.ndarray):
        total = np.abs(rows).sum(axis=1, dtype=np.float64, keepdims=True)
        return (rows * _inverse(total)).astype(np.float32)
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    total = np.bincount(row, weights=np.abs(rows.data, dtype=np.float64), minlength=rows.shape[0])
    return _with_values(rows, (rows.data * _inverse(total)[row]).astype(np.float32))


def dense(rows: Rows) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Returns ``[B, D]`` rows as a dense array."""
    table: np.ndarray[Any, np.dtype[np.float32]] = rows if isinstance(rows, np.ndarray) else rows.toarray()
    return table


def _dense(x: Any, where: str) -> Rows:
    check_unmasked(x, where)
    try:
        table = array_of(x)
    except (TypeError, ValueError, RuntimeError):
        table = np.empty(0, dtype=object)
    if table.dtype == object and table.ndim == 2:
        table = np.stack([object_numbers(column, f"{where} feature {k}") for k, column in enumerate(table.T)], 1)
    if table.dtype.kind == "c":
        raise GraphKDError(f"{where} must hold real numbers, but holds {table.dtype}: encode it as such first")
    if table.dtype.kind not in "biuf":
        raise GraphKDError(
            f"{where} is no table of numbers, but a {type(x).__name__}: "
            "give [rows, features] as a tensor or an array"
        )
    if table.dtype == np.float32:
        return np.ascontiguousarray(table) if table.ndim else table
    with np.errstate(over="ignore"):  # overflows become infinite and are rejected later
        return np.ascontiguousarray(table, dtype=np.float32) if table.ndim else table


def _csr(x: Any, where: str) -> Rows:
    matrix = x if hasattr(x, "tocsr") else _from_torch(x.torch() if hasattr(x, "rowptr") else x, where)
    if matrix.dtype.kind not in "biuf":
        raise GraphKDError(f"{where} must hold real numbers, but holds {matrix.dtype}: encode it as such first")
    check_sparse(matrix, where)
    widen = matrix.dtype.kind != "f" or matrix.dtype.itemsize < 4  # sums would wrap around or round
    csr = (matrix.astype(np.float64) if widen else matrix).tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()  # the caller's matrix is not modified
        csr.sum_duplicates()
    with np.errstate(over="ignore"):
        return csr if csr.dtype == np.float32 else csr.astype(np.float32)


def _is_torch_sparse(x: Any) -> bool:
    return hasattr(x, "to_sparse_csr") and str(x.layout) != "torch.strided"


def _from_torch(x: Any, where: str) -> Any:
    """Converts a torch sparse tensor to scipy; only callers with a tensor need torch and scipy."""
    import scipy.sparse

    tensor = x.detach().cpu()
    if str(tensor.layout) == "torch.sparse_coo":
        entries, (row, column) = array_of(tensor._values()), array_of(tensor._indices())
        matrix = scipy.sparse.coo_matrix(tensor.shape, dtype=entries.dtype)
        matrix.data, matrix.row, matrix.col = entries, row, column
        return matrix
    csr = tensor.to_sparse_csr()
    values, indices, indptr = (array_of(part) for part in (csr.values(), csr.col_indices(), csr.crow_indices()))
    if fault := check_compressed(indptr, indices, tensor.shape[0], tensor.shape[1], len(values)):
        raise GraphKDError(f"{where} is no valid sparse tensor: {fault}; make it again")
    return scipy.sparse.csr_matrix((values, indices, indptr), shape=tuple(tensor.shape))


def _values(rows: Rows) -> Any:
    return rows if isinstance(rows, np.ndarray) else rows.data


def _with_values(rows: Rows, values: Any) -> Rows:
    if isinstance(rows, np.ndarray):
        return values
    return type(rows)((values, rows.indices, rows.indptr), shape=rows.shape)


def _inverse(total: Any) -> Any:
    return np.divide(1.0, total, out=np.zeros(total.shape), where=total > 0)
