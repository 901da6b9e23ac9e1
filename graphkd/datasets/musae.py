"""Chameleon: Wikipedia pages with their traffic, a graph whose nodes have a number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray

from graphkd.datasets.files import find_raw
from graphkd.datasets.source import Location, RawFiles, Source
from graphkd.errors import GraphKDError
from graphkd.sparse import SparseMatrix

if TYPE_CHECKING:
    from torch_geometric.data import Data

RAW = RawFiles(
    "MUSAE/chameleon",
    ("edges.csv", "target.csv", "features.json"),
    home="github.com/benedekrozemberczki/MUSAE, folder input",
)


def read_chameleon(location: Location) -> Data:
    """Reads the pages' nouns, the links between pages and the natural logarithm of their monthly visits.

    A link and its reverse are listed separately, some of them several times: each directed link counts once.

    Args:
        location: of the files.

    Returns:
        ``Data`` with ``x [N, D]`` sparse CSR of 0 and 1, ``edge_index [2, E]`` as listed and ``y [N]`` float64.

    Raises:
        GraphKDError: the files are unavailable, or are not those of the graph.
    """
    from torch_geometric.data import Data

    folder = find_raw(location, "chameleon", RAW)
    try:
        traffic, links = (_table(folder / name) for name in ("target.csv", "edges.csv"))
        nouns = json.loads((folder / "features.json").read_text("utf-8"))
        x = _bags(nouns, len(traffic))
        if (traffic[:, 0] != np.arange(len(traffic))).any() or not 0 <= links.min() <= links.max() < len(traffic):
            raise ValueError("ids are not row numbers")
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise GraphKDError(f"{folder} does not hold the graph of chameleon ({error!r}): fetch it again") from None
    indptr, indices, values = (torch.from_numpy(part) for part in (x.indptr, x.indices, x.data))
    return Data(
        x=SparseMatrix(indptr, indices, values, x.shape[1]).torch(),
        edge_index=torch.from_numpy(np.unique(links, axis=0).T.copy()),
        y=torch.from_numpy(np.log(traffic[:, 1].astype(np.float64))),
    )


def _table(file: Path) -> NDArray[np.int64]:
    """Reads two columns of whole numbers below a line of names."""
    table: NDArray[np.int64] = np.loadtxt(file, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)
    if table.shape[1] != 2:
        raise ValueError(f"{file.name} has {table.shape[1]} columns")
    return table


def _bags(nouns: dict[str, list[int]], num_nodes: int) -> scipy.sparse.csr_array:
    """Returns ``[N, D]`` float32 with 1 for each noun of a page."""
    rows = [sorted(set(nouns[str(node)])) for node in range(num_nodes)]
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    indices = np.array([noun for row in rows for noun in row], dtype=np.int64)
    return scipy.sparse.csr_array(
        (np.ones(len(indices), dtype=np.float32), indices, indptr), shape=(num_nodes, int(indices.max()) + 1)
    )


chameleon = Source(
    name="chameleon",
    paper="Rozemberczki et al., Multi-Scale Attributed Node Embedding, Journal of Complex Networks 2021",
    splits=("fractions",),
    row_normalize=False,
    read=read_chameleon,
    metric="r2",
    raw=RAW,
    task="regression",
)
