"""Feature preprocessing that is saved in the bundle, so that raw rows can be served."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from graphkd.errors import GraphKDError
from graphkd.sparse import Features, SparseMatrix


@dataclass(frozen=True)
class Preprocessing:
    """Row-wise, idempotent preprocessing.

    Args:
        features: ``stored`` leaves values unchanged; ``binary`` sets every non-zero entry to 1.
        row_normalize: divides each row by the sum of its absolute values; zero rows stay zero.

    Raises:
        GraphKDError: ``features`` or ``row_normalize`` is invalid.

    >>> Preprocessing(row_normalize=True)(torch.tensor([[1.0, 3.0]]))
    tensor([[0.2500, 0.7500]])
    """

    features: str = "stored"
    row_normalize: bool = False

    def __post_init__(self) -> None:
        if self.features not in ("stored", "binary"):
            raise GraphKDError(f"dataset.features is '{self.features}': choose stored or binary")
        if not isinstance(self.row_normalize, bool):
            raise GraphKDError(f"dataset.row_normalize is {self.row_normalize!r}: choose true or false")

    def __call__(self, x: Features) -> Features:
        """Preprocesses raw rows ``[B, D]``; sparse rows stay sparse."""
        if self.features == "binary":
            x = _binary(x)
        return _row_normalize(x) if self.row_normalize else x


def _binary(x: Features) -> Features:
    if isinstance(x, SparseMatrix):
        return SparseMatrix(x.rowptr, x.col, (x.value != 0).to(x.dtype), x.shape[1])
    return (x != 0).to(x.dtype)


def _row_normalize(x: Features) -> Features:
    if isinstance(x, SparseMatrix):
        rows = x.to(torch.float64)
        total = SparseMatrix(x.rowptr, x.col, rows.value.abs(), x.shape[1]).sum(dim=1)
        return rows.scale(rows=torch.where(total > 0, 1.0 / total, 0.0)).to(x.dtype)
    total = x.abs().sum(dim=1, keepdim=True, dtype=torch.float64)
    return (x * torch.where(total > 0, 1.0 / total, 0.0)).to(x.dtype)
