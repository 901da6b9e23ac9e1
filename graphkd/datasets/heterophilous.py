"""Minesweeper and Tolokers from PyG's raw layout: two classes, with ROC-AUC as metric."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.datasets.files import find_raw
from graphkd.datasets.npz import read_arrays
from graphkd.datasets.source import Location, RawFiles, Source
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from torch_geometric.data import Data


def _raw(name: str) -> RawFiles:
    return RawFiles(f"HeterophilousGraphDataset/{name}/raw", (f"{name}.npz",))


def _read(name: str, location: Location) -> Data:
    """Reads the graph with its stored splits: masks ``[N, 10]``, one column per split.

    The file lists each undirected edge once; both directions are returned.

    Raises:
        GraphKDError: the files are unavailable, or do not contain such a graph.
    """
    from torch_geometric.data import Data
    from torch_geometric.datasets import HeterophilousGraphDataset as Pyg
    from torch_geometric.utils import to_undirected

    raw = _raw(name)
    path = find_raw(location, name, raw, url=Pyg.url) / raw.files[0]
    arrays = read_arrays(path, ["node_features", "node_labels", "edges", *(f"{mask}s" for mask in MASKS)])
    try:
        x, y, edges, *masks = (torch.from_numpy(array) for array in arrays.values())
    except TypeError as error:
        raise GraphKDError(f"{path} does not hold a graph ({error!r}): fetch it again") from None
    if not _is_graph(x, y, edges) or not _are_splits(masks, num_nodes=x.shape[0]):
        raise GraphKDError(f"{path} does not hold a graph with splits: fetch it again")
    stored = {key: mask.t().contiguous() for key, mask in zip(MASKS, masks, strict=True)}
    pairs = to_undirected(edges.t().long().contiguous(), num_nodes=x.shape[0])
    return Data(x=x.float(), edge_index=pairs, y=y.long(), **stored)


def _is_graph(x: Tensor, y: Tensor, edges: Tensor) -> bool:
    if x.dim() != 2 or y.shape != x.shape[:1] or edges.dim() != 2 or edges.shape[1] != 2:
        return False
    return bool(((edges >= 0) & (edges < x.shape[0])).all())


def _are_splits(masks: list[Tensor], num_nodes: int) -> bool:
    """Returns whether masks are boolean ``[S, N]`` with the same ``S`` of at least 1."""
    kinds = {(mask.dtype, mask.dim(), *mask.shape[1:]) for mask in masks}
    return kinds == {(torch.bool, 2, num_nodes)} and len({len(mask) for mask in masks} - {0}) == 1


minesweeper, tolokers = (
    Source(
        name=name,
        paper="Platonov et al., A Critical Look at the Evaluation of GNNs under Heterophily, ICLR 2023",
        splits=("public", "random", "fractions"),
        row_normalize=False,
        read=partial(_read, name),
        raw=_raw(name),
        metric="roc_auc",
    )
    for name in ("minesweeper", "tolokers")
)
