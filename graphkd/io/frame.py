"""Conversion of pandas and polars data frames and pyarrow tables to numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError


def labels_of(x: Any) -> list[str] | None:
    """Returns the column labels of a frame or table as strings, or ``None`` if it has none."""
    if hasattr(x, "column_names") and hasattr(x, "column"):  # pyarrow, where ``columns`` are arrays
        return [str(label) for label in x.column_names]
    if hasattr(x, "columns") and hasattr(x, "to_numpy"):
        return [str(label) for label in x.columns]
    return None


def names_of(x: Any) -> tuple[str, ...] | None:
    """Returns a frame's column names, or ``None`` without names or if they are the numbers from 0."""
    labels = labels_of(x)
    return None if labels is None or numbered(labels) else tuple(labels)


def numbered(labels: Sequence[str]) -> bool:
    """Returns whether the labels are the numbers from 0, which do not count as names."""
    return list(labels) == [str(number) for number in range(len(labels))]


def check_once(names: Sequence[str], where: str) -> None:
    """Checks that column names are unique: a duplicate makes selection by name ambiguous.

    Raises:
        GraphKDError: a name is duplicated; the message contains the first one.
    """
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise GraphKDError(f"{where} has {names.count(twice)} columns '{twice}': rename all but one")


def frame_numbers(x: Any, positions: Sequence[int] | None = None, where: str = "x") -> Any:
    """Converts columns to numbers; booleans are 1 and 0, missing values are NaN.

    Args:
        x: a frame or table ``[B, n]``.
        positions: of the columns, in output order; by default all.
        where: origin of the columns, for error messages.

    Returns:
        ``[B, D]``: an array, or a scipy CSR matrix where all columns are sparse.

    Raises:
        GraphKDError: a column is not numeric; strings of digits are not parsed.
    """
    labels = labels_of(x) or []
    indices = range(len(labels)) if positions is None else positions
    if hasattr(x, "iloc"):
        return _from_pandas(x if positions is None else x.iloc[:, list(indices)], where)
    columns = [x.column(index) if hasattr(x, "column") else x.to_series(index) for index in indices]
    if not columns:
        return np.empty((len(x), 0), dtype=np.float32)
    arrays = zip(columns, (labels[index] for index in indices), strict=True)
    return np.column_stack([_numbers(column.to_numpy(), f"{where} column '{label}'") for column, label in arrays])


def object_numbers(column: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Converts an object array of numbers to float64; missing values are NaN.

    Args:
        column: ``[B]`` objects.
        where: origin of the column, for error messages.

    Raises:
        GraphKDError: a value is not a number.
    """
    numbers = np.empty(len(column))
    for row, value in enumerate(column):
        if value is None or type(value).__name__ == "NAType":
            numbers[row] = np.nan
        elif is_real_number(value):
            numbers[row] = as_double(value)
        else:
            raise GraphKDError(
                f"{where} holds {value!r} in row {row}, not a finite number: encode it, or leave it out"
            )
    return numbers


def is_real_number(value: Any) -> bool:
    """Returns whether a value is a real number or a boolean."""
    return isinstance(value, bool | int | float | np.number | np.bool_ | Decimal) and not isinstance(
        value, np.complexfloating | np.timedelta64
    )


def as_double(value: Any) -> float:
    """Converts a real number to double precision; integers that overflow are infinite."""
    try:
        return float(value)
    except OverflowError:  # an integer too large for a float
        return np.inf


def _from_pandas(frame: Any, where: str) -> Any:
    types = list(frame.dtypes)
    if types and all(getattr(kind, "fill_value", None) == 0 and hasattr(kind, "subtype") for kind in types):
        return frame.sparse.to_coo().tocsr()
    objects = [position for position, kind in enumerate(types) if getattr(kind, "kind", "O") not in "biuf"]
    if not objects:
        return frame.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.empty(frame.shape)
    plain = [position for position in range(len(types)) if position not in set(objects)]
    numbers[:, plain] = frame.iloc[:, plain].to_numpy(dtype=np.float64, na_value=np.nan)
    for position in objects:
        numbers[:, position] = object_numbers(
            frame.iloc[:, position].to_numpy(dtype=object), f"{where} column '{frame.columns[position]}'"
        )
    return numbers


def _numbers(column: NDArray[Any], where: str) -> NDArray[Any]:
    return column if column.dtype.kind in "biuf" else object_numbers(column.astype(object), where)
