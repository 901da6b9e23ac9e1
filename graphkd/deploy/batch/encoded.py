"""Rows of a file as features, for a student whose columns were encoded in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.columns import ColumnEncoding
from graphkd.columns.cells import CellError
from graphkd.deploy.batch.block import Block, Source
from graphkd.deploy.batch.columns import Wanted
from graphkd.deploy.batch.csv import CsvSource
from graphkd.deploy.batch.jsonl import JsonSource
from graphkd.deploy.batch.parquet import ParquetSource
from graphkd.errors import GraphKDError
from graphkd.io.csv import number_of
from graphkd.io.lines import StandardInput

TRUTH = {"true": True, "false": False}


class EncodedCsv(CsvSource):
    """A csv whose cells are read by the kind of their column, then encoded; see ``CsvSource``."""

    def __init__(self, path: Path | StandardInput, wanted: Wanted, delimiter: str = ",") -> None:
        if not wanted.header:
            raise GraphKDError(f"{path}: this student reads columns by name: leave --no-header out")
        super().__init__(path, wanted, delimiter)
        self.encoding = encoding_of(wanted)
        self.columns = list(self.encoding.names_out)

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks of features, see ``Source``."""
        start, kinds = rows * skip, self.encoding.kinds
        for lines in self.table.blocks(rows, skip, len(self.places)):
            cells = self.table.cells(lines, (), [*self.places, *self.ids])
            names = self.encoding.names_in
            columns = {name: typed(cells.texts[at], kinds[name]) for at, name in enumerate(names)}
            x, faults = encoded(self.encoding, columns, len(lines), cells.faults)
            yield Block(start, x, cells.texts[-1] if self.ids else None, faults)
            start += len(lines)
        if start == 0:
            yield Block(0, empty(self.encoding), [] if self.ids else None)


class EncodedJson(JsonSource):
    """A file of JSON objects whose values are encoded; see ``JsonSource``."""

    def __init__(self, path: Path | StandardInput, wanted: Wanted) -> None:
        super().__init__(path, wanted)
        self.encoding = encoding_of(wanted)
        self.names, self.columns = self.columns, list(self.encoding.names_out)

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks of features, see ``Source``."""
        start = rows * skip
        for lines in self.table.blocks(rows, skip, len(self.names)):
            columns, ids, invalid = self.table.values(lines, self.names, self.key)
            x, faults = encoded(self.encoding, columns, len(lines), invalid)
            yield Block(start, x, ids, faults)
            start += len(lines)


class EncodedParquet(ParquetSource):
    """A parquet file whose columns are encoded; see ``ParquetSource``."""

    numeric = False

    def __init__(self, path: Path, wanted: Wanted) -> None:
        super().__init__(path, wanted)
        self.encoding = encoding_of(wanted)
        self.columns = list(self.encoding.names_out)

    def _features(self, table: Any) -> tuple[NDArray[np.float32], dict[int, str]]:
        try:
            return self.encoding.transform(table.select(self.layout.features)), {}
        except GraphKDError:
            columns = {name: table.column(name).to_pylist() for name in self.layout.features}
            return encoded(self.encoding, columns, table.num_rows, {})


def encoding_of(wanted: Wanted) -> ColumnEncoding:
    """Returns the encoding of what the student takes, which is there for these sources."""
    assert wanted.encoding is not None
    return wanted.encoding


def typed(cells: Sequence[str], kind: str) -> list[Any]:
    """Converts a csv's cells of one column to values; an empty one is missing.

    A cell that is none of its column's kind stays a text, which the encoding refuses by name.

    Args:
        cells: ``[B]``.
        kind: of the column, see ``ColumnEncoding.kinds``.
    """
    filled = [cell if cell.strip() else None for cell in cells]
    if kind == "category":
        return filled
    read: Callable[[str], Any] = str.strip
    if kind == "number":
        read = number_of
    elif kind == "boolean":
        read = lambda cell: TRUTH.get(cell.strip().lower())  # noqa: E731
    values = [None if cell is None else read(cell) for cell in filled]
    return [cell if value is None else value for cell, value in zip(filled, values, strict=True)]


def encoded(
    encoding: ColumnEncoding, columns: Mapping[str, Sequence[Any]], count: int, invalid: Mapping[int, str]
) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Encodes rows; one that cannot be encoded does not hinder the others.

    Args:
        encoding: of the student.
        columns: name → ``[B]`` values.
        count: ``B``.
        invalid: row → why it could not be read.

    Returns:
        Features ``[B, D]``, zeros in rows with a fault; and row → fault.
    """
    x, faults = np.zeros((count, len(encoding.names_out)), dtype=np.float32), dict(invalid)
    readable = [row for row in range(count) if row not in faults]
    try:
        if readable:
            x[readable] = _transformed(encoding, columns, readable)
    except CellError:
        for row in readable:
            try:
                x[row] = _transformed(encoding, columns, [row])
            except CellError as error:
                faults[row] = f"{error.found}, not {error.expected}"
    return x, faults


def empty(encoding: ColumnEncoding) -> NDArray[np.float32]:
    """Returns no rows ``[0, D]``."""
    return np.empty((0, len(encoding.names_out)), dtype=np.float32)


def _transformed(
    encoding: ColumnEncoding, columns: Mapping[str, Sequence[Any]], rows: list[int]
) -> NDArray[np.float32]:
    return encoding.transform({name: [values[row] for row in rows] for name, values in columns.items()})


def no_names(path: Path, wanted: Wanted) -> Source:
    """Refuses a file of arrays.

    Raises:
        GraphKDError: always.
    """
    raise GraphKDError(
        f"{path} has no names of columns, by which this student reads rows: give .csv, .tsv, .jsonl or .parquet"
    )
