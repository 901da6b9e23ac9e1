"""Cora, CiteSeer and PubMed from PyG's raw layout."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from graphkd.datasets.files import find_raw
from graphkd.datasets.pickles import read_pickle
from graphkd.datasets.source import Location, RawFiles, Source
from graphkd.errors import GraphKDError
from graphkd.sparse import SparseMatrix, as_features

if TYPE_CHECKING:
    from torch_geometric.data import Data

PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")


def _raw(name: str) -> RawFiles:
    return RawFiles(f"Planetoid/{name}/raw", tuple(f"ind.{name.lower()}.{part}" for part in PARTS))


def _read(name: str, location: Location) -> Data:
    """Reads the graph with the public split: 20 training nodes per class, 500 validation, 1,000 test nodes."""
    from torch_geometric.data import Data
    from torch_geometric.datasets import Planetoid

    raw = find_raw(location, name.lower(), _raw(name), url=Planetoid.url)
    try:
        return Data(**_parts(raw, list(_raw(name).files)))
    except GraphKDError:
        raise
    except Exception as error:  # valid pickles that are not Planetoid's raise many types
        raise GraphKDError(f"{raw} does not hold {name} ({error!r}): fetch it again") from None


def _parts(raw: Path, files: list[str]) -> dict[str, Tensor]:
    x, y, num_train = _nodes(raw, files)
    test = torch.from_numpy(np.loadtxt(raw / files[7], dtype=np.int64))
    val = torch.arange(num_train, num_train + 500)
    masks = torch.zeros(3, y.numel(), dtype=torch.bool)
    for mask, part in zip(masks, (torch.arange(num_train), val, test), strict=True):
        mask[part] = True
    return {
        "x": x.torch(),
        "edge_index": _edges(read_pickle(raw / files[6])),
        "y": y,
        "train_mask": masks[0],
        "val_mask": masks[1],
        "test_mask": masks[2],
    }


def _nodes(raw: Path, files: list[str]) -> tuple[SparseMatrix, Tensor, int]:
    """Reads features, classes and the number of training nodes, with rows in node order.

    The test block is stored in the order of ``test.index``. CiteSeer's has gaps: those nodes have a zero
    row and, since their class is unknown, label −1.
    """
    _, tx, allx, train_labels, ty, ally = (read_pickle(raw / file) for file in files[:6])
    order = np.loadtxt(raw / files[7], dtype=np.int64)
    first, size = int(order.min()), int(order.max()) - int(order.min()) + 1
    if first != len(ally) or size > 10 * order.size:
        raise ValueError(f"test.index names nodes {first} to {first + size - 1}, after {len(ally)} others")
    placement = scipy.sparse.csr_matrix(
        (np.ones(order.size, dtype=np.float32), (order - first, np.arange(order.size))), (size, order.size)
    )
    features = scipy.sparse.vstack([allx, placement @ tx], format="csr").astype(np.float32)
    labels = np.full(first + size, -1)
    labels[: len(ally)] = ally.argmax(axis=1)
    labels[order] = ty.argmax(axis=1)
    x = as_features(features)
    assert isinstance(x, SparseMatrix)
    return x, torch.from_numpy(labels).long(), len(train_labels)


def _edges(graph: dict[int, list[int]]) -> Tensor:
    """Converts neighbour lists to ``[2, E]`` without self-loops and duplicates, sorted by receiver."""
    receiver = np.repeat(np.fromiter(graph, dtype=np.int64), [len(ends) for ends in graph.values()])
    sender = np.concatenate([np.asarray(ends, dtype=np.int64) for ends in graph.values()])
    pairs = np.unique(np.stack([receiver, sender])[:, receiver != sender], axis=1)
    return torch.from_numpy(pairs[::-1].copy())


_PAPER = "Sen et al., Collective Classification in Network Data, 2008; split of Yang et al., ICML 2016"

cora, citeseer, pubmed = (
    Source(
        name=name.lower(),
        paper=_PAPER,
        splits=("public", "random", "cpf", "fractions"),
        row_normalize=True,
        read=partial(_read, name),
        raw=_raw(name),
    )
    for name in ("Cora", "CiteSeer", "PubMed")
)
