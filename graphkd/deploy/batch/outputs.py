"""Writers of predictions."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from graphkd.answers import Answers
from graphkd.classes import ClassName
from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.ids import as_texts, take
from graphkd.errors import GraphKDError

KINDS = (".parquet", ".csv", ".npy")


class Output(Protocol):
    """A file of predictions that is being written."""

    def add(self, block: Scored) -> None:
        """Writes the next block."""

    def close(self) -> None:
        """Completes the file."""


def output_of(
    kind: str,
    file: Path,
    num_classes: int,
    answers: Answers,
    probabilities: bool = False,
) -> Output:
    """Creates a writer for one of ``KINDS``; the path may have any suffix.

    Args:
        kind: one of ``KINDS``.
        file: path to write.
        num_classes: ``C``.
        answers: of the student, with its names.
        probabilities: whether a csv has a column for every class, as a parquet file always does.
    """
    if kind == ".npy":
        return NpyOutput(file, num_classes)
    if kind == ".csv":
        return CsvOutput(file, answers, class_columns(num_classes, answers.names) if probabilities else ())
    from graphkd.deploy.batch.parquet_output import ParquetOutput

    return ParquetOutput(file, num_classes, answers)


def class_columns(num_classes: int, class_names: Sequence[ClassName] | None) -> list[str]:
    """Returns ``C`` different names of columns of probabilities, which no other column of an output has.

    >>> class_columns(2, ["oak", "elm"]), class_columns(2, ["1", 1])
    (['p_oak', 'p_elm'], ['p_0', 'p_1'])
    """
    names = [] if class_names is None else [str(name) for name in class_names]
    return [f"p_{name}" for name in (names if len(set(names)) == num_classes else range(num_classes))]


def check_output(path: Path, kinds: Sequence[str] = KINDS) -> None:
    """Checks, before any computation, that a file can be written.

    Raises:
        GraphKDError: the suffix is unknown, the folder is missing or not writable, or pyarrow is missing.
    """
    if path.suffix not in kinds:
        raise GraphKDError(f"{path} ends in '{path.suffix}': it is written as {' or '.join(kinds)}")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise GraphKDError(f"{path} cannot be written: it is a folder, or its own folder is not there or closed")
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise GraphKDError(f"{path} needs pyarrow: pip install 'graphkd[parquet]', or write .csv") from None


class NpyOutput:
    """Probabilities ``[B, C]`` in numpy's format; a rejected row is NaN, so that rows keep their indices.

    Args:
        file: path to write.
        num_classes: ``C``.
    """

    def __init__(self, file: Path, num_classes: int) -> None:
        self.file, self.num_classes, self.count = file.open("wb"), num_classes, 0
        self._head()

    def add(self, block: Scored) -> None:
        """Writes the next block, see ``Output``."""
        proba = block.proba
        if block.rejects:
            proba = np.full((block.count, self.num_classes), np.nan, dtype=np.float32)
            proba[block.good] = block.proba
        self.file.write(np.ascontiguousarray(proba, dtype=np.float32).data)
        self.count += block.count

    def close(self) -> None:
        """Writes the number of rows into the header, in which numpy reserves space for it."""
        self.file.seek(0)
        self._head()
        self.file.close()

    def _head(self) -> None:
        shape = (self.count, self.num_classes)
        np.lib.format.write_array_header_1_0(self.file, {"descr": "<f4", "fortran_order": False, "shape": shape})


class CsvOutput:
    """A line per scored row: row, id, class, name, probability; optionally ``p_NAME`` of every class.

    Of several labels per row it has ``labels``, of numbers a column for each.

    Args:
        file: path to write.
        answers: of the student; classes without names omit the column.
        columns: ``C`` names of columns of all probabilities, or none.
    """

    def __init__(self, file: Path, answers: Answers, columns: Sequence[str] = ()) -> None:
        self.file, self.answers, self.begun = file.open("w", encoding="utf-8", newline=""), answers, False
        self.columns = columns
        self.writer = csv.writer(self.file, lineterminator="\n")

    def add(self, block: Scored) -> None:
        """Writes the next block, see ``Output``."""
        cells = self.answers.cells(block.proba)
        if not self.begun:
            ids = ["id"] if block.ids is not None else []
            self.writer.writerow(["row", *ids, *cells, *self.columns])
            self.begun = True
        columns: list[Any] = [(block.start + block.good).tolist()]
        if block.ids is not None:
            columns.append(as_texts(block.good_ids))
        columns += cells.values()
        if self.columns:  # with as many digits as tell apart two numbers of single precision
            columns += [[f"{each:.9g}" for each in proba] for proba in block.proba.T.tolist()]
        self.writer.writerows(zip(*columns, strict=True))

    def close(self) -> None:
        """Closes the file, see ``Output``."""
        self.file.close()


class Rejects:
    """A csv of rows that were not scored: row, id, reason.

    Args:
        file: path to write.
    """

    def __init__(self, file: Path) -> None:
        self.file, self.count = file.open("w", encoding="utf-8", newline=""), 0
        self.writer = csv.writer(self.file, lineterminator="\n")
        self.writer.writerow(["row", "id", "reason"])

    def add(self, block: Scored) -> None:
        """Writes the rejected rows of the next block, see ``Output``."""
        rows = np.array(list(block.rejects), dtype=np.int64)
        ids = [""] * len(rows) if block.ids is None else as_texts(take(block.ids, rows))
        self.writer.writerows(zip((block.start + rows).tolist(), ids, block.rejects.values(), strict=True))
        self.count += len(rows)

    def close(self) -> None:
        """Closes the file, see ``Output``."""
        self.file.close()
