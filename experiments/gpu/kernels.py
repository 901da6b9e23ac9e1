"""Products with a graph, by backend, against a copy: milliseconds, gigabytes per second, share of the copy's."""

from __future__ import annotations

from typing import Any

import torch
from clock import SIZES, copy_rate, milliseconds, power_law

from graphkd.sparse import SparseMatrix
from graphkd.sparse.segment import segment_backends, segment_reduce, take
from graphkd.sparse.spmm import available_backends, multiply


def rows(size: str, width: int) -> list[dict[str, Any]]:
    """Every backend that works here, on a graph of that size and tables of that width."""
    matrix = power_law(size).normalize("symmetric", 1, torch.float32)
    dense = torch.randn(matrix.shape[1], width, device="cuda")
    expected, bytes_moved, copied, found = None, traffic(matrix, width), copy_rate(), []
    for backend in sorted(available_backends(dense.device), key=lambda name: name != "csr"):
        if backend == "torch_scatter" and 4 * matrix.nnz * width > 3 * 2**33:
            continue  # it gathers every entry's row first: more than the device holds
        out = multiply(matrix, dense, backend)
        expected = out if expected is None else expected
        error = float((out - expected).norm() / expected.norm())
        same = all(torch.equal(out, multiply(matrix, dense, backend)) for _ in range(3))
        taken = milliseconds(lambda backend=backend: multiply(matrix, dense, backend), 5)
        rate = bytes_moved / taken / 1e6
        found.append(
            {
                "what": "spmm", "size": size, "width": width, "backend": backend, "ms": taken, "gb_per_s": rate,
                "of_copy": rate / copied, "same_bits": same, "error": error,
            }
        )  # fmt: skip
    return found


def segments(size: str) -> list[dict[str, Any]]:
    """Sums and maxima over rows by backend, and rows of a narrow table by number."""
    matrix = power_law(size).normalize("symmetric", 1, torch.float32)
    values, found = torch.randn(matrix.nnz, 4, device="cuda"), []
    for backend in segment_backends(values.device):
        for reduction in ("sum", "max"):
            taken = milliseconds(lambda b=backend, r=reduction: segment_reduce(matrix.rowptr, values, r, b))
            found.append(
                {"what": f"segment {reduction}", "size": size, "width": 4, "backend": backend, "ms": taken}
            )
    highest = torch.randn(matrix.shape[0], 4, device="cuda")
    for backend, call in {"torch": highest.index_select, "triton": lambda _, index: take(highest, index)}.items():
        taken = milliseconds(lambda call=call: call(0, matrix.col))
        found.append({"what": "rows by number", "size": size, "width": 4, "backend": backend, "ms": taken})
    return found


def traffic(matrix: SparseMatrix, width: int) -> int:
    """Bytes, if every entry fetches its row: columns, values, rows read, rows written."""
    return matrix.nnz * (8 + 4 + 4 * width) + 4 * matrix.shape[0] * width


def all_rows() -> list[dict[str, Any]]:
    """Both sizes."""
    return [row for size in SIZES for width in (64, 256) for row in rows(size, width)] + segments("arxiv")
