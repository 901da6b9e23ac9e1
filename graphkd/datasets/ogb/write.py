"""Writes a graph as an OGB raw folder: what reads OGB can then be tried at any size, without a download."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphkd.atomic_io import whole_folder
from graphkd.datasets.ogb.facts import FACTS, PARTS
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.registry import unknown

if TYPE_CHECKING:
    from torch_geometric.data import Data


def write_ogb(data: Data, root: Path, name: str) -> Path:
    """Writes the files of ``name``: ``csv.gz`` as of arxiv and products, numpy archives as of papers100M.

    Args:
        data: with dense ``x [N, D]``, ``edge_index [2, E]``, ``y [N]`` and three masks ``[N]``; where the format
            lists one direction of each edge, the pairs with ``sender < receiver`` are written.
        root: the folder gets a folder such as ``ogbn_arxiv``, whole or not at all.
        name: of the data set that it will pass for.

    Returns:
        The new folder; with ``data_dir=root`` it is found.

    Raises:
        GraphKDError: there is no such OGB data set.
    """
    facts = {each.name: each for each in FACTS}.get(name)
    if facts is None:
        raise GraphKDError(unknown("OGB data set", name, [each.name for each in FACTS]))
    edges = data.edge_index.numpy()
    if facts.add_inverse_edge:
        edges = edges[:, edges[0] < edges[1]]
    target = root / name.replace("-", "_")
    with whole_folder(target) as folder:
        for part in ("raw", f"split/{facts.split}"):
            (folder / part).mkdir(parents=True)
        (folder / f"RELEASE_v{facts.version}.txt").write_text(f"# Release note for {name}\n")
        (_write_binary if facts.binary else _write_csv)(folder / "raw", edges, data)
        for part, mask in zip(PARTS, MASKS, strict=True):
            _csv(folder / facts.split_file(part), data[mask].nonzero().numpy())
    return target


def _write_csv(raw: Path, edges: NDArray[np.int64], data: Data) -> None:
    _csv(raw / "edge.csv.gz", edges.T)
    _csv(raw / "node-feat.csv.gz", data.x.numpy())
    _csv(raw / "node-label.csv.gz", _labels(data))
    _csv(raw / "num-node-list.csv.gz", np.array([[data.x.shape[0]]]))
    _csv(raw / "num-edge-list.csv.gz", np.array([[edges.shape[1]]]))


def _write_binary(raw: Path, edges: NDArray[np.int64], data: Data) -> None:
    np.savez_compressed(
        raw / "data.npz",
        edge_index=edges,
        node_feat=data.x.numpy(),
        num_nodes_list=np.array([data.x.shape[0]]),
        num_edges_list=np.array([edges.shape[1]]),
    )
    np.savez_compressed(raw / "node-label.npz", node_label=_labels(data).astype(np.float32))


def _labels(data: Data) -> NDArray[Any]:
    """``[N, 1]``, as OGB has them: NaN where the class is unknown."""
    y = data.y.numpy()[:, None]
    return np.where(y < 0, np.nan, y) if (y < 0).any() else y


def _csv(file: Path, rows: NDArray[Any]) -> None:
    """Without a header; float32 in as many digits as bring it back."""
    import pandas as pd

    with gzip.open(file, "wt", compresslevel=1) as stream:
        pd.DataFrame(rows).to_csv(stream, header=False, index=False, na_rep="nan")
