"""Raw values of one column as numbers, days or slots of a one-hot code; faults name column and row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphkd.columns.kinds import Boolean, Category, Column, Date, Number
from graphkd.columns.read import Raw
from graphkd.columns.values import YEARS, category, day, days, is_missing, number, truth
from graphkd.errors import RowError

Reader = Callable[[Raw], Any]
"""Values ``[B]`` → ``[B]`` numbers (missing ones NaN), slots, or 1 where missing."""

EXPECTED = {
    "number": "a number",
    "date": f"a date such as 2024-01-31 or 2024-01-31T12:00:00Z, of the years {YEARS[0]} to {YEARS[1]}",
    "category": "a category: give a text, a whole number or a boolean",
    "boolean": "a boolean: give true, false or null",
    "presence": "a value",
}


def reader_of(column: Column) -> Reader:
    """Returns the reader of a column's values."""
    if isinstance(column, Category):
        return _category_reader(column.values)
    if isinstance(column, Boolean):
        return _truths
    if isinstance(column, Date):
        return _days
    return _numbers if isinstance(column, Number) else _absences


def read(reader: Reader, values: Raw, column: Column, first: int = 0) -> Any:
    """Reads the values of a column.

    Args:
        reader: of the column.
        values: ``[B]``.
        column: for error messages.
        first: row of the first value, for error messages.

    Raises:
        CellError: a value is not of the column's kind.
    """
    try:
        return reader(values)
    except (ValueError, TypeError, ArithmeticError):
        for at, value in enumerate(values):
            try:
                reader([value])
            except (ValueError, TypeError, ArithmeticError):
                raise CellError(column, value, first + at) from None
        raise


class CellError(RowError):
    """The error that a value is not what its column needs.

    Args:
        column: of the value.
        value: as it was given.
        row: of the value, from 0.
        expected: what is needed, by default a value of the column's kind.
    """

    def __init__(self, column: Column, value: Any, row: int, expected: str = "") -> None:
        huge = isinstance(value, int) and abs(value) >= 10**4000  # of too many digits for a text
        text = "a huge number" if huge else str(value)[:40]
        shown = f"'{text}'" if isinstance(value, str) else text
        self.found = f"column '{column.name}' holds {shown}"
        self.expected = expected or EXPECTED[column.kind]
        super().__init__(f"{self.found} in row {row}, not {self.expected}", row, column.name)


def _numbers(values: Raw) -> Any:
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return values
    return [number(value) for value in values]


def _days(values: Raw) -> Any:
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return days(values)
    known: dict[str, float] = {}  # dates repeat
    found = []
    for value in values:
        if type(value) is str:
            if value not in known:
                known[value] = day(value)
            found.append(known[value])
        else:
            found.append(day(value))
    return found


def _absences(values: Raw) -> Any:
    return [is_missing(value) for value in values]


def _truths(values: Raw) -> Any:
    if isinstance(values, np.ndarray) and values.dtype == bool:
        return values
    return [truth(value) for value in values]


def _category_reader(values: tuple[str, ...]) -> Reader:
    slots, unknown = {value: at for at, value in enumerate(values)}, len(values)

    def slot(value: Any) -> int:
        key = category(value)
        return unknown if key is None else slots.get(key, unknown)

    def reader(values: Raw) -> Any:
        if isinstance(values, np.ndarray) and values.dtype.kind in "biuf" and len(values) > 1:
            known, place = np.unique(values, return_inverse=True)
            return np.array([slot(value) for value in known.tolist()])[place.reshape(-1)]
        return [slots[value] if type(value) is str and value in slots else slot(value) for value in values]

    return reader
