"""Replay of a fitted encoding on raw columns, with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import LARGEST
from graphkd.columns.cells import CellError, read, reader_of
from graphkd.columns.cycles import waves
from graphkd.columns.kinds import Boolean, Category, Column, Date, Number, Presence
from graphkd.columns.read import Raw
from graphkd.errors import GraphKDError

BLOCK = 2**15
"""Rows per block, which bounds the memory of intermediate results."""


class Replay:
    """A fitted encoding, compiled to a few array operations for all columns together.

    Args:
        columns: fitted, in the order of the raw columns.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        starts = np.cumsum([0, *(len(column.features) for column in columns)]).tolist()
        self._width = starts.pop()
        parts = [*zip(range(len(columns)), columns, starts, strict=True)]
        self._readers = [reader_of(column) for column in columns]
        self._scaled = [(at, column, first) for at, column, first in parts if isinstance(column, Number | Date)]
        self._coded = [
            (at, column, first) for at, column, first in parts if isinstance(column, Category | Boolean)
        ]
        self._absent = [(at, column, first) for at, column, first in parts if isinstance(column, Presence)]
        fitted = [(column.fill, column.shift, column.scale) for _, column, _ in self._scaled]
        self._fill, self._shift, self._scale = np.array(fitted, dtype=np.float64).reshape(-1, 3, 1).swapaxes(0, 1)
        self._features = np.array([first for *_, first in self._scaled], dtype=np.int64)
        self._slots = np.array([first for *_, first in self._coded], dtype=np.int64).reshape(-1, 1)
        flags = [row for row, (_, column, _) in enumerate(self._scaled) if column.indicator]
        self._flagged = np.array(flags, dtype=np.int64)
        self._flags = self._features[self._flagged] + [len(self._scaled[row][1].features) - 1 for row in flags]
        self._flags = self._flags.astype(np.int64)

    def __call__(self, raw: Sequence[Raw], count: int) -> tuple[NDArray[np.float32], str | None]:
        """Computes the features of rows.

        Args:
            raw: values of every column, each ``[B]``.
            count: ``B``.

        Returns:
            ``[B, D]`` in C order; and the first column with missing values that had none in training, or None.

        Raises:
            GraphKDError: a value is not of its column's kind, or not finite; the message names column and row.
        """
        out, filled = np.zeros((count, self._width), dtype=np.float32), None
        for first in range(0, count, BLOCK):
            part = raw if count <= BLOCK else [values[first : first + BLOCK] for values in raw]
            block = out[first : first + BLOCK]
            if self._scaled:
                filled = self._put_scaled(part, block, first) or filled
            if self._coded:
                self._put_coded(part, block, first)
            for at, column, feature in self._absent:
                block[:, feature] = read(self._readers[at], part[at], column, first)
        return out, filled

    def numbers(self, raw: Sequence[Raw], count: int) -> tuple[NDArray[np.float32], str | None]:
        """Reads numeric columns unscaled, with the checks of ``__call__`` and missing values filled.

        Raises:
            GraphKDError: a value is not of its column's kind, or not finite; the message names column and row.
        """
        out, filled = np.empty((count, len(self._scaled)), dtype=np.float32), None
        for first in range(0, count, BLOCK):
            part = raw if count <= BLOCK else [values[first : first + BLOCK] for values in raw]
            values, _, empty = self._read_scaled(part, min(BLOCK, count - first), first)
            if not np.abs(values).max() <= LARGEST:
                raise self._not_finite(values, part, first)
            out[first : first + BLOCK] = values.T
            filled = self._first_filled(empty) or filled
        return out, filled

    def _put_coded(self, raw: Sequence[Raw], out: NDArray[np.float32], first: int) -> None:
        slots = np.empty((len(self._coded), len(out)), dtype=np.int64)
        for row, (at, column, _) in enumerate(self._coded):
            slots[row] = read(self._readers[at], raw[at], column, first)
        out[np.arange(len(out)), self._slots + slots] = 1.0

    def _read_scaled(self, raw: Sequence[Raw], count: int, first: int) -> tuple[Any, Any, NDArray[np.bool_]]:
        """Returns numbers and days with missing ones filled, the same scaled, and which ones are missing."""
        numbers = np.empty((len(self._scaled), count))
        for row, (at, column, _) in enumerate(self._scaled):
            numbers[row] = read(self._readers[at], raw[at], column, first)
        empty = np.isnan(numbers)
        values = np.where(empty, self._fill, numbers) if empty.any() else numbers
        scaled = (values - self._shift) / self._scale
        if not np.abs(scaled).max() <= LARGEST:  # also where it is NaN
            raise self._not_finite(scaled, raw, first)
        return values, scaled, empty

    def _put_scaled(self, raw: Sequence[Raw], out: NDArray[np.float32], first: int) -> str | None:
        values, scaled, empty = self._read_scaled(raw, len(out), first)
        has_empty = bool(empty.any())
        out[:, self._features] = scaled.T
        if has_empty:
            out[:, self._flags] = empty[self._flagged].T
        for row, (_, column, feature) in enumerate(self._scaled):
            for part, period in enumerate(column.parts if isinstance(column, Date) else ()):
                place = feature + 1 + 2 * part
                out[:, place : place + 2] = waves(values[row], period)
                if has_empty:
                    out[empty[row], place : place + 2] = 0.0
        return self._first_filled(empty) if has_empty else None

    def _first_filled(self, empty: NDArray[np.bool_]) -> str | None:
        filled = [row for row in np.flatnonzero(empty.any(axis=1)).tolist() if not self._scaled[row][1].indicator]
        return self._scaled[filled[0]][1].name if filled else None

    def _not_finite(self, scaled: NDArray[np.float64], raw: Sequence[Raw], first: int) -> GraphKDError:
        row, at = np.argwhere(~(np.abs(scaled) <= LARGEST))[0].tolist()
        position, column, _ = self._scaled[row]
        return CellError(column, raw[position][at], first + at, "a finite number that single precision can hold")
