"""Lines of text files, packed ones and standard input, in blocks of bounded memory."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import IO

from graphkd.errors import GraphKDError

LONGEST = 2**24
"""Largest number of characters of a line that is unpacked or comes from standard input."""

LARGEST_BLOCK = 2**27
"""Largest number of characters of a block of such lines, unless more are needed for its numbers."""

GZ = ".gz"

PARSED = 32
"""Characters allowed for each number of a block."""


@dataclass(frozen=True)
class StandardInput:
    """Standard input in the place of a file: it is read once, and what was read cannot be read again.

    Args:
        suffix: of a file of this content, such as ``.csv``.
    """

    suffix: str = ".csv"

    def __str__(self) -> str:
        return "standard input"


class LineTable:
    """A table with a row per line: UTF-8, perhaps with a byte order mark, any kind of line breaks.

    Trailing empty lines are ignored; any other is a row. A file whose name ends in ``.gz`` is unpacked while it is
    read. There, and on standard input, lines are limited in length, since a small input may stand for a huge text.

    Args:
        path: of the file, or standard input.
        header: whether the first line is no row.

    Raises:
        GraphKDError: the text cannot be read.
    """

    def __init__(self, path: Path | StandardInput, header: bool) -> None:
        self.path, self.header = path, header
        self.limited = isinstance(path, StandardInput) or path.suffix == GZ
        lines = self._lines()
        self.first = next(lines, None)
        self._stream = lines if isinstance(path, StandardInput) else None

    def line_of(self, row: int) -> int:
        """Returns the line number in the file, from 1, of a row."""
        return row + 1 + self.header

    def blocks(self, rows: int, skip: int = 0, columns: int = 0) -> Iterator[list[str]]:
        """Yields the lines of rows in blocks.

        Args:
            rows: of a block; the last one may be shorter.
            skip: number of blocks to leave out.
            columns: number of columns that are parsed as numbers, which limited lines may be long enough for.

        Raises:
            GraphKDError: the text cannot be read, or a block of limited lines is too long.
        """
        lines, most = self._rows(), max(LARGEST_BLOCK, PARSED * rows * columns)
        for _ in islice(lines, rows * skip):
            pass
        start = rows * skip
        while block := self._block(lines, rows, most, start) if self.limited else list(islice(lines, rows)):
            yield block
            start += rows

    def _block(self, lines: Iterator[str], rows: int, most: int, start: int) -> list[str]:
        block, size = [], 0
        for line in islice(lines, rows):
            block.append(line)
            size += len(line)
            if size > most:
                first, last = self.line_of(start), self.line_of(start + len(block) - 1)
                raise GraphKDError(
                    f"{self.path} has more than {most} characters in lines {first} to {last}: leave columns of "
                    "long texts out, or give a plain file"
                )
        return block

    def _rows(self) -> Iterator[str]:
        if self._stream is None:
            lines = self._lines()
            if self.header:
                next(lines, None)
            return lines
        first = [] if self.header or self.first is None else [self.first]
        return chain(first, self._stream)

    def _lines(self) -> Iterator[str]:
        number, empty = 0, 0
        try:
            with _opened(self.path) as file:
                lines = self._short(file) if self.limited else file
                for number, line in enumerate(lines, 1):
                    if self._is_empty(line):
                        empty += 1
                        continue
                    self._check(line, number)
                    if empty:
                        yield from repeat("\n", empty)
                        empty = 0
                    yield line
        except UnicodeDecodeError as error:
            raise GraphKDError(f"{self.path} is no UTF-8 text ({error.reason}): save it as such") from None
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            text = " ".join(str(error).split())
            raise GraphKDError(
                f"{self.path} cannot be unpacked after line {number} ({text}): pack it again"
            ) from None

    def _short(self, file: IO[str]) -> Iterator[str]:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise GraphKDError(f"{self.path} line {number} has more than {LONGEST} characters: correct it")
            yield line

    def _is_empty(self, line: str) -> bool:
        return line.isspace()

    def _check(self, line: str, number: int) -> None:
        """Raises an error for a line after which the numbers of lines are not those of rows."""


@contextmanager
def _opened(path: Path | StandardInput) -> Iterator[IO[str]]:
    """Opens a text; standard input stays open afterwards."""
    if isinstance(path, StandardInput):
        if sys.stdin is None or sys.stdin.closed:
            raise GraphKDError("standard input is closed: give a file, or lines by a pipe")
        wrapper = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig")
        try:
            yield wrapper
        finally:
            with suppress(ValueError):  # it was closed meanwhile
                wrapper.detach()
    elif path.suffix == GZ:
        with gzip.open(path, "rt", encoding="utf-8-sig") as packed:
            yield packed
    else:
        with path.open(encoding="utf-8-sig") as file:
            yield file
