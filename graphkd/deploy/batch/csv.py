"""Rows of a csv file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from graphkd.deploy.batch.block import Block
from graphkd.deploy.batch.columns import Wanted, layout_of
from graphkd.errors import GraphKDError
from graphkd.io.csv import CsvTable, number_of
from graphkd.io.lines import StandardInput


class CsvSource:
    """A ``CsvTable`` whose columns are features; without column names, all of them in the student's order.

    Args:
        path: of the file, or standard input.
        wanted: columns that the student takes; ``wanted.header`` is whether the first line contains names.
        delimiter: between cells, a comma or a tab.

    Raises:
        GraphKDError: it is not a table, or its columns are not those of the student.
    """

    total: int | None = None

    def __init__(self, path: Path | StandardInput, wanted: Wanted, delimiter: str = ",") -> None:
        self.table = table = CsvTable(path, wanted.header, wanted.names, delimiter)
        self.columns, self.places, self.ids = wanted.names, list(range(table.count)), list[int]()
        if table.names is not None:
            _check_header(table.names, wanted, path)
            layout = layout_of(table.names, wanted, str(path))
            self.columns = layout.features
            position_of = {name: index for index, name in enumerate(table.names)}
            self.places = [position_of[name] for name in layout.features]
            self.ids = [] if layout.id is None else [position_of[layout.id]]
        elif wanted.id is not None:
            raise GraphKDError(f"--no-header leaves {path} without names of columns: leave --id out")
        elif table.count != wanted.width:
            raise GraphKDError(
                f"{path} has {table.count} columns and no line of names, the student takes {wanted.width} features"
            )

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks, see ``Source``; lines before the first block are skipped."""
        start = rows * skip
        for lines in self.table.blocks(rows, skip, len(self.places)):
            cells = self.table.cells(lines, self.places, self.ids)
            yield Block(start, cells.numbers, cells.texts[0] if self.ids else None, cells.faults)
            start += len(lines)
        if start == 0:
            yield Block(0, np.empty((0, len(self.places)), np.float32), [] if self.ids else None)

    def where(self, row: int) -> str:
        """Returns the row's line, see ``Source``."""
        return f"line {self.table.line_of(row)}"


def _check_header(cells: list[str], wanted: Wanted, path: Path | StandardInput) -> None:
    """Raises an error for a first line of numbers, unless they are feature names, such as years."""
    named = wanted.names is not None and set(wanted.names) <= set(cells)
    if not named and all(number_of(cell) is not None for cell in cells):
        raise GraphKDError(
            f"{path} begins with a line of numbers: write a line of column names before it, or give --no-header, "
            "which takes all columns as features in the student's order"
        )
