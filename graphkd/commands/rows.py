"""A graph in a file, to predict on: rows with their edges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, from_numpy

from graphkd.errors import GraphKDError


@dataclass(frozen=True)
class GraphRows:
    """All nodes of a graph.

    Args:
        x: ``[N, D]``.
        edge_index: ``[2, E]``.
        edge_weight: ``[E]``, or nothing.
        ids: ``[N]`` of the nodes, or nothing.
    """

    x: Any
    edge_index: Tensor
    edge_weight: Tensor | None = None
    ids: list[Any] | None = None


def read_graph_rows(path: Path) -> GraphRows:
    """The arrays ``x`` and ``edge_index``, and ``ids`` where they are, of an ``.npz``.

    Raises:
        GraphKDError: no archive of numbers.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "x" not in arrays:
                raise GraphKDError(f"{path} holds no array x: it has {', '.join(arrays.files)}")
            x, edges = arrays["x"], from_numpy(arrays["edge_index"]).long()
            ids = arrays["ids"].tolist() if "ids" in arrays else None
    except GraphKDError:
        raise
    except Exception as error:  # numpy answers bad files in many ways
        raise GraphKDError(f"{path} does not hold rows of numbers ({error})".replace("\n", " ")) from None
    if x.ndim != 2 or x.dtype.kind not in "biuf":
        raise GraphKDError(f"{path} must hold [rows, features] of numbers, but holds {list(x.shape)} {x.dtype}")
    if ids is not None and len(ids) != len(x):
        raise GraphKDError(f"{path} holds {len(ids)} ids for {len(x)} rows: give one per row")
    return GraphRows(np.ascontiguousarray(x, dtype=np.float32), edges, ids=ids)
