"""Reader of csv files, shared by training and serving; it depends on numpy only."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from graphkd.errors import GraphKDError
from graphkd.io.frame import check_once
from graphkd.io.lines import LineTable, StandardInput

TRUTH = {"true": "1", "false": "0"}
"""Numeric values of boolean cells; matching is case-insensitive."""

SHOWN = 80
"""Characters of a cell that a message quotes."""

_TRUTH_CELL = {
    ",": re.compile(r"(?:(?<=,)|^)[ \t]*(true|false)[ \t]*(?=[,\r\n]|$)", re.IGNORECASE),
    "\t": re.compile(r"(?:(?<=\t)|^)[ ]*(true|false)[ ]*(?=[\t\r\n]|$)", re.IGNORECASE),
}


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


class CsvTable(LineTable):
    """A csv file with one line per row.

    The encoding is UTF-8. Cells are separated by commas and may be quoted; none contains a line break. Numbers
    have Python's syntax, in ASCII and without underscores; ``true`` and ``false`` in any case are 1 and 0.
    Trailing empty lines are ignored; any other empty line is a row without cells.

    Args:
        path: of the file, or standard input.
        header: whether the first line holds the column names.
        called: column names for error messages if the file has no header, one per column.
        delimiter: between cells, a comma or a tab.

    Raises:
        GraphKDError: the file is empty or not UTF-8, or a column name is empty or duplicated.
    """

    def __init__(
        self,
        path: Path | StandardInput,
        header: bool = True,
        called: list[str] | None = None,
        delimiter: str = ",",
    ) -> None:
        self.delimiter = delimiter
        super().__init__(path, header)
        if self.first is None:
            raise GraphKDError(f"{path} is empty: give a line of names, and a line per row")
        try:
            cells = _divided(self.first, delimiter)
        except csv.Error as error:
            raise GraphKDError(f"{path} line 1 cannot be divided into cells ({error}): correct it") from None
        self.count, self.names = len(cells), cells if header else None
        self.called = called if self.names is None else self.names
        if header:
            _check_names(cells, path)

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
            if table is None and any(self._count(line) != self.count for line in lines):
                return self._one_by_one(lines, numbers, texts, dtype)
            values = _numbers(lines, numbers, dtype, self.delimiter)
        except (csv.Error, ValueError):  # the exception does not contain the line number
            return self._one_by_one(lines, numbers, texts, dtype)
        return Cells(values, [[cells[position] for cells in table or []] for position in texts])

    def _is_empty(self, line: str) -> bool:
        return line.isspace() and self.delimiter not in line  # a line of tabs has cells in a .tsv

    def _check(self, line: str, number: int) -> None:
        if line.count('"') % 2:  # the numbers of later rows would be shifted
            raise GraphKDError(
                f"{self.path} line {number} holds a quote that does not end on it: write cells "
                "without line breaks and without single quotation marks"
            )

    def _count(self, line: str) -> int:
        """Returns the number of cells of a line without quotes."""
        return line.count(self.delimiter) + (not self._is_empty(line))

    def _table(self, lines: list[str]) -> list[list[str]]:
        table = [cells for cells in csv.reader(lines, strict=True, delimiter=self.delimiter) if cells]
        if len(table) != len(lines) or any(len(cells) != self.count for cells in table):
            raise ValueError
        return table

    def _one_by_one(
        self, lines: list[str], numbers: Sequence[int], texts: Sequence[int], dtype: DTypeLike
    ) -> Cells:
        parsed = Cells(np.zeros((len(lines), len(numbers)), dtype), [[""] * len(lines) for _ in texts])
        for row, line in enumerate(lines):
            try:
                cells, fault = _divided(line, self.delimiter), ""
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
                content = f"'{cells[position][:SHOWN]}'" if cells[position].strip() else "nothing"
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


def _check_names(names: list[str], path: Path | StandardInput) -> None:
    if not all(name.strip() for name in names):
        raise GraphKDError(f"{path} has a column without a name: name it, or write the file with index=False")
    check_once(names, str(path))


def _divided(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], strict=True, delimiter=delimiter), [])


def _numbers(lines: list[str], places: Sequence[int], dtype: DTypeLike, delimiter: str) -> NDArray[Any]:
    if not places or not lines:
        return np.empty((len(lines), len(places)), dtype)
    try:
        return _loaded(lines, places, dtype, delimiter)
    except ValueError:  # the lines may contain booleans
        cell = _TRUTH_CELL[delimiter]
        return _loaded([cell.sub(_as_digit, line) for line in lines], places, dtype, delimiter)


def _as_digit(cell: re.Match[str]) -> str:
    return TRUTH[cell.group(1).lower()]


def _loaded(lines: list[str], places: Sequence[int], dtype: DTypeLike, delimiter: str) -> NDArray[Any]:
    values = np.loadtxt(lines, dtype, comments=None, delimiter=delimiter, usecols=places, ndmin=2, quotechar='"')
    if len(values) != len(lines):
        raise ValueError
    return values
