"""A run's own graph, or one in a file: rows with their edges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.deploy.files import CARD
from graphkd.errors import GraphKDError

OWN = "graph"
"""The word for the run's own."""


@dataclass(frozen=True)
class GraphRows:
    """All nodes of a graph.

    Args:
        x: ``[N, D]``.
        edge_index: ``[2, E]``, a tensor or an array.
        edge_weight: ``[E]``, or nothing.
        ids: ``[N]`` of the nodes, or nothing.
    """

    x: Any
    edge_index: Any
    edge_weight: Any = None
    ids: list[Any] | None = None


def check_run(path: Path) -> None:
    """A run must be finished; a bundle by itself, on a machine that only answers, will do.

    Raises:
        GraphKDError: it is neither.
    """
    if (path / CARD).is_file():
        return
    try:
        from graphkd.runs import read_metrics
    except ModuleNotFoundError:  # no torch: what is in the folder is checked when the bundle is read
        return
    read_metrics(path)


def graph_rows(run: Path, source: str, seed: int, data_dir: str | None) -> GraphRows:
    """The graph that a person names.

    Args:
        run: whose own graph it may be.
        source: the word ``graph``, or the path of an ``.npz``.
        seed: of the run.
        data_dir: where the run's data is now, if it has moved.

    Raises:
        GraphKDError: the run was made from data in memory, its files cannot be had, or the file holds no graph.
    """
    if source != OWN:
        return read_graph_rows(Path(source))
    from graphkd.commands.own_data import own_data

    data = own_data(run, seed, data_dir)
    return GraphRows(data.x, data.edge_index, getattr(data, "edge_weight", None), getattr(data, "node_ids", None))


def read_graph_rows(path: Path) -> GraphRows:
    """The arrays ``x`` and ``edge_index``, and ``edge_weight`` and ``ids`` where they are, of an ``.npz``.

    Raises:
        GraphKDError: no archive of numbers.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name in ("x", "edge_index"):
                if name not in arrays:
                    raise GraphKDError(f"{path} holds no array {name}: it has {', '.join(arrays.files)}")
            x, edges = arrays["x"], arrays["edge_index"]
            weight = arrays.get("edge_weight")
            ids = arrays["ids"].tolist() if "ids" in arrays else None
    except GraphKDError:
        raise
    except Exception as error:  # numpy answers bad files in many ways
        raise GraphKDError(f"{path} does not hold rows of numbers ({error})".replace("\n", " ")) from None
    if x.ndim != 2 or x.dtype.kind not in "biuf":
        raise GraphKDError(f"{path} must hold [rows, features] of numbers, but holds {list(x.shape)} {x.dtype}")
    if edges.dtype.kind not in "iu":
        raise GraphKDError(f"{path} must hold edges of whole numbers, but holds {edges.dtype}: convert edge_index")
    if ids is not None and len(ids) != len(x):
        raise GraphKDError(f"{path} holds {len(ids)} ids for {len(x)} rows: give one per row")
    rows = np.ascontiguousarray(x, dtype=np.float32)
    return GraphRows(rows, edges.astype(np.int64), None if weight is None else weight.astype(np.float32), ids)
