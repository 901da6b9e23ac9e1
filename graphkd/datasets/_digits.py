"""scikit-learn's digits as a nearest-neighbour graph: real data without a download."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.datasets.source import Location, Source

if TYPE_CHECKING:
    from torch_geometric.data import Data

NEIGHBOURS = 8


def _read(location: Location) -> Data:
    """Reads 1,797 images of 8 × 8 pixels in [0, 1]; each image receives edges from its 8 nearest neighbours."""
    from torch_geometric.data import Data

    x, edge_index, y = (table.clone() for table in _tables())  # callers may modify them
    return Data(x=x, edge_index=edge_index, y=y, class_names=[str(digit) for digit in range(10)])


@functools.cache
def _tables() -> tuple[Tensor, Tensor, Tensor]:
    """Returns ``x``, ``edge_index`` and ``y``; cached, since every job and seed of a sweep reads them."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    edges = torch.stack([_nearest(images).reshape(-1), torch.arange(len(images)).repeat_interleave(NEIGHBOURS)])
    return torch.from_numpy(images / 16.0).float(), edges, torch.from_numpy(labels).long()


def _nearest(images: NDArray[np.float64]) -> Tensor:
    """Returns ``[N, 8]`` ids. Pixels are integers, so distances are exact; ties are broken by the smaller id."""
    norms = (images**2).sum(axis=1)
    distance = norms[:, None] + norms - 2 * images @ images.T
    np.fill_diagonal(distance, np.inf)
    return torch.from_numpy(np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS].copy())


digits = Source(
    name="digits",
    paper="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998 (8-nearest-neighbour graph)",
    splits=("random", "cpf", "fractions"),
    row_normalize=False,
    read=_read,
)
