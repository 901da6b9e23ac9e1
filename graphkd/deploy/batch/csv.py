"""Rows of a csv file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.batch.block import Block
from graphkd.deploy.batch.columns import Wanted, layout_of
from graphkd.deploy.batch.faults import column_name
from graphkd.errors import GraphKDError

TRUTH = {"true": 1.0, "false": 0.0}
"""What cells of truth values count as, in training as well."""


class CsvSource:
    """A file with names of the columns in its first line and a line per row.

    Without names (``wanted.header`` is false) all columns are features in the student's order. Cells are divided
    by commas and may be quoted; none holds a line break. A cell is a number as Python writes them, or
    ``true`` or ``false`` in any case, which are 1 and 0. Empty lines at the end do not count; one before them is a
    row without cells. It is UTF-8.

    Args:
        path: of the file.
        wanted: by the student.

    Raises:
        GraphKDError: an empty file, other columns, or no UTF-8.
    """

    total: int | None = None

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.path, self.width = path, wanted.width
        first = next(self._lines(), None)
        if first is None:
            raise GraphKDError(f"{path} is empty: give a line of numbers per row")
        cells = next(csv.reader([first]))
        self.header = wanted.header
        self.count, self.id, self.places = len(cells), None, list(range(len(cells)))
        self.columns = wanted.names
        if self.header:
            _check_header(cells, wanted, path)
            layout = layout_of(cells, wanted, str(path))
            self.columns = layout.features
            place = {name: index for index, name in enumerate(cells)}
            self.places = [place[name] for name in layout.features]
            self.id = None if layout.id is None else place[layout.id]
        elif wanted.id is not None:
            raise GraphKDError(f"--no-header leaves {path} without names of columns: leave --id out")
        elif len(cells) != wanted.width:
            raise GraphKDError(
                f"{path} has {len(cells)} columns and no line of names, the student takes {wanted.width} features"
            )

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """See ``Source``; lines before the first block are passed over."""
        lines = self._lines()
        for _ in islice(lines, int(self.header) + rows * skip):
            pass
        start = rows * skip
        while (part := list(islice(lines, rows))) or start == 0:
            yield self._block(part, start)
            start += max(len(part), 1)

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

    def _block(self, lines: list[str], start: int) -> Block:
        if not lines:
            return Block(start, np.empty((0, self.width), np.float32), None if self.id is None else [])
        if any(_cells_of(line) != self.count for line in lines):  # which loadtxt does not see
            return self._with_faults(lines, start)
        try:
            x = np.loadtxt(
                lines, np.float32, comments=None, delimiter=",", usecols=self.places, ndmin=2, quotechar='"'
            )
        except ValueError:  # of some row, and the message does not say which of which file
            return self._with_faults(lines, start)
        ids = None if self.id is None else [cells[self.id] for cells in csv.reader(lines)]
        if len(x) != len(lines) or (ids is not None and len(ids) != len(lines)):  # quotes over several lines
            return self._with_faults(lines, start)
        return Block(start, x, ids)

    def _with_faults(self, lines: list[str], start: int) -> Block:
        x = np.zeros((len(lines), self.width), dtype=np.float32)
        faults: dict[int, str] = {}
        ids: list[str] | None = None if self.id is None else [""] * len(lines)
        for row, line in enumerate(lines):
            cells = next(csv.reader([line]), [])
            if ids is not None and self.id is not None and self.id < len(cells):
                ids[row] = cells[self.id]
            if fault := self._fault(cells):
                faults[row] = fault
            else:
                x[row] = [_number(cells[place]) for place in self.places]
        return Block(start, x, ids, faults)

    def _fault(self, cells: list[str]) -> str:
        if len(cells) != self.count:
            return f"has {len(cells)} cells, {self.count} expected"
        for column, place in enumerate(self.places):
            if not _is_number(cells[place]):
                held = f"'{cells[place]}'" if cells[place].strip() else "nothing"
                return f"{column_name(self.columns, column)} holds {held}"
        return ""


def _check_header(cells: list[str], wanted: Wanted, path: Path) -> None:
    """Refuses a first line of numbers, unless they are the names of the student's features, such as years."""
    named = wanted.names is not None and set(wanted.names) <= set(cells)
    if not named and all(_is_number(cell) for cell in cells):
        raise GraphKDError(
            f"{path} begins with a line of numbers: write a line of column names before it, or give --no-header, "
            "which takes all columns as features in the student's order"
        )


def _cells_of(line: str) -> int:
    """How many cells a line has; commas within quotes divide none."""
    return len(next(csv.reader([line]), [])) if '"' in line else line.count(",") + (not line.isspace())


def _number(cell: str) -> NDArray[Any] | np.float32:
    with np.errstate(over="ignore"):
        return np.float32(TRUTH.get(cell.strip().lower(), cell))


def _is_number(cell: str) -> bool:
    if cell.strip().lower() in TRUTH:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # which Python takes for a number
