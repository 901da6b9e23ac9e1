"""Rows of a file with a JSON object per line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from graphkd.deploy.batch.block import Block
from graphkd.deploy.batch.columns import Wanted, layout_of
from graphkd.errors import GraphKDError
from graphkd.io.jsonl import JsonTable
from graphkd.io.lines import StandardInput


class JsonSource:
    """A ``JsonTable`` whose values are features, by name; without names of the student in the first line's order.

    Args:
        path: of the file, or standard input.
        wanted: columns that the student takes.

    Raises:
        GraphKDError: the first line is no object, or its names are not those of the student.
    """

    total: int | None = None

    def __init__(self, path: Path | StandardInput, wanted: Wanted) -> None:
        if not wanted.header:
            raise GraphKDError(f"{path} has no line of names, but names in every line: leave --no-header out")
        self.table = JsonTable(path)
        layout = layout_of(self.table.names, wanted, str(path))
        self.columns, self.key = layout.features, layout.id

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks, see ``Source``; lines before the first block are skipped."""
        start = rows * skip
        for lines in self.table.blocks(rows, skip, len(self.columns)):
            found = self.table.cells(lines, self.columns, self.key)
            yield Block(start, np.ascontiguousarray(found.numbers), found.ids, found.faults)
            start += len(lines)

    def where(self, row: int) -> str:
        """Returns the row's line, see ``Source``."""
        return f"line {self.table.line_of(row)}"
