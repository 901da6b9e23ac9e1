"""Ids of nodes, read in blocks from any form of the table of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.ingest.ids import Kind, kind_of, one_kind, plain_ids
from graphkd.io.csv import CsvTable
from graphkd.io.parquet import open_parquet, range_index
from graphkd.io.parts import column_blocks, part_files

BLOCK = 2**20
"""Rows that are read at once."""


@dataclass(frozen=True)
class NodeTable:
    """The table of nodes.

    Args:
        files: one csv, or parquet files in order.
        count: ``N`` rows; ``None`` in a csv with ids, which are counted as they are read.
        kind: of ids, ``None`` if there are none: then nodes are named by row number.
    """

    files: list[Path]
    count: int | None
    kind: Kind | None

    def called(self) -> str:
        """Returns the column of ids in error messages."""
        file = self.files[0]
        return f"{file if len(self.files) == 1 else file.parent} column 'id'"

    def ids(self) -> Iterator[Any]:
        """Yields the ids in Arrow arrays, checked one by one, but not for repeated ones."""
        row = 0
        for file in self.files:
            for array in _csv_ids(file) if file.suffix == ".csv" else column_blocks(file, "id", BLOCK):
                ids = plain_ids(array, self.called(), row)
                if self.kind == "texts" and (empty := ids.index("").as_py()) >= 0:
                    raise GraphKDError(f"{self.called()} is empty in row {row + empty}: give every node an id")
                yield ids
                row += len(ids)


def node_table(folder: Path) -> NodeTable:
    """Finds the table of nodes: ``nodes.csv``, ``nodes.parquet`` or the folder ``nodes`` of parquet parts.

    Raises:
        GraphKDError: there is none or more than one, or parts hold ids of several kinds.
    """
    found = [folder / name for name in ("nodes", "nodes.csv", "nodes.parquet") if (folder / name).exists()]
    if len(found) != 1:
        state = f"both {found[0].name} and {found[1].name}: keep one" if found else "no nodes: add their table"
        raise GraphKDError(f"{folder} holds {state}")
    (place,) = found
    if place.suffix == ".csv":
        return _csv_table(place)
    files = part_files(place) if place.is_dir() else [place]
    return NodeTable(files, *_counted(files))


def _counted(files: list[Path]) -> tuple[int, Kind | None]:
    """Returns the number of rows of parquet files, and the kind of ids in all of them."""
    count, kinds, without = 0, {}, []
    for file in files:
        with open_parquet(file) as table:
            count += table.metadata.num_rows
            schema = table.schema_arrow
        if (index := range_index(schema)) is not None and index[0] == "id":
            raise GraphKDError(f"{file} holds 'id' as pandas' index alone: write it as a column")
        if "id" in schema.names:
            kinds[file] = kind_of(schema.field("id").type, f"{file} column 'id'")
        else:
            without.append(file)
    if kinds and without:
        raise GraphKDError(f"{without[0]} has no column 'id', {next(iter(kinds))} has one: give all or none")
    return count, one_kind(kinds) if kinds else None


def _csv_table(file: Path) -> NodeTable:
    table = CsvTable(file)
    if "id" in (table.names or []):
        return NodeTable([file], None, "texts")
    return NodeTable([file], sum(len(lines) for lines in table.blocks(BLOCK)), None)


def _csv_ids(file: Path) -> Iterator[Any]:
    import numpy as np
    import pyarrow as pa

    table = CsvTable(file)
    position, before = (table.names or []).index("id"), 0
    for lines in table.blocks(BLOCK):
        block = table.cells(lines, [], [position], np.float64)
        if block.faults:
            row, fault = min(block.faults.items())
            raise GraphKDError(f"{file} line {table.line_of(before + row)}: {fault}: correct the line")
        texts, before = block.texts[0], before + len(lines)
        yield pa.array([None if text in ("", "nan", "NaN") else text for text in texts], pa.string())
