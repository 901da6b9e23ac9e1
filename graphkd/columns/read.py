"""Raw columns of a table of any supported type, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphkd.checks import check_unmasked
from graphkd.errors import GraphKDError, RowError
from graphkd.io.frame import labels_of
from graphkd.io.names import NamedColumns, is_records
from graphkd.io.rows import array_of

Raw = Any
"""Values of one column, ``[B]``: an array, or a list of Python values."""


class Wanted:
    """Columns to find in a table by name; others are warned of once.

    Args:
        names: ``n`` columns.
        ignored: names of columns that are not read and need no warning.
    """

    def __init__(self, names: Sequence[str], ignored: Iterable[str]) -> None:
        self.names, self.ignored = tuple(names), frozenset(ignored)
        self.known = self.ignored | {*names}
        self.matcher = NamedColumns(names)

    def check(self, labels: Iterable[Any]) -> list[int] | None:
        """Returns the position of each column among the labels, ignored ones left out; see ``Columns``."""
        return self.matcher.positions([str(label) for label in labels if str(label) not in self.ignored])


def raw_columns(table: Any, wanted: Wanted) -> list[Raw]:
    """Returns the values of the wanted columns, each ``[B]``, unconverted.

    Args:
        table: pandas or polars frame, pyarrow table, mapping of columns, or sequence of mappings; an array
            ``[B, n]`` has its columns in the order of the names.
        wanted: ``n`` columns.

    Raises:
        GraphKDError: a column is missing or duplicated, columns differ in length, or the table has another type.
    """
    if isinstance(table, Mapping):
        return _of_mapping(table, wanted)
    if is_records(table):
        return _of_rows(table, wanted)
    labels = labels_of(table)
    if labels is None:
        return _of_array(table, wanted.names)
    kept = [position for position, label in enumerate(labels) if label not in wanted.ignored]
    found = wanted.check(labels)
    if found is None and len(kept) != len(wanted.names):
        raise GraphKDError(f"x has {len(kept)} columns without names, {len(wanted.names)} expected: name them")
    positions = kept if found is None else [kept[position] for position in found]
    if hasattr(table, "iloc"):
        return [series_values(table.iloc[:, position]) for position in positions]
    return [_arrow_values(table, position) for position in positions]


def series_values(series: Any) -> Raw:
    """Converts a pandas series to an array: numbers and dates in their own type, everything else as objects."""
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return series.to_numpy()
    if getattr(dtype, "kind", "O") in "iuf":
        if hasattr(dtype, "subtype"):  # sparse
            return np.asarray(series, dtype=np.float64)
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if hasattr(dtype, "tz"):
        return series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return series.to_numpy(dtype=object)


def _arrow_values(table: Any, position: int) -> Raw:
    """Converts a column of a pyarrow table or a polars frame to an array."""
    if not hasattr(table, "column_names"):
        return table.to_series(position).to_numpy()
    column = table.column(position)
    if hasattr(column.type, "value_type") and hasattr(column.type, "index_type"):  # a dictionary
        column = column.cast(column.type.value_type)
    try:
        return column.to_numpy()
    except (TypeError, NotImplementedError, ValueError):  # types that numpy has no name for
        return column.to_pylist()


def _of_mapping(table: Any, wanted: Wanted) -> list[Raw]:
    wanted.check(table)
    by_name = {str(label): values for label, values in table.items()}
    if missing := next((name for name in wanted.names if name not in by_name), None):  # other labels are numbers
        raise GraphKDError(f"x has no column '{missing}': name the columns as in training")
    columns = [_sequence(by_name[name], name) for name in wanted.names]
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(str(len(column)) for column in columns[:8])
        raise GraphKDError(f"the columns of x have different lengths ({lengths}): give one value per row in each")
    return columns


def _sequence(values: Any, name: str) -> Raw:
    check_unmasked(values, f"column '{name}'")
    if hasattr(values, "iloc"):
        return series_values(values)
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        raise GraphKDError(f"column '{name}' is {str(values)[:40]!r}: give a list per column, or a list of rows")
    if isinstance(values, list | tuple):
        return values
    array = array_of(values)
    if array.ndim != 1:
        raise GraphKDError(f"column '{name}' has shape {list(array.shape)}: give one value per row")
    return array


def _of_rows(rows: Any, wanted: Wanted) -> list[Raw]:
    for at, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise RowError(f"row {at} is a {type(row).__name__}, where others are mappings: give one kind", at)
        if not row.keys() <= wanted.known:
            wanted.check(row)
    try:
        return [[row[name] for row in rows] for name in wanted.names]
    except KeyError:
        at, row = next((at, row) for at, row in enumerate(rows) if not {*wanted.names} <= row.keys())
        if at == 0:
            wanted.check(row)
        missing = next(name for name in wanted.names if name not in row)
        raise RowError(f"row {at} has no column '{missing}': give null where the value is missing", at) from None


def _of_array(table: Any, names: Sequence[str]) -> list[Raw]:
    check_unmasked(table, "x")
    if hasattr(table, "tocsr"):
        table = table.toarray()
    try:
        array = array_of(table)
    except (TypeError, ValueError, RuntimeError):
        array = np.empty(0)
    if array.ndim != 2 or array.dtype.kind not in "biufMO":
        raise GraphKDError(f"x is no table, but a {type(table).__name__}: give a frame or rows with column names")
    if array.shape[1] != len(names):
        raise GraphKDError(f"x has {array.shape[1]} columns, {len(names)} expected: give them as in training")
    return list(array.T)
