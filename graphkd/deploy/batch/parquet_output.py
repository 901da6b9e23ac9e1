"""Writer of predictions as parquet, one row group per block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graphkd.answers import Answers, LabelAnswers, NumberAnswers
from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.ids import check_distinct
from graphkd.deploy.batch.outputs import class_columns


class ParquetOutput:
    """Parquet file with columns row, id, class, name, probability, and ``p_NAME`` of every class.

    Of several labels per row it has ``labels``, a list, in place of class, name and probability; of numbers a
    column for each, and no probabilities.

    Args:
        file: path to write.
        num_classes: ``C``.
        answers: of the student; classes without names omit the column, and ``NAME`` is then the class's number.
    """

    def __init__(self, file: Path, num_classes: int, answers: Answers) -> None:
        names = None if answers.names is None else [str(name) for name in answers.names]
        self.file, self.names = file, None if names is None else pa.array(names, pa.string())
        self.answers, self.columns = answers, class_columns(num_classes, answers.names)
        self.writer: Any = None

    def add(self, block: Scored) -> None:
        """Writes the next block, see ``graphkd.deploy.batch.outputs.Output``."""
        columns: dict[str, Any] = {"row": pa.array(block.start + block.good)}
        if block.ids is not None:
            columns["id"] = _array(block.good_ids)
        if isinstance(self.answers, NumberAnswers):
            self.columns = self.answers.columns(block.proba.shape[1])
        elif isinstance(self.answers, LabelAnswers):
            columns["labels"] = pa.array(self.answers.listed(block.proba > 0.5), self._kind_of_labels())
        else:
            columns |= self._best(block.proba)
        by_class = np.ascontiguousarray(block.proba.T, dtype=np.float32)
        columns |= {name: pa.array(values) for name, values in zip(self.columns, by_class, strict=True)}
        self._write(columns)

    def _best(self, proba: NDArray[np.float32]) -> dict[str, Any]:
        """Returns the columns of the most probable class."""
        best = proba.argmax(axis=1)
        numbers = pa.array(best, pa.int32(), safe=False)
        names = {} if self.names is None else {"name": pa.DictionaryArray.from_arrays(numbers, self.names)}
        top = np.take_along_axis(proba, best[:, None], axis=1)[:, 0]
        return {"class": numbers, **names, "probability": pa.array(top)}

    def _kind_of_labels(self) -> Any:
        return pa.list_(pa.int32() if self.names is None else pa.string())

    def close(self) -> None:
        """Writes the footer, without which the file is not valid parquet."""
        self.writer.close()

    def _write(self, columns: dict[str, Any]) -> None:
        if self.writer is None:
            fields = [pa.field(name, array.type, nullable=name == "id") for name, array in columns.items()]
            # No other column has repeated values: dictionary encoding would only cost time.
            repeating = ["name"] if "name" in columns else False
            self.writer = pq.ParquetWriter(self.file, pa.schema(fields), use_dictionary=repeating)
        self.writer.write_table(pa.Table.from_arrays([*columns.values()], schema=self.writer.schema))


def _array(ids: Any) -> Any:
    """Converts ids of any kind to one column; ids of several types to strings."""
    if isinstance(ids, np.ndarray):
        return pa.array(ids)
    if not isinstance(ids, list):
        return ids
    values = [value for value in ids if value is not None]
    if not values or len({type(value) for value in values}) > 1 or not _fits(values):
        check_distinct(values)
        return pa.array([None if value is None else str(value) for value in ids], pa.string())
    try:
        return pa.array(ids)
    except OverflowError:  # from 2^63 on
        return pa.array(ids, pa.uint64())
    except (pa.ArrowException, TypeError):
        return pa.array([str(value) for value in ids])


def _fits(ids: list[Any]) -> bool:
    """Returns whether all integers fit in one integer type of Arrow."""
    if not isinstance(ids[0], int) or isinstance(ids[0], bool):
        return True
    low, high = min(ids), max(ids)
    return bool((low >= -(2**63) and high < 2**63) or (low >= 0 and high < 2**64))
