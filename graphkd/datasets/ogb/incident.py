"""Node features from those of edges, for graphs whose nodes have none: ogbn-proteins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.datasets.ogb.consistency import check_ends, check_rows
from graphkd.errors import GraphKDError

ROWS = 1 << 20
"""Edges whose features are in memory at the same time."""


def read_incident(raw: Path, num_features: int, num_nodes: int, num_edges: int) -> dict[str, Any]:
    """Reads edges, and the mean of the features of each node's incident edges.

    OGB's reader holds all features of edges twice, in float64 and float32; here they pass by in parts.

    Args:
        raw: the folder of the files, each edge listed once.
        num_features: ``D`` of an edge.
        num_nodes: ``N``, as a file states.
        num_edges: ``E``, likewise.

    Returns:
        ``edge_index [2, E]`` int64 as listed and ``node_feat [N, D]`` float32.

    Raises:
        GraphKDError: the files do not match each other.
    """
    import pandas as pd

    table = pd.read_csv(raw / "edge.csv.gz", compression="gzip", header=None, dtype=np.int64)
    edges = np.ascontiguousarray(table.to_numpy().T)
    del table
    if edges.shape[0] != 2:
        raise GraphKDError(f"{raw}: edge has {edges.shape[0]} columns, not 2: fetch it again")
    check_rows(raw, "edge", edges.shape[1], num_edges)
    check_ends(raw, edges, num_nodes)
    x = mean_of_incident(edges, _features(raw, num_features, num_edges), num_nodes, num_features)
    return {"edge_index": edges, "node_feat": x}


def mean_of_incident(
    edges: NDArray[np.int64], features: Iterable[NDArray[np.float32]], num_nodes: int, num_features: int
) -> NDArray[np.float32]:
    """Computes ``x_v = 1 / d_v Σ_{e ∋ v} f_e`` in float64, 0 for a node without edges.

    It is the mean over incoming edges once both directions of each edge have its features.

    Source: Hu et al., Open Graph Benchmark, NeurIPS 2020 (the features of its baselines for ogbn-proteins)

    Args:
        edges: ``[2, E]``, each edge once.
        features: ``f`` in parts ``[B, D]``, ``E`` rows in all.
        num_nodes: ``N``.
        num_features: ``D``.

    Returns:
        ``[N, D]`` float32.

    >>> edges, features = np.array([[0, 1], [1, 2]]), np.array([[1.0], [3.0]], dtype=np.float32)
    >>> mean_of_incident(edges, [features], num_nodes=4, num_features=1).ravel()
    array([1., 2., 3., 0.], dtype=float32)
    """
    total, start = np.zeros((num_features, num_nodes)), 0
    for part in features:
        for ends in edges[:, start : start + part.shape[0]]:
            for feature, column in enumerate(part.T):
                total[feature] += np.bincount(ends, weights=column, minlength=num_nodes)
        start += part.shape[0]
    degree = sum(np.bincount(ends, minlength=num_nodes) for ends in edges)
    return np.ascontiguousarray((total / np.maximum(degree, 1)).T, dtype=np.float32)


def _features(raw: Path, num_features: int, num_edges: int) -> Iterator[NDArray[np.float32]]:
    """Yields the features of edges in parts ``[B, D]``, checked."""
    import pandas as pd

    count, file = 0, raw / "edge-feat.csv.gz"
    with pd.read_csv(file, compression="gzip", header=None, dtype=np.float32, chunksize=ROWS) as tables:
        for table in tables:
            part = table.to_numpy()
            if part.shape[1] != num_features:
                raise GraphKDError(
                    f"{file} has {part.shape[1]} columns, not {num_features}: it is of another data set, fetch it "
                    "again"
                )
            if not np.isfinite(part).all():
                raise GraphKDError(f"{file} holds what is no finite number: fetch it again")
            count += part.shape[0]
            if count > num_edges:  # the sums would fail on rows without an edge
                break
            yield part
    check_rows(raw, "edge-feat", count, num_edges)
