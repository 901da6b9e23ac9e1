"""Columns of a text file as a student's features, where training encoded them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.columns import ColumnEncoding
from graphkd.columns.cells import CellError
from graphkd.io.csv import number_of


def typed(cells: Sequence[str | None], kind: str) -> list[Any]:
    """Converts the cells of a csv's column to values: numbers and booleans in their type, all else as text.

    An empty cell is missing. A cell of a numeric column that is no number stays a text, which the encoding refuses
    by name.

    Args:
        cells: ``[B]``.
        kind: of the column, see ``ColumnEncoding.kinds``.
    """
    filled = [None if cell is None or not cell.strip() else cell for cell in cells]
    if kind == "number":
        numbers = [None if cell is None else number_of(cell) for cell in filled]
        return [cell if value is None else value for cell, value in zip(filled, numbers, strict=True)]
    if kind == "boolean":
        return [None if cell is None else TRUTH.get(cell.strip().lower(), cell) for cell in filled]
    return [None if cell is None else cell.strip() if kind == "date" else cell for cell in filled]


TRUTH = {"true": True, "false": False}


def encoded(encoding: ColumnEncoding, columns: Mapping[str, Sequence[Any]]) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Encodes rows; one that cannot be encoded does not hinder the others.

    Args:
        encoding: of the student.
        columns: name → ``[B]`` values.

    Returns:
        Features ``[B, D]``, zeros in rows with a fault; and row → fault.
    """
    names, faults = list(encoding.names_in), dict[int, str]()
    count = len(next(iter(columns.values()))) if columns else 0
    rows = list(range(count))
    x = np.zeros((count, len(encoding.names_out)), dtype=np.float32)
    while rows:
        try:
            x[rows] = encoding.transform({name: [columns[name][row] for row in rows] for name in names})
            break
        except CellError as error:
            row = rows[error.row]
            faults[row] = f"{error.found}, not {error.expected}"
            rows.remove(row)
    return x, faults
