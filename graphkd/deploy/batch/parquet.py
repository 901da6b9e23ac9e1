"""Rows of a parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.batch.block import Block, by_number
from graphkd.deploy.batch.columns import Layout, Wanted, layout_of
from graphkd.errors import GraphKDError
from graphkd.io.parquet import ids_of, is_number, numbers, open_parquet, range_index, whole

if TYPE_CHECKING:
    import pyarrow as pa

BUFFER = 2**18
"""Read-ahead of each column in bytes; without it, whole column chunks are read."""

TILE = 4096
"""Number of rows transposed at a time from columns to rows, in the CPU's cache."""


class ParquetSource:
    """A file whose features are numeric columns, or one column of lists of numbers.

    Memory is needed for a page of every column and a block of rows, independently of the size of the file and its
    row groups.

    Args:
        path: of the file.
        wanted: columns that the student takes.

    Raises:
        GraphKDError: pyarrow is missing, the file is not parquet, or its columns are not those of the student or
            not numeric.
    """

    numeric = True
    """Whether every column must be numeric."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.path, self.width = path, wanted.width
        with self._open() as file:
            schema = file.schema_arrow
            self.total: int | None = file.metadata.num_rows
            self.groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        index = range_index(schema)
        self.range = index[1] if index is not None and index[0] == (wanted.id or "id") else None
        names = [*schema.names, *([] if self.range is None or index is None else [index[0]])]
        self.layout, self.listed = _layout(schema, names, wanted, path, self.numeric)
        self.columns = wanted.names if self.listed else self.layout.features

    def where(self, row: int) -> str:
        """Returns the row's index, see ``Source``."""
        return by_number(row)

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks, see ``Source``; row groups before the first block are not read."""
        start, first, before = rows * skip, 0, 0
        while first < len(self.groups) and before + self.groups[first] <= start:
            before += self.groups[first]
            first += 1
        id_column = [] if self.layout.id is None or self.range is not None else [self.layout.id]
        columns = [*self.layout.features, *id_column]
        with self._open() as file:
            groups = range(first, len(self.groups))
            batches = (
                file.iter_batches(rows, row_groups=list(groups), columns=columns) if len(groups) else iter(())
            )
            for table in _exactly(batches, rows, start - before):
                yield self._block(table, start)
                start += table.num_rows
        if self.total == 0 and skip == 0:
            yield self._block(file.schema_arrow.empty_table(), 0)

    def _open(self) -> Any:
        return open_parquet(self.path, buffer_size=BUFFER, pre_buffer=False)

    def _block(self, table: pa.Table, start: int) -> Block:
        ids = None
        if self.layout.id is not None and self.range is not None:
            ids = _as_array(self.range[start : start + table.num_rows])
        elif self.layout.id is not None:
            ids = ids_of(whole(table.column(self.layout.id)), f"{self.path} column '{self.layout.id}'")
        x, faults = self._features(table)
        return Block(start, x, ids, faults)

    def _features(self, table: pa.Table) -> tuple[NDArray[np.float32], dict[int, str]]:
        """Returns ``[B, D]`` and the faults by row."""
        if self.listed:
            return _from_lists(whole(table.column(self.layout.features[0])), self.width)
        return _from_columns(table, self.layout.features), {}


def _as_array(values: range) -> Any:
    import pyarrow as pa

    return pa.array(np.arange(values.start, values.stop, values.step))


def _layout(schema: pa.Schema, names: list[str], wanted: Wanted, path: Path, numeric: bool) -> tuple[Layout, bool]:
    """Returns the columns, and whether the features are one column of lists."""
    lists = [field.name for field in schema if _is_list(field.type) and field.name != wanted.id]
    if numeric and len(lists) == 1 and lists[0] not in (wanted.names or []):
        layout = layout_of(names, Wanted(1, lists, wanted.id), str(path))
        types = [(lists[0], schema.field(lists[0]).type.value_type)]
    else:
        layout = layout_of(names, wanted, str(path))
        types = [(name, schema.field(name).type) for name in layout.features]
    for name, kind in types:
        if numeric and not is_number(kind):
            raise GraphKDError(
                f"{path} column '{name}' holds {kind}, the student takes numbers: encode it as it was for training"
            )
    return layout, bool(lists) and layout.features == lists


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _exactly(batches: Iterator[pa.RecordBatch], rows: int, skip: int) -> Iterator[pa.Table]:
    """Regroups batches, after ``skip`` rows, into tables of ``rows`` rows each; the last one may be shorter."""
    import pyarrow as pa

    parts: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        remainder = batch.slice(min(skip, batch.num_rows))
        skip -= batch.num_rows - remainder.num_rows
        while remainder.num_rows:
            part = remainder.slice(0, rows - count)
            remainder, count = remainder.slice(part.num_rows), count + part.num_rows
            parts.append(part)
            if count == rows:
                yield pa.Table.from_batches(parts)
                parts, count = [], 0
    if count:
        yield pa.Table.from_batches(parts)


def _from_columns(table: pa.Table, names: list[str]) -> NDArray[np.float32]:
    columns = [numbers(whole(table.column(name))) for name in names]
    out = np.empty((table.num_rows, len(names)), dtype=np.float32)
    tile = np.empty((len(names), TILE), dtype=np.float32)
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and refused as such
        for start in range(0, len(out), TILE):
            count = min(TILE, len(out) - start)
            for index, column in enumerate(columns):
                tile[index, :count] = column[start : start + count]
            out[start : start + count] = tile[:, :count].T
    return out


def _from_lists(array: Any, width: int) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Converts lists to ``[B, D]``; lists of another length are faults."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy()
    invalid = np.flatnonzero(lengths != width).tolist()
    valid = array if not invalid else array.take(np.flatnonzero(lengths == width))
    out = np.zeros((len(array), width), dtype=np.float32)
    with np.errstate(over="ignore"):
        out[lengths == width] = numbers(valid.flatten()).reshape(-1, width)
    return out, {row: f"holds a list of {lengths[row]} numbers, {width} expected" for row in invalid}
