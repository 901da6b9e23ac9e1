"""Reader of OGB's link-prediction format, such as the folder of ogbl-collab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from graphkd.atomic_io import as_path
from graphkd.datasets.ogb.package import quiet
from graphkd.datasets.ogb.split import ALLOWED
from graphkd.errors import GraphKDError
from graphkd.links.pairs import both_ways, check_pairs, undirected_pairs
from graphkd.links.split import LinkSplit

if TYPE_CHECKING:
    from torch_geometric.data import Data

PARTS = ("train", "valid", "test")
NUMBERS: list[Any] = [*ALLOWED, np.dtypes.Float32DType, np.dtypes.Float64DType]
"""Globals allowed in a part's file, which may hold weights and years as well: they construct numeric arrays."""


def read_ogb_links(folder: str | Path, split: str | None = None) -> tuple[Data, LinkSplit]:
    """Reads a graph and its official split from a folder in OGB's format.

    ``raw/`` holds ``edge.csv.gz``, ``node-feat.csv.gz``, ``num-node-list.csv.gz`` and ``num-edge-list.csv.gz``;
    ``split/NAME/`` holds ``train.pt``, ``valid.pt`` and ``test.pt``, each a dictionary with ``edge [P, 2]``, the
    last two with ``edge_neg [M, 2]``. Edges count as undirected and once; weights and years are not read. Messages
    are passed along the training edges alone. As in the files, validation and test may name an edge that is a
    training edge too: ogbl-collab's parts are years.

    Source: Hu et al., Open Graph Benchmark, NeurIPS 2020

    Args:
        folder: contains ``raw`` and ``split``.
        split: ``NAME``; by default the only one there is.

    Returns:
        ``Data`` with ``x [N, D]`` and ``edge_index [2, 2P]``, the training edges; and the split.

    Raises:
        GraphKDError: a file is missing, damaged, of another format, or holds more than arrays.

    >>> read_ogb_links("ogbl_collab")
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: ogbl_collab/raw/edge.csv.gz is missing: give a set of links with features
    """
    from torch_geometric.data import Data

    path = as_path(folder, "the folder")
    x = _rows(path / "raw")
    parts = _parts(_split_folder(path, split), len(x))
    train = undirected_pairs(parts["train"][0].t(), len(x))
    (val, val_negative), (test, test_negative) = parts["valid"], parts["test"]
    everything = torch.arange(len(x))
    found = LinkSplit(len(x), train, val, val_negative, test, test_negative, everything, shown=train[:0])
    return Data(x=x, edge_index=both_ways(train)), found


def _rows(raw: Path) -> Tensor:
    """Reads the nodes' features ``[N, D]``."""
    from graphkd.datasets.ogb.readers import read_csv_graph_raw

    for name in ("edge", "num-node-list", "num-edge-list", "node-feat"):
        if not (raw / f"{name}.csv.gz").is_file():
            raise GraphKDError(f"{raw / name}.csv.gz is missing: give a set of links with features")
    try:
        with quiet():
            graphs = read_csv_graph_raw(str(raw))
        rows, count = graphs[0]["node_feat"], graphs[0]["num_nodes"]
    except Exception as error:  # damaged files raise many types
        reason = " ".join(str(error).split()) or type(error).__name__
        raise GraphKDError(f"{raw} cannot be read ({reason}): fetch it again") from None
    if rows is None or rows.ndim != 2 or len(rows) != count:
        raise GraphKDError(f"{raw}: node-feat does not hold the {count} rows that are stated: fetch it again")
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))


def _split_folder(path: Path, split: str | None) -> Path:
    folders = sorted(entry.name for entry in (path / "split").glob("*") if entry.is_dir())
    if split is None and len(folders) == 1:
        return path / "split" / folders[0]
    if split is None or split not in folders:
        raise GraphKDError(f"{path / 'split'} holds {', '.join(folders) or 'no split'}: name one of its folders")
    return path / "split" / split


def _parts(folder: Path, num_nodes: int) -> dict[str, list[Tensor]]:
    """Reads ``[edge]`` of the training part, and ``[edge, edge_neg]`` of the two others."""
    parts = {}
    for part in PARTS:
        content = _loaded(folder / f"{part}.pt")
        keys = ["edge"] if part == "train" else ["edge", "edge_neg"]
        lacking = [key for key in keys if key not in content]
        if lacking:
            raise GraphKDError(
                f"{folder / part}.pt has no {lacking[0]}, but {', '.join(map(str, content))}: give a set of links "
                "whose pairs are edge and edge_neg"
            )
        parts[part] = [check_pairs(content[key], num_nodes, f"{part}.pt: {key}") for key in keys]
        if any(not len(pairs) for pairs in parts[part]):
            raise GraphKDError(f"{folder / part}.pt holds no pairs: fetch it again")
    return parts


def _loaded(file: Path) -> dict[str, Any]:
    """Reads a dictionary of tensors or numeric arrays; nothing else is constructed."""
    try:
        with torch.serialization.safe_globals(NUMBERS):
            content = torch.load(file, weights_only=True)
        return dict(content)
    except FileNotFoundError:
        raise GraphKDError(f"{file} is missing: fetch the folder split again") from None
    except Exception as error:  # foreign files raise many types, most with long messages
        reason = str(error).split("\n", maxsplit=1)[0]
        raise GraphKDError(
            f"{file} is damaged or holds more than arrays ({type(error).__name__}: {reason}): fetch it again"
        ) from None
