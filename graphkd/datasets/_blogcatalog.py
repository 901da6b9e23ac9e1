"""BlogCatalog: bloggers with several interests each, a graph without features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from graphkd.datasets.files import find_raw
from graphkd.datasets.npz import read_arrays
from graphkd.datasets.source import Location, RawFiles, Source
from graphkd.errors import GraphKDError
from graphkd.io.sparse import check_compressed

if TYPE_CHECKING:
    from torch_geometric.data import Data

RAW = RawFiles(
    "blogcatalog_multilabel",
    ("blogcatalog.npz",),
    home="arrays edge_index and a CSR matrix labels_ of blogcatalog.mat in github.com/phanein/deepwalk",
)


def read_blogcatalog(location: Location) -> Data:
    """Reads friendships between bloggers, in both directions, and the groups that each of them is in.

    Args:
        location: of the files.

    Returns:
        ``Data`` without ``x``: ``edge_index [2, E]`` and ``y [N, L]`` float32 of 0 and 1.

    Raises:
        GraphKDError: the files are unavailable, or are not those of the graph.
    """
    from torch_geometric.data import Data

    path = find_raw(location, "blogcatalog", RAW) / RAW.files[0]
    keys = ["edge_index", "labels_indices", "labels_indptr", "labels_shape"]
    edges, indices, indptr, shape = read_arrays(path, keys).values()
    try:
        nodes, labels = (int(size) for size in shape)
        if fault := check_compressed(indptr, indices, nodes, labels, len(indices)):
            raise ValueError(fault)
        if edges.ndim != 2 or edges.shape[0] != 2 or not 0 <= edges.min() <= edges.max() < nodes:
            raise ValueError(f"edges {list(edges.shape)}")
    except (ValueError, TypeError) as error:
        raise GraphKDError(f"{path} does not hold the graph of blogcatalog ({error!r}): fetch it again") from None
    y = torch.zeros(nodes, labels)
    y[
        torch.from_numpy(np.repeat(np.arange(nodes), np.diff(indptr))), torch.from_numpy(indices.astype(np.int64))
    ] = 1
    return Data(edge_index=torch.from_numpy(edges.astype(np.int64)), y=y, num_nodes=nodes)


blogcatalog = Source(
    name="blogcatalog",
    paper="Tang and Liu, Relational Learning via Latent Social Dimensions, KDD 2009",
    splits=("fractions",),
    row_normalize=False,
    read=read_blogcatalog,
    metric="micro_f1_known_counts",
    raw=RAW,
    undirected=True,
    task="multilabel",
)
