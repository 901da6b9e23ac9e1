"""Graphs for inference: a run's own, or one from a file."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.deploy.files import holds_bundle
from graphkd.deploy.hub import fetch_bundle, is_address
from graphkd.deploy.store.build import both_ways
from graphkd.edges import both_directions, merge
from graphkd.errors import GraphKDError
from graphkd.io.ids import plain_ids
from graphkd.io.npz import edges_of, features_of, read_arrays
from graphkd.io.weights import check_weights

OWN = "graph"
"""The argument that selects the run's own graph."""


@dataclass(frozen=True)
class GraphRows:
    """All nodes and edges of a graph.

    Args:
        x: ``[N, D]``, dense or sparse.
        edge_index: ``[2, E]``, a tensor or an array.
        edge_weight: ``[E]``, or None.
        ids: ``[N]`` of the nodes, or None.
        nodes: ``[N]`` numbers among the nodes of training, −1 for others; None if that is not known.
    """

    x: Any
    edge_index: Any
    edge_weight: Any = None
    ids: list[Any] | None = None
    nodes: Any = None


def bundle_place(run: str, source: str) -> Path:
    """Returns the folder of a finished run, or of a bundle alone, which may be on the Hugging Face hub.

    Args:
        run: path of either, or ``hf://OWNER/NAME``, which is downloaded.
        source: the word ``graph`` for the run's own, which a bundle alone does not have, or the path of a file.

    Raises:
        GraphKDError: it is neither, or cannot be downloaded.
    """
    if not is_address(run):
        _check_run(Path(run))
        return Path(run)
    if source == OWN:
        raise GraphKDError(f"{run} is a bundle alone, without the run's own graph: give a file, or the run folder")
    return fetch_bundle(run)


def _check_run(path: Path) -> None:
    if holds_bundle(path):
        return
    try:
        from graphkd.runs import read_metrics
    except ModuleNotFoundError:  # no torch: the folder is checked when the bundle is read
        return
    read_metrics(path)


def graph_rows(run: Path, source: str, card: dict[str, Any], data_dir: str | None) -> GraphRows:
    """Loads a graph, prepared as for training.

    Args:
        run: folder of the run, or a bundle.
        source: the word ``graph`` for the run's own, or the path of an ``.npz``.
        card: of the run's bundle.
        data_dir: folder of the run's data, if it has moved.

    Raises:
        GraphKDError: the run was trained on data in memory, its files are unavailable, or the file has no graph.
    """
    if source != OWN:
        graph = read_graph_rows(Path(source))
        on_record, directed = _direction(run, card)
        if not (on_record or both_ways(graph.x.shape[0], graph.edge_index, graph.edge_weight)):
            warnings.warn(
                f"{run} does not state whether it was trained on both directions of every edge: edges are used as "
                f"{source} has them",
                stacklevel=2,
            )
        return prepared(graph, directed)
    from graphkd.datasets import Graph
    from graphkd.datasets.setting import apply_setting
    from graphkd.run_data import load_run_data

    data = load_run_data(run, card.get("seed", 0), data_dir)
    view = apply_setting(Graph.from_data(data), card.get("setting", "transductive"), card.get("seed", 0))
    weight, ids = getattr(data, "edge_weight", None), getattr(data, "node_ids", None)
    return GraphRows(data.x, data.edge_index, weight, ids, view.numbers)


def own_files(run: Path, data_dir: str | None) -> list[Path]:
    """Returns the user's files that a run's own graph is read from; empty for built-in data sets.

    Args:
        run: folder of the run, or a bundle.
        data_dir: folder of the run's data, if it has moved.
    """
    try:
        from graphkd.runs import read_config

        data_path = read_config(run)["dataset"].get("path")
    except (ModuleNotFoundError, GraphKDError):  # a bundle alone has no graph, which is reported later
        return []
    folder = Path(data_dir or data_path) if data_path is not None else None
    return [] if folder is None or not folder.is_dir() else [file for file in folder.iterdir() if file.is_file()]


def _direction(run: Path, card: dict[str, Any]) -> tuple[bool, bool | None]:
    """Returns whether the preparation of the run's graph is recorded, and whether edges kept their directions.

    The latter is None for data in memory, whose edges are used unchanged.
    """
    if "directed" in card:
        return True, card["directed"]
    with suppress(ModuleNotFoundError, GraphKDError):  # a bundle of version 0.1, perhaps in its run's folder
        from graphkd.runs import read_config

        return True, read_config(run)["dataset"].get("directed")
    return False, None


def prepared(graph: GraphRows, directed: bool | None) -> GraphRows:
    """Prepares a graph from a file as for training: each edge once, both directions unless it is directed.

    Edges of data in memory (``directed`` is None) are unchanged, as in training.
    """
    if directed is None:
        return graph
    count, (sender, receiver) = graph.x.shape[0], graph.edge_index
    sender, receiver, weight = merge(sender, receiver, _double(graph.edge_weight), count)
    if not directed:
        sender, receiver, weight = both_directions(sender, receiver, _double(_single(weight)), count)
    return replace(graph, edge_index=np.stack([sender, receiver]), edge_weight=_single(weight))


def read_graph_rows(path: Path) -> GraphRows:
    """Reads features, edges, weights and ids from an ``.npz`` in the format of ``dataset=custom``; no labels.

    Raises:
        GraphKDError: the file is no such archive, or its arrays are invalid.
    """
    arrays = read_arrays(path)
    x, edges, ids = features_of(arrays, path), edges_of(arrays, path), None
    x = x.reshape(-1, 1) if x.ndim == 1 else x
    if x.ndim != 2 or x.dtype.kind not in "biuf":
        raise GraphKDError(f"{path} must hold [rows, features] of numbers, but holds {list(x.shape)} {x.dtype}")
    if edges.dtype.kind not in "iu":
        raise GraphKDError(f"{path} must hold edges of whole numbers, but holds {edges.dtype}: convert edge_index")
    if edges.size and not 0 <= edges.min() <= edges.max() < x.shape[0]:
        raise GraphKDError(f"{path} array edge_index must name rows 0 to {x.shape[0] - 1}: correct the edges")
    if "ids" in arrays:
        ids = plain_ids(arrays["ids"], f"{path} array ids")
    if ids is not None and len(ids) != x.shape[0]:
        raise GraphKDError(f"{path} holds {len(ids)} ids for {x.shape[0]} rows: give one per row")
    weight = arrays.get("edge_weight")
    if weight is not None:
        check_weights(weight, edges.shape[1], f"{path} array edge_weight")
    return GraphRows(_rows(x), edges.astype(np.int64), weight, ids)


def _rows(x: Any) -> Any:
    return np.ascontiguousarray(x, dtype=np.float32) if isinstance(x, np.ndarray) else x.astype(np.float32)


def _double(weight: Any) -> Any:
    return None if weight is None else weight.astype(np.float64)


def _single(weight: Any) -> Any:
    return None if weight is None else weight.astype(np.float32)
