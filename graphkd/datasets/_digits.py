"""scikit-learn's digits as a nearest-neighbour graph: real data that needs no download."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from graphkd.datasets.source import Location, Source

if TYPE_CHECKING:
    from torch_geometric.data import Data

NEIGHBOURS = 8


def _read(location: Location) -> Data:
    """1,797 images of 8 × 8 pixels in [0, 1]; an edge from each image's 8 nearest ones to it."""
    from sklearn.datasets import load_digits
    from sklearn.neighbors import kneighbors_graph
    from torch_geometric.data import Data

    images, labels = load_digits(return_X_y=True)
    nearest = kneighbors_graph(images, NEIGHBOURS).tocoo()
    edges = torch.stack([torch.from_numpy(nearest.col), torch.from_numpy(nearest.row)]).long()
    return Data(
        x=torch.from_numpy(images / 16.0).float(),
        edge_index=edges,
        y=torch.from_numpy(labels).long(),
        class_names=[str(digit) for digit in range(10)],
    )


digits = Source(
    name="digits",
    paper="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998 (8-nearest-neighbour graph)",
    splits=("random", "cpf", "fractions"),
    row_normalize=False,
    read=_read,
)
