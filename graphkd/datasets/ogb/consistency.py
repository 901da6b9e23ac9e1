"""Checks that the raw files of an OGB data set belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError


def check_rows(raw: Path, what: str, count: int, stated: int) -> None:
    """Raises if a file has another number of rows than the files of counts state."""
    if count != stated:
        raise GraphKDError(
            f"{raw}: {what} has {count} rows where {stated} are stated: a file was cut or mixed up, fetch it again"
        )


def check_ends(raw: Path, edges: NDArray[np.int64], num_nodes: int) -> None:
    """Raises if edges ``[2, E]`` name a node that does not exist."""
    if edges.size and not (edges.min() >= 0 and edges.max() < num_nodes):
        raise GraphKDError(
            f"{raw}: edges name nodes {edges.min()} to {edges.max()}, but there are {num_nodes}: fetch it again"
        )
