"""Dense and sparse feature rows, and the operations that both support."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from graphkd.checks import check_unmasked
from graphkd.errors import GraphKDError
from graphkd.io.sparse import check_compressed, check_sparse
from graphkd.sparse.factored import Factored
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.spmm import spmm

Features: TypeAlias = "Tensor | SparseMatrix"
"""Node features ``[N, D]``: a dense tensor or a sparse matrix."""

Rows = TypeVar("Rows", bound="Tensor | SparseMatrix")
"""Dense or sparse rows; the type of an argument is the type of the result."""

Inputs: TypeAlias = "Features | Factored"
"""Student inputs ``[N, D']``: features, or propagated features stored as factors."""


def linear(x: Inputs, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Computes ``x @ weightᵀ + bias`` for dense, sparse or factored rows; sparse rows cost nnz · h.

    Args:
        x: ``[B, D]``.
        weight: ``[h, D]``, as in ``torch.nn.Linear``.
        bias: ``[h]`` or ``None``.

    Returns:
        ``[B, h]``.

    >>> linear(torch.tensor([[1.0, 2.0]]), weight=torch.ones(3, 2), bias=torch.zeros(3))
    tensor([[3., 3., 3.]])
    """
    if isinstance(x, Tensor):
        return F.linear(x, weight, bias)
    out = x.linear(weight) if isinstance(x, Factored) else spmm(x, weight.t())
    return out if bias is None else out.add_(bias)


def as_features(x: Any) -> Features:
    """Converts to features: dense tensors stay as they are, sparse tensors, scipy matrices and arrays are wrapped.

    Args:
        x: ``[B, D]``: tensor, torch sparse tensor (CSR or COO), scipy sparse matrix or array.

    Returns:
        Floating-point features; half, single and double precision are unchanged, other dtypes become float32.

    Raises:
        GraphKDError: ``x`` is no table of real numbers.

    >>> import numpy as np
    >>> import scipy.sparse
    >>> as_features(np.array([[1, 2]])).dtype
    torch.float32
    >>> as_features(scipy.sparse.eye(3)).nnz
    3
    """
    if isinstance(x, SparseMatrix):
        return x
    if hasattr(x, "tocsr"):
        _check_real(x.dtype.kind in "biuf", x.dtype)
        check_sparse(x, "x")
        integral = x.dtype.kind != "f"
        csr = (x.astype(np.float64) if integral else x).tocsr()  # small integers wrap around in sums
        if not csr.has_canonical_format:
            csr = csr.copy()  # the caller's matrix is not modified
            csr.sum_duplicates()
        matrix = SparseMatrix(
            torch.from_numpy(csr.indptr).long(),
            torch.from_numpy(csr.indices).long(),
            torch.from_numpy(csr.data),
            csr.shape[1],
        )
        return matrix.to(torch.float32) if integral else matrix
    if isinstance(x, np.ndarray):
        x = _plain(x)
    try:
        tensor: Tensor = torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError):
        raise GraphKDError(
            f"x is no table of numbers, but a {type(x).__name__}: give [rows, features] as a tensor or an array"
        ) from None
    _check_real(not tensor.is_complex(), tensor.dtype)
    if not tensor.dtype.is_floating_point:
        tensor = tensor.float()
    if tensor.layout == torch.strided:
        return tensor
    return SparseMatrix.from_torch(_checked(tensor)).merged()


def _checked(tensor: Tensor) -> Tensor:
    """Converts a sparse tensor to CSR, after a check of its indices, which torch does not check itself.

    Raises:
        GraphKDError: an index is out of bounds.
    """
    if tensor.layout == torch.sparse_coo and tensor._nnz():
        low, high = tensor._indices().amin(dim=1), tensor._indices().amax(dim=1)
        if bool((low < 0).any()) or bool((high.cpu() >= torch.tensor(tensor.shape)).any()):
            raise GraphKDError("x is no valid sparse tensor: a coordinate lies outside its shape; make it again")
    csr = tensor if tensor.layout == torch.sparse_csr else tensor.to_sparse_csr()
    if csr.dim() == 2 and csr.device.type == "cpu":
        indptr, indices = csr.crow_indices().numpy(), csr.col_indices().numpy()
        if fault := check_compressed(indptr, indices, csr.shape[0], csr.shape[1], csr.values().numel()):
            raise GraphKDError(f"x is no valid sparse tensor: {fault}; make it again")
    return csr


def _plain(x: NDArray[Any]) -> NDArray[Any]:
    """Returns the numbers in an array that torch accepts: unmasked, native byte order, contiguous, writeable."""
    check_unmasked(x, "x")
    if x.dtype.kind == "f" and x.dtype.itemsize > 8:
        x = x.astype(np.float64)
    x = np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("=")) if x.ndim else x
    return x if x.flags.writeable else x.copy()  # pandas hands out read-only arrays, which torch warns about


def _check_real(real: bool, dtype: Any) -> None:
    if not real:
        name = str(dtype).removeprefix("torch.")
        raise GraphKDError(f"x must hold real numbers, but holds {name}: encode it as such first")


def check_features(x: Features, width: int | None = None, name: str = "x") -> Features:
    """Checks that rows are ``[B, D]`` finite numbers, ``width`` wide if it is set, and returns them.

    Raises:
        GraphKDError: they are not.

    >>> check_features(torch.tensor([[1.0, float("nan")]]))
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: x holds NaN or infinite values (first in row 0): fill or drop them
    """
    if len(x.shape) != 2 or x.shape[1] == 0 or width not in (None, x.shape[1]):
        raise GraphKDError(f"{name} must be [rows, {width or 'features'}], but has shape {list(x.shape)}")
    values = x.value if isinstance(x, SparseMatrix) else x
    if not bool(values.isfinite().all()):
        where = ""
        if isinstance(x, Tensor):
            where = f" (first in row {int((~x.isfinite()).any(dim=1).nonzero()[0])})"
        raise GraphKDError(f"{name} holds NaN or infinite values{where}: fill or drop them")
    return x


def select_rows(x: Inputs, index: Tensor) -> Features:
    """Returns the rows ``index [B]`` of dense, sparse or factored inputs.

    >>> select_rows(torch.eye(3), torch.tensor([2, 0])).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    return x.index_select(0, index) if isinstance(x, Tensor) else x.select(index)


def beside(x: Features, table: Tensor) -> Features:
    """Returns ``[x ‖ table]``: features ``[N, D]`` and columns ``[N, d]`` side by side, sparse if ``x`` is.

    >>> beside(torch.zeros(2, 3), torch.ones(2, 1)).tolist()
    [[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]]
    """
    if isinstance(x, Tensor):
        return torch.cat([x, table.to(x.dtype)], dim=1)
    num_rows, width = table.shape
    starts = torch.arange(num_rows + 1, device=x.device) * width
    rowptr = x.rowptr + starts
    own = torch.arange(x.nnz, device=x.device) + starts[x.row]
    added = (rowptr[1:] - width).unsqueeze(1) + torch.arange(width, device=x.device)
    col = torch.empty(x.nnz + table.numel(), dtype=x.col.dtype, device=x.device)
    value = torch.empty(col.numel(), dtype=x.dtype, device=x.device)
    col[own], value[own] = x.col, x.value
    col[added] = x.shape[1] + torch.arange(width, device=x.device).expand(num_rows, width)
    value[added] = table.to(x.dtype)
    return SparseMatrix(rowptr, col, value, x.shape[1] + width)


def at_least_single(x: Rows) -> Rows:
    """Converts half-precision rows to float32, in which networks compute; returns others unchanged.

    >>> at_least_single(torch.ones(2, dtype=torch.float16)).dtype
    torch.float32
    """
    half = x.dtype in (torch.float16, torch.bfloat16)
    return x.to(torch.float32) if half else x  # type: ignore[return-value]
