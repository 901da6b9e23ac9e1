"""Reader of numpy archives of graphs that executes no code of the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.io.sparse import check_compressed
from graphkd.sparse import SparseMatrix, as_features

if TYPE_CHECKING:
    from torch_geometric.data import Data

MATRIX = ("data", "indices", "indptr", "shape")


def read_arrays(path: Path, keys: list[str]) -> dict[str, NDArray[Any]]:
    """Reads the named arrays of an ``.npz`` file; other contents are ignored.

    Args:
        path: of the file.
        keys: names of numeric arrays.

    Raises:
        GraphKDError: the file is damaged, or an array is missing or contains Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in keys if key in archive.files}
    except Exception as error:  # damaged archives raise many types
        raise GraphKDError(f"{path} is damaged or holds Python objects ({error!r}): fetch it again") from None
    for key in keys:
        if key not in arrays:
            raise GraphKDError(
                f"{path} holds no array '{key}': it is another kind of archive, fetch the right one"
            )
    return arrays


def read_graph(path: Path) -> Data:
    """Reads a graph stored as two CSR matrices, ``adj_*`` and ``attr_*``, and ``labels``.

    Features have their stored values and stay sparse; every stored off-diagonal entry of the adjacency is an edge.

    Args:
        path: of the ``.npz`` file.

    Returns:
        ``Data`` with ``x [N, D]`` sparse CSR float32, ``edge_index [2, E]`` as stored, ``y [N]``.

    Raises:
        GraphKDError: the file is not such an archive.
    """
    from torch_geometric.data import Data

    keys = [f"{matrix}_{part}" for matrix in ("adj", "attr") for part in MATRIX]
    arrays = read_arrays(path, [*keys, "labels"])
    try:
        adj, attr = _matrix(arrays, "adj"), _matrix(arrays, "attr")
        features = as_features(attr.astype(np.float32))
        labels = torch.from_numpy(arrays["labels"].astype(np.int64, casting="same_kind"))
    except (TypeError, ValueError) as error:
        raise GraphKDError(f"{path} does not hold a graph ({error!r}): fetch it again") from None
    nodes = adj.shape[0]
    if (adj.shape[1], attr.shape[0], *labels.shape) != (nodes, nodes, nodes):
        shapes = f"adjacency {list(adj.shape)}, features {list(attr.shape)}, labels {list(labels.shape)}"
        raise GraphKDError(f"{path} holds parts of different graphs ({shapes}): fetch it again")
    assert isinstance(features, SparseMatrix)
    return Data(x=features.torch(), edge_index=_edges(adj), y=labels)


def _edges(adj: Any) -> Tensor:
    """Returns ``[2, E]``, the unique off-diagonal entries; rows of the archive are senders, as in PyG."""
    adj.sum_duplicates()
    entries = adj.tocoo()
    pairs = np.stack([entries.row, entries.col]).astype(np.int64)
    return torch.from_numpy(pairs[:, pairs[0] != pairs[1]])


def _matrix(arrays: dict[str, NDArray[Any]], name: str) -> Any:
    """Builds the CSR matrix of a name, after a check of its indices."""
    data, indices, indptr, shape = (arrays[f"{name}_{part}"] for part in MATRIX)
    rows, columns = shape.tolist()
    if fault := check_compressed(indptr, indices, rows, columns, len(data)):
        raise ValueError(f"{name}: {fault}")
    return scipy.sparse.csr_matrix((data, indices, indptr), (rows, columns))
