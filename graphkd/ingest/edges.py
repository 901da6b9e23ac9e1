"""The table of edges in parquet parts: its columns, and chunks of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError
from graphkd.ingest.ids import Kind, kind_of, one_kind, plain_ids
from graphkd.io.frame import check_once
from graphkd.io.parquet import INDEX, is_number, numbers, open_parquet
from graphkd.io.parts import column_blocks, part_files
from graphkd.io.weights import check_weights

ENDS = ("source", "target")

BLOCK = 2**17
"""Rows that are decoded at once."""


@dataclass(frozen=True)
class Group:
    """A row group of a part, the smallest piece that is read.

    Args:
        file: the part.
        number: of the row group in it.
        start: its first row in the part.
        count: of its rows.
    """

    file: Path
    number: int
    start: int
    count: int

    def ends(self, side: str) -> Iterator[Any]:
        """Yields the ids in the column ``side`` in Arrow arrays, checked."""
        row = self.start
        for array in column_blocks(self.file, side, BLOCK, self.number):
            yield plain_ids(array, f"{self.file} column '{side}'", row)
            row += len(array)

    def weights(self) -> NDArray[np.float64]:
        """Returns the weights of its rows, checked as those of ``edges.parquet`` are."""
        where = f"{self.file} rows from {self.start} column 'weight'"
        parts = [numbers(array) for array in column_blocks(self.file, "weight", self.count, self.number)]
        return check_weights(np.concatenate(parts), self.count, where)


@dataclass(frozen=True)
class EdgeTable:
    """The table of edges.

    Args:
        groups: all row groups, in the order of the rows.
        kind: of the ids of ends.
        weighted: whether there is a column ``weight``.
    """

    groups: list[Group]
    kind: Kind
    weighted: bool

    def chunks(self, most: int) -> list[list[Group]]:
        """Returns the row groups in chunks of at most so many edges, but at least one row group."""
        chunks: list[list[Group]] = []
        room = 0
        for group in self.groups:
            if group.count > room:
                chunks.append([])
                room = most
            chunks[-1].append(group)
            room -= group.count
        return chunks


def edge_table(folder: Path) -> EdgeTable:
    """Reads names and types of the columns of all parts.

    Args:
        folder: the parts, each with ``source``, ``target`` and, in all or none, ``weight``.

    Raises:
        GraphKDError: a column is missing or unknown, or the parts differ.
    """
    groups: list[Group] = []
    kinds: dict[Path, Kind | None] = {}
    weighted: dict[bool, Path] = {}
    for file in part_files(folder):
        with open_parquet(file) as table:
            metadata, schema = table.metadata, table.schema_arrow
        sides = _checked(schema, file)
        kinds[file] = sides[0] or sides[1]
        weighted.setdefault("weight" in schema.names, file)
        counts = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        starts = np.cumsum([0, *counts]).tolist()
        groups += [Group(file, number, starts[number], count) for number, count in enumerate(counts) if count]
    if len(weighted) > 1:
        raise GraphKDError(f"{weighted[False]} has no column 'weight', {weighted[True]} has one: give all or none")
    return EdgeTable(groups, one_kind(kinds), True in weighted)


def _checked(schema: Any, file: Path) -> list[Kind | None]:
    """Checks the columns of a part, and returns the kinds of both ends."""
    names: Sequence[str] = [name for name in schema.names if not name.startswith(INDEX)]
    check_once(names, str(file))
    for name in ENDS:
        if name not in names:
            raise GraphKDError(f"{file} has no column '{name}': there are {', '.join(names) or 'none'}")
    for name in names:
        if name not in (*ENDS, "weight"):
            raise GraphKDError(f"{file} has a column '{name}', which is not read: name it weight or drop it")
    if "weight" in names and not is_number(kind := schema.field("weight").type):
        raise GraphKDError(f"{file} column 'weight' holds {kind}, not numbers: encode it, or leave it out")
    kinds = [kind_of(schema.field(name).type, f"{file} column '{name}'") for name in ENDS]
    if len({*kinds} - {None}) > 1:
        raise GraphKDError(f"{file} holds {kinds[0]} as sources, {kinds[1]} as targets: give both one kind of id")
    return kinds
