"""Edges of a user's folder in parquet parts: read out of core into mapped files in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkd.atomic_io import sha256
from graphkd.datasets.source import Location
from graphkd.errors import GraphKDError
from graphkd.ingest import ingest_folder

if TYPE_CHECKING:
    from torch_geometric.data import Data


def no_edges(folder: Path) -> tuple[Any, str]:
    """Returns an empty table of edges, for a reader of nodes, and the name of that in ``folder``."""
    import pandas as pd

    for name in ("edges.csv", "edges.parquet"):
        if (folder / name).is_file():
            raise GraphKDError(f"{folder} holds both {name} and the folder edges: keep one of them")
    return pd.DataFrame({"source": [], "target": []}), str(folder / "edges")


def put_mapped_edges(data: Data, folder: Path, location: Location) -> Data:
    """Puts the edges of the folder's parts into data without any, as tensors in mapped files.

    Args:
        data: of the same folder's nodes.
        folder: with the parts.
        location: of the cache; it also says whether edges stay directed.

    Returns:
        ``data`` with ``edge_index [2, E']``, ``edge_weight [E']`` if the table has weights, and ``mapped``, the
        ``graphkd.ingest.MappedGraph`` that they are of.

    Raises:
        GraphKDError: see ``ingest_folder``.
    """
    form = "directed" if location.directed else "undirected"
    name = f"{folder.resolve().name}-{sha256(str(folder.resolve()).encode())[:16]}-{form}"
    graph = ingest_folder(folder, location.cache_dir / "ingest" / name, directed=location.directed)
    if graph.num_nodes != data.x.shape[0]:
        raise GraphKDError(f"{folder} was changed while it was read: read it again")
    data.edge_index = graph.edge_index
    if graph.edge_weight is not None:
        data.edge_weight = graph.edge_weight
    data.mapped = graph
    return data
