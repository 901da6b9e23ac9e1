"""Conversion of edges between ids to edges between row indices."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import check_unmasked
from graphkd.edges import Rows
from graphkd.errors import GraphKDError
from graphkd.io.ids import plain_ids
from graphkd.io.rows import array_of


def row_of_each(ids: Iterable[Hashable], where: str = "ids") -> dict[Hashable, int]:
    """Builds the mapping from ids to row indices.

    Raises:
        GraphKDError: an id is missing, is neither string nor number, or is duplicated.
    """
    rows: dict[Hashable, int] = {}
    for row, name in enumerate(ids):
        if not isinstance(name, Hashable):
            raise GraphKDError(f"{where} holds a {type(name).__name__} in row {row}: ids are texts or numbers")
        if name is None or name != name or name == "":
            raise GraphKDError(f"{where} is empty in row {row}: give every node an id")
        if name in rows:
            raise GraphKDError(f"{where} holds {name!r} twice (rows {rows[name]} and {row}): make ids unique")
        rows[name] = row
    return rows


def rows_of(ends: Iterable[Any], rows: Mapping[Hashable, int], where: str) -> Rows:
    """Looks up the row index of each end ``[E]``.

    Raises:
        GraphKDError: an end is not a node id.
    """
    names = plain_ids(ends, where)
    indices = np.fromiter((rows.get(name, -1) for name in names), np.int64, len(names))
    if (indices < 0).any():
        edge = int((indices < 0).argmax())
        name, example = names[edge], next(iter(rows), None)
        kinds = type(name).__name__, type(example).__name__
        hint = f"is a {kinds[0]} where ids are {kinds[1]}" if kinds[0] != kinds[1] else "is no node"
        raise GraphKDError(f"{where} names {name!r} (edge {edge}), which {hint}: add the node or correct the edge")
    return indices


def check_rows(ends: Any, num_nodes: int, where: str) -> Rows:
    """Checks that ends are row indices, ``[E]`` integers in ``[0, N)``, and returns them as int64.

    Raises:
        GraphKDError: they are not.
    """
    check_unmasked(ends, where)
    rows: NDArray[Any] = array_of(ends)
    if rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= num_nodes):
        raise GraphKDError(f"{where} must name rows 0 to {num_nodes - 1} by whole numbers: correct the edges")
    return rows.astype(np.int64)
