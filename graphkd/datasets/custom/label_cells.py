"""Cells of labels as Python values, and what they can be read as."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.io.rows import array_of
from graphkd.tasks.fractions import are_targets

COLLECTIONS = (list, tuple, set, frozenset, np.ndarray)
"""Types of a cell that holds several names or numbers."""


def unmasked(labels: Any) -> list[Any]:
    """Converts a flat list, array or series to a list; masked entries are ``None``.

    >>> unmasked(["a", np.ma.masked])
    ['a', None]
    """
    if not isinstance(labels, np.ma.MaskedArray):
        return [None if value is np.ma.masked else value for value in labels]
    return [None if no else v for v, no in zip(labels.data, np.ma.getmaskarray(labels), strict=True)]


def cells_of(labels: Any) -> list[Any]:
    """Converts a flat list, array, series or tensor to cells; one without content is ``None``."""
    values = unmasked(array_of(labels) if isinstance(labels, Tensor) else labels)
    return [None if is_missing(value) else value for value in values]


def is_missing(cell: Any) -> bool:
    """Returns whether a cell is ``None``, NaN, masked, pandas' missing value or an empty text."""
    import pandas as pd

    if cell is None or cell is np.ma.masked:
        return True
    if isinstance(cell, str | bytes):
        return not cell
    if isinstance(cell, int | float):  # most cells: pandas takes longer
        return cell != cell
    return not isinstance(cell, COLLECTIONS) and pd.isna(cell) is True


def is_number(cell: Any) -> bool:
    """Returns whether a cell is a real number; booleans are not.

    >>> is_number(np.float32(0.5)), is_number(Decimal("0.5")), is_number(True), is_number("0.5")
    (True, True, False, False)
    """
    if isinstance(cell, np.generic):
        return bool(cell.dtype.kind in "iuf")
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def mostly_fractions(cells: list[Any]) -> bool:
    """Returns whether all known cells are numbers, and are targets by ``graphkd.tasks.fractions``.

    >>> mostly_fractions([0.5, 1.5, 2.0, None]), mostly_fractions([0.5, 1.0]), mostly_fractions([0.5, "x"])
    (True, False, False)
    """
    known = [cell for cell in cells if cell is not None]
    if not all(is_number(cell) for cell in known):
        return False
    finite = [cell for cell in known if isinstance(cell, int | np.integer) or math.isfinite(cell)]
    return are_targets(sum(bool(cell != int(cell)) for cell in finite), len(finite))


def double(number: Any, where: str) -> float:
    """Converts a number to double precision.

    Raises:
        GraphKDError: it is infinite, or becomes so.
    """
    try:
        value = float(number)
    except OverflowError:  # an integer too large for a float
        value = math.inf
    if math.isinf(value):
        raise GraphKDError(f"{where} holds {number}, which no answer can reach: correct it, or leave it empty")
    return value
