"""Checks of scipy sparse matrices from users, before scipy's kernels, which do not validate indices, run."""

from __future__ import annotations

from typing import Any

from graphkd.errors import GraphKDError


def check_sparse(matrix: Any, where: str) -> None:
    """Checks that the index arrays of a scipy sparse matrix match its shape.

    scipy validates a matrix only at construction, and not every index; its kernels then read and write out of
    bounds.

    Args:
        matrix: ``[N, D]``, any format.
        where: origin of the matrix, for error messages.

    Raises:
        GraphKDError: index arrays are not integers, not as long as the data, decreasing, or out of bounds.
    """
    check = CHECKS.get(matrix.format)
    if len(matrix.shape) != 2 or min(matrix.shape) < 0:
        raise GraphKDError(f"{where} must be [rows, features], but has shape {list(matrix.shape)}")
    if fault := check(matrix) if check is not None else "":
        raise GraphKDError(f"{where} is no valid {matrix.format} matrix: {fault}; make it again")


def check_compressed(indptr: Any, indices: Any, major: int, minor: int, entries: int) -> str:
    """Returns the fault in the index arrays of a CSR or CSC matrix, or an empty string.

    Args:
        indptr: ``[major + 1]``, start of each row.
        indices: column of each entry.
        major: number of rows.
        minor: number of columns.
        entries: number of values.
    """
    if indptr.ndim != 1 or indices.ndim != 1 or indptr.dtype.kind not in "iu" or indices.dtype.kind not in "iu":
        return "its index arrays are no flat arrays of whole numbers"
    if len(indptr) != major + 1 or len(indices) != entries:
        return f"it has {len(indptr)} row starts for {major} rows and {len(indices)} indices for {entries} values"
    if fault := check_starts(indptr, major, entries):
        return fault
    if entries and not 0 <= int(indices.min()) <= int(indices.max()) < minor:
        return f"an index lies outside its {minor} columns"
    return ""


def check_starts(indptr: Any, major: int, entries: int) -> str:
    """Returns the fault in the row starts alone; see ``check_compressed``."""
    if indptr.ndim != 1 or indptr.dtype.kind not in "iu" or len(indptr) != major + 1:
        return f"its row starts are no {major + 1} whole numbers"
    if indptr[0] != 0 or indptr[-1] != entries or bool((indptr[1:] < indptr[:-1]).any()):
        return "its row starts do not rise from 0 to the number of its values"
    return ""


def _compressed(matrix: Any) -> str:
    rows, columns = matrix.shape
    major, minor = (rows, columns) if matrix.format == "csr" else (columns, rows)
    if matrix.data.ndim != 1:
        return "its values are no flat array"
    entries = min(len(matrix.data), len(matrix.indices), int(matrix.indptr[-1]) if len(matrix.indptr) else 0)
    spare = len(matrix.data) == len(matrix.indices)  # scipy allows unused capacity after the last entry
    indices = matrix.indices[: max(entries, 0)] if spare else matrix.indices
    return check_compressed(matrix.indptr, indices, major, minor, entries)


def _blocks(matrix: Any) -> str:
    if matrix.data.ndim != 3:
        return "its values are no blocks"
    height, width = matrix.data.shape[1:]
    if height == 0 or width == 0 or matrix.shape[0] % height or matrix.shape[1] % width:
        return f"its blocks of {height} x {width} do not fill its shape"
    major, minor = matrix.shape[0] // height, matrix.shape[1] // width
    return check_compressed(matrix.indptr, matrix.indices, major, minor, len(matrix.data))


def _coordinates(matrix: Any) -> str:
    for index, size in ((matrix.row, matrix.shape[0]), (matrix.col, matrix.shape[1])):
        if index.ndim != 1 or index.dtype.kind not in "iu" or index.shape != matrix.data.shape:
            return "its coordinates are no flat arrays of whole numbers, one per value"
        if index.size and not 0 <= int(index.min()) <= int(index.max()) < size:
            return f"a coordinate lies outside its shape {list(matrix.shape)}"
    return ""


CHECKS = {"csr": _compressed, "csc": _compressed, "bsr": _blocks, "coo": _coordinates}
"""Checks by format; other formats are Python lists and mappings, or diagonals, which scipy checks itself."""
