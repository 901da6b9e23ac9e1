"""A run's own graph, or one in a file: rows with their edges."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.deploy.files import CARD
from graphkd.edges import both_directions, merge
from graphkd.errors import GraphKDError
from graphkd.ids import plain_ids

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


def graph_rows(run: Path, source: str, card: dict[str, Any], data_dir: str | None) -> GraphRows:
    """The graph that a person names.

    Args:
        run: whose own graph it may be.
        source: the word ``graph``, or the path of an ``.npz``.
        card: of the run's bundle.
        data_dir: where the run's data is now, if it has moved.

    Raises:
        GraphKDError: the run was made from data in memory, its files cannot be had, or the file holds no graph.
    """
    if source != OWN:
        return prepared(read_graph_rows(Path(source)), directed_of(run, card))
    from graphkd.commands.own_data import own_data

    data = own_data(run, card.get("seed", 0), data_dir)
    return GraphRows(data.x, data.edge_index, getattr(data, "edge_weight", None), getattr(data, "node_ids", None))


def directed_of(run: Path, card: dict[str, Any]) -> bool | None:
    """Returns whether the run's graph kept its edges' directions; nothing where that is not on record."""
    if "directed" in card:
        found: bool | None = card["directed"]
        return found
    with suppress(ModuleNotFoundError, GraphKDError):  # a bundle of version 0.1, perhaps in its run's folder
        from graphkd.runs import read_config

        kept: bool | None = read_config(run)["dataset"].get("directed")
        return kept
    return None


def prepared(graph: GraphRows, directed: bool | None) -> GraphRows:
    """Returns a graph from a file as training prepares it: each edge once, both directions unless it is directed.

    Data in memory is trained on with the edges that it has, and so are they here.
    """
    if directed is None:
        return graph
    count = graph.x.shape[0]
    sender, receiver = graph.edge_index
    weight = None if graph.edge_weight is None else graph.edge_weight.astype(np.float64)
    edges = merge(sender, receiver, weight, count)
    sender, receiver, weight = edges if directed else both_directions(*edges, count)
    return replace(
        graph,
        edge_index=np.stack([sender, receiver]),
        edge_weight=None if weight is None else weight.astype(np.float32),
    )


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
            ids = plain_ids(arrays["ids"], f"{path} array ids") if "ids" in arrays else None
    except GraphKDError:
        raise
    except Exception as error:  # numpy answers bad files in many ways
        raise GraphKDError(f"{path} does not hold rows of numbers ({error})".replace("\n", " ")) from None
    if x.ndim != 2 or x.dtype.kind not in "biuf":
        raise GraphKDError(f"{path} must hold [rows, features] of numbers, but holds {list(x.shape)} {x.dtype}")
    if edges.ndim != 2 or edges.shape[0] != 2:
        raise GraphKDError(f"{path} array edge_index must be [2, E], but has shape {list(edges.shape)}")
    if edges.size and edges.dtype.kind in "iu" and not 0 <= edges.min() <= edges.max() < len(x):
        raise GraphKDError(f"{path} array edge_index must name rows 0 to {len(x) - 1}: correct the edges")
    if edges.dtype.kind not in "iu":
        raise GraphKDError(f"{path} must hold edges of whole numbers, but holds {edges.dtype}: convert edge_index")
    if ids is not None and len(ids) != len(x):
        raise GraphKDError(f"{path} holds {len(ids)} ids for {len(x)} rows: give one per row")
    rows = np.ascontiguousarray(x, dtype=np.float32)
    return GraphRows(rows, edges.astype(np.int64), None if weight is None else weight.astype(np.float32), ids)
