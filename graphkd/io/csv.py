"""Reader of csv files, shared by training and serving; it depends on numpy only."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from graphkd.errors import GraphKDError
from graphkd.io.frame import check_once

TRUTH = {"true": "1", "false": "0"}
"""Numeric values of boolean cells; matching is case-insensitive."""

_TRUTH_CELL = re.compile(r"(?:(?<=,)|^)[ \t]*(true|false)[ \t]*(?=[,\r\n]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Cells:
    """The parsed cells of consecutive lines of a file.

    Args:
        numbers: ``[B, n]``, values of the numeric columns.
        texts: ``[B]`` strings for each text column.
        faults: line index within the block → why it cannot be read; that row of ``numbers`` is undefined.
    """

    numbers: NDArray[Any]
    texts: list[list[str]]
    faults: dict[int, str] = field(default_factory=dict)


class CsvTable:
    """A csv file with one line per row.

    The encoding is UTF-8. Cells are separated by commas and may be quoted; none contains a line break. Numbers
    have Python's syntax, in ASCII and without underscores; ``true`` and ``false`` in any case are 1 and 0.
    Trailing empty lines are ignored; any other empty line is a row without cells.

    Args:
        path: of the file.
        header: whether the first line holds the column names.
        called: column names for error messages if the file has no header, one per column.

    Raises:
        GraphKDError: the file is empty or not UTF-8, or a column name is empty or duplicated.
    """

    def __init__(self, path: Path, header: bool = True, called: list[str] | None = None) -> None:
        self.path, self.header = path, header
        first = next(self._lines(), None)
        if first is None:
            raise GraphKDError(f"{path} is empty: give a line of names, and a line per row")
        try:
            cells = _divided(first)
        except csv.Error as error:
            raise GraphKDError(f"{path} line 1 cannot be divided into cells ({error}): correct it") from None
        self.count, self.names = len(cells), cells if header else None
        self.called = called if self.names is None else self.names
        if header:
            _check_names(cells, path)

    def line_of(self, row: int) -> int:
        """Returns the line number in the file, from 1, of a row."""
        return row + 1 + self.header

    def blocks(self, rows: int, skip: int = 0) -> Iterator[list[str]]:
        """Yields the data lines in blocks of ``rows``, without the first ``skip`` blocks."""
        lines = self._lines()
        for _ in islice(lines, self.header + rows * skip):
            pass
        while block := list(islice(lines, rows)):
            yield block

    def cells(
        self, lines: list[str], numbers: Sequence[int], texts: Sequence[int] = (), dtype: DTypeLike = np.float32
    ) -> Cells:
        """Parses lines into cells.

        Args:
            lines: one block.
            numbers: positions of the numeric columns.
            texts: positions of the columns that are returned as strings.
            dtype: of the numbers.
        """
        try:
            table = self._table(lines) if texts or any('"' in line for line in lines) else None
            if table is None and any(_count(line) != self.count for line in lines):
                return self._one_by_one(lines, numbers, texts, dtype)
            values = _numbers(lines, numbers, dtype)
        except (csv.Error, ValueError):  # the exception does not contain the line number
            return self._one_by_one(lines, numbers, texts, dtype)
        return Cells(values, [[cells[position] for cells in table or []] for position in texts])

    def _lines(self) -> Iterator[str]:
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                empty = 0
                for number, line in enumerate(file, 1):
                    if line.count('"') % 2:  # the numbers of later rows would be shifted
                        raise GraphKDError(
                            f"{self.path} line {number} holds a quote that does not end on it: write cells "
                            "without line breaks and without single quotation marks"
                        )
                    if line.isspace():
                        empty += 1
                        continue
                    yield from ["\n"] * empty
                    empty = 0
                    yield line
        except UnicodeDecodeError as error:
            raise GraphKDError(f"{self.path} is no UTF-8 text ({error.reason}): save it as such") from None

    def _table(self, lines: list[str]) -> list[list[str]]:
        table = [cells for cells in csv.reader(lines, strict=True) if cells]
        if len(table) != len(lines) or any(len(cells) != self.count for cells in table):
            raise ValueError
        return table

    def _one_by_one(
        self, lines: list[str], numbers: Sequence[int], texts: Sequence[int], dtype: DTypeLike
    ) -> Cells:
        parsed = Cells(np.zeros((len(lines), len(numbers)), dtype), [[""] * len(lines) for _ in texts])
        for row, line in enumerate(lines):
            try:
                cells, fault = _divided(line), ""
            except csv.Error as error:
                cells, fault = [], f"cannot be divided into cells ({error})"
            for column, position in zip(parsed.texts, texts, strict=True):
                column[row] = cells[position] if position < len(cells) else ""
            if fault := fault or self._fault(cells, numbers):
                parsed.faults[row] = fault
            elif numbers:
                with np.errstate(over="ignore"):  # overflows become infinite and are rejected later
                    parsed.numbers[row] = [number_of(cells[position]) for position in numbers]
        return parsed

    def _fault(self, cells: list[str], numbers: Sequence[int]) -> str:
        if len(cells) != self.count:
            return f"has {len(cells)} cells, {self.count} expected"
        for feature, position in enumerate(numbers):
            if number_of(cells[position]) is None:
                content = f"'{cells[position]}'" if cells[position].strip() else "nothing"
                name = f"feature {feature}" if self.called is None else f"column '{self.called[position]}'"
                return f"{name} holds {content}"
        return ""


def number_of(cell: str) -> float | None:
    """Returns the number in a cell, or ``None`` if it holds none."""
    text = cell.strip()
    if "_" in text or not text.isascii():  # accepted by float(), not by np.loadtxt
        return None
    try:
        return float(TRUTH.get(text.lower(), text))
    except ValueError:
        return None


def _check_names(names: list[str], path: Path) -> None:
    if not all(name.strip() for name in names):
        raise GraphKDError(f"{path} has a column without a name: name it, or write the file with index=False")
    check_once(names, str(path))


def _divided(line: str) -> list[str]:
    return next(csv.reader([line], strict=True), [])


def _count(line: str) -> int:
    """Returns the number of cells of a line without quotes."""
    return line.count(",") + (not line.isspace())


def _numbers(lines: list[str], places: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    if not places or not lines:
        return np.empty((len(lines), len(places)), dtype)
    try:
        return _loaded(lines, places, dtype)
    except ValueError:  # the lines may contain booleans
        return _loaded([_TRUTH_CELL.sub(_as_digit, line) for line in lines], places, dtype)


def _as_digit(cell: re.Match[str]) -> str:
    return TRUTH[cell.group(1).lower()]


def _loaded(lines: list[str], places: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    values = np.loadtxt(lines, dtype, comments=None, delimiter=",", usecols=places, ndmin=2, quotechar='"')
    if len(values) != len(lines):
        raise ValueError
    return values
