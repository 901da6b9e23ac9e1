"""Rows as mappings from a column's name to its value, such as JSON objects, as numbers in training order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import LARGEST
from graphkd.errors import RowError
from graphkd.io.frame import as_double, is_real_number

NUMBERS = {int, float, bool}
"""Types of JSON that convert to numbers as a whole column."""


def numbers_by_name(
    rows: Sequence[Any], names: Sequence[str], check: Callable[[Sequence[str]], object]
) -> NDArray[np.float64]:
    """Converts rows given by name to numbers; booleans are 1 and 0.

    Args:
        rows: ``B`` mappings from name to value.
        names: ``D`` names in training order.
        check: raises or warns of a row's names where they are not those of training.

    Returns:
        ``[B, D]``.

    Raises:
        RowError: a row is no mapping or lacks a name, or a value is not a finite number of single precision; the
            message names row and column.

    >>> numbers_by_name([{"b": 2, "a": True}], ["a", "b"], print)
    array([[1., 2.]])
    """
    known = set(names)
    for at, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise RowError(f"row {at} is a {type(row).__name__}, where others are mappings: give one kind", at)
        if row.keys() != known:
            _check_names(row, names, at)
            check([str(name) for name in row])
    return _numbers([[row[name] for name in names] for row in rows], names)


def _check_names(row: Mapping[str, Any], names: Sequence[str], at: int) -> None:
    missing = next((name for name in names if name not in row), None)
    if missing is not None:
        raise RowError(f"row {at} has no '{missing}': give every feature by its name in training", at, missing)


def _numbers(values: list[list[Any]], names: Sequence[str]) -> NDArray[np.float64]:
    """Converts values ``[B, D]``; the error names the first row that has a wrong one."""
    if not {type(value) for row in values for value in row} <= NUMBERS:
        for at, row in enumerate(values):
            for name, value in zip(names, row, strict=True):
                if not is_real_number(value):
                    raise _fault(value, name, at)
        values = [[as_double(value) for value in row] for row in values]
    try:
        table = np.array(values, dtype=np.float64)
    except OverflowError:  # an integer too large for a float
        table = np.array([[as_double(value) for value in row] for row in values])
    finite = np.abs(table) <= LARGEST  # not of NaN
    if not finite.all():
        at, column = np.argwhere(~finite)[0].tolist()
        raise _fault(values[at][column], names[column], at)
    return table


def _fault(value: Any, name: str, row: int) -> RowError:
    text = shown(value)
    return RowError(f"column '{name}' holds {text} in row {row}, not a finite number of float32", row, name)


def shown(value: Any) -> str:
    """Returns a value of any size as a short text for a message.

    >>> shown(None), shown("x" * 50)[:5], shown([1, [2]])
    ('nothing', "'xxxx", 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return repr(value[:40])
    if isinstance(value, int) and not -(10**40) < value < 10**40:
        return "a huge number"
    return f"a {type(value).__name__}" if isinstance(value, list | dict | tuple) else str(value)[:40]
