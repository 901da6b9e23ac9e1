"""csv files: one reader for training and for serving, with numpy alone."""

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
"""What cells of truth values count as, in any case."""

_TRUTH_CELL = re.compile(r"(?:(?<=,)|^)[ \t]*(true|false)[ \t]*(?=[,\r\n]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Cells:
    """Consecutive lines of a file, divided.

    Args:
        numbers: ``[B, n]`` of the columns that hold numbers.
        texts: of each column of texts, ``[B]``.
        faults: line among these → why it cannot be read; such a row of ``numbers`` says nothing.
    """

    numbers: NDArray[Any]
    texts: list[list[str]]
    faults: dict[int, str] = field(default_factory=dict)


class CsvTable:
    """A file with a line per row.

    It is UTF-8. Cells are divided by commas and may be quoted; none holds a line break. A number is written as
    Python writes it, in ASCII and without underscores; ``true`` and ``false`` in any case are 1 and 0. Empty lines
    at the end do not count; one before them is a row without cells.

    Args:
        path: of the file.
        header: whether its first line holds the names of the columns.
        called: names for error messages where the file holds none, as many as it has columns.

    Raises:
        GraphKDError: an empty file, no UTF-8, or columns without a name or with the same one.
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
        """The number in the file, from 1, of the line that holds a row."""
        return row + 1 + self.header

    def blocks(self, rows: int, skip: int = 0) -> Iterator[list[str]]:
        """All lines of rows, ``rows`` at a time, after the first ``skip`` blocks."""
        lines = self._lines()
        for _ in islice(lines, self.header + rows * skip):
            pass
        while part := list(islice(lines, rows)):
            yield part

    def cells(
        self, lines: list[str], numbers: Sequence[int], texts: Sequence[int] = (), dtype: DTypeLike = np.float32
    ) -> Cells:
        """Divides lines.

        Args:
            lines: of one block.
            numbers: positions of the columns that hold numbers.
            texts: positions of the columns that are kept as they are written.
            dtype: of the numbers.
        """
        try:
            table = self._table(lines) if texts or any('"' in line for line in lines) else None
            if table is None and any(_count(line) != self.count for line in lines):
                return self._one_by_one(lines, numbers, texts, dtype)
            found = _numbers(lines, numbers, dtype)
        except (csv.Error, ValueError):  # of some line, and the messages do not say which of which file
            return self._one_by_one(lines, numbers, texts, dtype)
        return Cells(found, [[cells[place] for cells in table or []] for place in texts])

    def _lines(self) -> Iterator[str]:
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                empty = 0
                for number, line in enumerate(file, 1):
                    if line.count('"') % 2:  # rows after it would have other numbers
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
        found = Cells(np.zeros((len(lines), len(numbers)), dtype), [[""] * len(lines) for _ in texts])
        for row, line in enumerate(lines):
            try:
                cells, fault = _divided(line), ""
            except csv.Error as error:
                cells, fault = [], f"cannot be divided into cells ({error})"
            for column, place in zip(found.texts, texts, strict=True):
                column[row] = cells[place] if place < len(cells) else ""
            if fault := fault or self._fault(cells, numbers):
                found.faults[row] = fault
            elif numbers:
                with np.errstate(over="ignore"):  # too large is infinite, and refused as such
                    found.numbers[row] = [number_of(cells[place]) for place in numbers]
        return found

    def _fault(self, cells: list[str], numbers: Sequence[int]) -> str:
        if len(cells) != self.count:
            return f"has {len(cells)} cells, {self.count} expected"
        for feature, place in enumerate(numbers):
            if number_of(cells[place]) is None:
                held = f"'{cells[place]}'" if cells[place].strip() else "nothing"
                name = f"feature {feature}" if self.called is None else f"column '{self.called[place]}'"
                return f"{name} holds {held}"
        return ""


def number_of(cell: str) -> float | None:
    """The number that a cell holds; nothing where it holds none."""
    text = cell.strip()
    if "_" in text or not text.isascii():  # which Python takes for numbers, and numpy's reader does not
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
    """How many cells a line without quotes has."""
    return line.count(",") + (not line.isspace())


def _numbers(lines: list[str], places: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    if not places or not lines:
        return np.empty((len(lines), len(places)), dtype)
    try:
        return _loaded(lines, places, dtype)
    except ValueError:  # truth values, perhaps
        return _loaded([_TRUTH_CELL.sub(_as_digit, line) for line in lines], places, dtype)


def _as_digit(cell: re.Match[str]) -> str:
    return TRUTH[cell.group(1).lower()]


def _loaded(lines: list[str], places: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    found = np.loadtxt(lines, dtype, comments=None, delimiter=",", usecols=places, ndmin=2, quotechar='"')
    if len(found) != len(lines):
        raise ValueError
    return found
