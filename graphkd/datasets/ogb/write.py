"""Writer of graphs as OGB raw folders, for testing OGB readers at any size without a download."""

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
    """Writes the files of ``name``: ``csv.gz``, or numpy archives as for papers100M.

    Args:
        data: with dense ``x [N, D]``, or ``edge_attr [E, D]`` if the format has features of edges alone,
            ``edge_index [2, E]``, ``y [N]`` or ``[N, L]`` and three masks ``[N]``; if the format lists one
            direction of each edge, the pairs with ``sender < receiver`` are written.
        root: parent of the new folder, such as ``ogbn_arxiv``, which is written atomically.
        name: of the OGB data set whose format is used.

    Returns:
        The new folder; a run with ``data_dir=root`` finds it.

    Raises:
        GraphKDError: the OGB data set is unknown.
    """
    facts = {entry.name: entry for entry in FACTS}.get(name)
    if facts is None:
        raise GraphKDError(unknown("OGB data set", name, [entry.name for entry in FACTS]))
    edges, rows = data.edge_index.numpy(), slice(None)
    if facts.add_inverse_edge:
        rows = edges[0] < edges[1]
    edges = edges[:, rows]
    target = root / name.replace("-", "_")
    with whole_folder(target) as folder:
        for part in ("raw", f"split/{facts.split}"):
            (folder / part).mkdir(parents=True)
        (folder / f"RELEASE_v{facts.version}.txt").write_text(f"# Release note for {name}\n")
        (_write_binary if facts.binary else _write_csv)(folder / "raw", edges, data)
        if facts.edge_features:
            _csv(folder / "raw" / "edge-feat.csv.gz", data.edge_attr.numpy()[rows])
        elif not facts.binary:
            _csv(folder / "raw" / "node-feat.csv.gz", data.x.numpy())
        for part, mask in zip(PARTS, MASKS, strict=True):
            _csv(folder / facts.split_file(part), data[mask].nonzero().numpy())
    return target


def _write_csv(raw: Path, edges: NDArray[np.int64], data: Data) -> None:
    _csv(raw / "edge.csv.gz", edges.T)
    _csv(raw / "node-label.csv.gz", _labels(data))
    _csv(raw / "num-node-list.csv.gz", np.array([[data.y.shape[0]]]))
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
    """Returns labels ``[N, 1]`` or ``[N, L]`` in OGB's form: NaN where one is unknown."""
    y: NDArray[Any] = data.y.numpy()
    if y.ndim == 2:
        return y if np.isnan(y).any() else y.astype(np.int64)
    y = y[:, None]
    return np.where(y < 0, np.nan, y) if (y < 0).any() else y


def _csv(file: Path, rows: NDArray[Any]) -> None:
    """Writes a table without a header; float32 with enough digits to round-trip."""
    import pandas as pd

    with gzip.open(file, "wt", compresslevel=1) as stream:
        pd.DataFrame(rows).to_csv(stream, header=False, index=False, na_rep="nan")
