"""Chunks of the table of edges as sorted runs of row numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError
from graphkd.ingest.edges import ENDS, EdgeTable, Group
from graphkd.ingest.nodes import NodeTable
from graphkd.ingest.runs import Entries, sorted_run
from graphkd.io.parquet import open_parquet


class Lookup(Protocol):
    """From ids to rows, see ``IdJoin``."""

    def rows_of(self, ends: Iterator[tuple[int, Any]], count: int) -> NDArray[np.int64]:
        """Returns the row of each end, −1 for one that is no node."""


class RowNumbers:
    """The rows of nodes without ids, which are named by row number.

    Args:
        count: ``N``.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def rows_of(self, ends: Iterator[tuple[int, Any]], count: int) -> NDArray[np.int64]:
        """Returns the numbers, −1 for those outside ``[0, N)`` and for texts such as ``007``."""
        rows = np.full(count, -1)
        for place, array in ends:
            values = _numbers(array)
            rows[place : place + len(array)] = np.where((values >= 0) & (values < self.count), values, -1)
        return rows


def forward_run(table: EdgeTable, chunk: list[Group], lookup: Lookup, nodes: NodeTable, num_nodes: int) -> Entries:
    """Returns the edges of a chunk, sorted by sender.

    Args:
        table: of edges.
        chunk: row groups of it.
        lookup: of rows.
        nodes: whose ids the ends are, for error messages.
        num_nodes: ``N``.

    Raises:
        GraphKDError: an end is no node, or a weight is no weight.
    """
    count = sum(group.count for group in chunk)
    rows = lookup.rows_of(_ends(chunk, count), 2 * count).reshape(2, count)
    for side, ends in zip(ENDS, rows, strict=True):
        if count and ends.min() < 0:
            raise _unknown(chunk, side, int((ends < 0).argmax()), nodes, num_nodes)
    keys = np.multiply(rows[0], num_nodes, out=rows[0])
    keys += rows[1]
    if not table.weighted:
        return sorted_run(keys, None)
    return sorted_run(keys, np.concatenate([group.weights() for group in chunk]))


def _ends(chunk: list[Group], count: int) -> Iterator[tuple[int, Any]]:
    """Yields places and ids: all sources, then all targets."""
    for number, side in enumerate(ENDS):
        place = number * count
        for group in chunk:
            for ids in group.ends(side):
                yield place, ids
                place += len(ids)


def _numbers(array: Any) -> NDArray[np.int64]:
    """Converts whole numbers, or texts that are written as such; others are −1."""
    if str(array.type) == "int64":
        return np.asarray(array)
    texts = array.to_pylist()
    return np.array([int(text) if _is_number(text) else -1 for text in texts], dtype=np.int64)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and str(int(text)) == text


def _unknown(chunk: list[Group], side: str, edge: int, nodes: NodeTable, num_nodes: int) -> GraphKDError:
    """Returns the error for an end that is no node, with its part and row."""
    for group in chunk:
        if edge < group.count:
            break
        edge -= group.count
    with open_parquet(group.file) as table:
        name = table.read_row_group(group.number, [side]).column(side)[edge].as_py()
    name = name.decode() if isinstance(name, bytes) else name
    where = f"{group.file} column '{side}' names {name!r} (row {group.start + edge})"
    if nodes.kind is None:
        return GraphKDError(
            f"{where}, but nodes are rows 0 to {num_nodes - 1} without ids: correct it, or add a column id"
        )
    return GraphKDError(f"{where}, which is no node: add the node or correct the edge")
