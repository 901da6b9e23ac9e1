"""Scored blocks → a parquet file, a row group each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graphkd.classes import ClassName
from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.ids import check_distinct


class ParquetOutput:
    """Columns row, id, class, name, probability, and ``p_NAME`` of every class.

    Args:
        file: to be written.
        num_classes: ``C``.
        class_names: ``C`` names, or nothing, which leaves that column out; columns have numbers then.
    """

    def __init__(self, file: Path, num_classes: int, class_names: Sequence[ClassName] | None) -> None:
        names = None if class_names is None else [str(name) for name in class_names]
        distinct = names is not None and len(set(names)) == num_classes
        self.file, self.names = file, None if names is None else pa.array(names, pa.string())
        self.columns = [f"p_{name}" for name in (names if names and distinct else range(num_classes))]
        self.writer: Any = None

    def add(self, block: Scored) -> None:
        """See ``graphkd.deploy.batch.outputs.Output``."""
        best, top = block.best()
        columns: dict[str, Any] = {"row": pa.array(block.start + block.good)}
        if block.ids is not None:
            columns["id"] = _array(block.good_ids)
        columns["class"] = pa.array(best, pa.int32(), safe=False)
        if self.names is not None:
            columns["name"] = pa.DictionaryArray.from_arrays(pa.array(best, pa.int32(), safe=False), self.names)
        columns["probability"] = pa.array(top)
        each = np.ascontiguousarray(block.proba.T, dtype=np.float32)
        columns |= {name: pa.array(values) for name, values in zip(self.columns, each, strict=True)}
        self._write(columns)

    def close(self) -> None:
        """Writes the end, without which it is no parquet file."""
        self.writer.close()

    def _write(self, columns: dict[str, Any]) -> None:
        if self.writer is None:
            fields = [pa.field(name, array.type, nullable=name == "id") for name, array in columns.items()]
            # Nothing else repeats: a dictionary of it would only cost time.
            repeating = ["name"] if "name" in columns else False
            self.writer = pq.ParquetWriter(self.file, pa.schema(fields), use_dictionary=repeating)
        self.writer.write_table(pa.Table.from_arrays([*columns.values()], schema=self.writer.schema))


def _array(ids: Any) -> Any:
    """Ids of any kind as one column: those of several types as texts."""
    if isinstance(ids, np.ndarray):
        return pa.array(ids)
    if not isinstance(ids, list):
        return ids
    there = [each for each in ids if each is not None]
    if not there or len({type(each) for each in there}) > 1 or not _fits(there):
        check_distinct(there)
        return pa.array([None if each is None else str(each) for each in ids], pa.string())
    try:
        return pa.array(ids)
    except OverflowError:  # from 2^63 on
        return pa.array(ids, pa.uint64())
    except (pa.ArrowException, TypeError):
        return pa.array([str(each) for each in ids])


def _fits(ids: list[Any]) -> bool:
    """Whether whole numbers have room in one type of Arrow."""
    if not isinstance(ids[0], int) or isinstance(ids[0], bool):
        return True
    low, high = min(ids), max(ids)
    return bool((low >= -(2**63) and high < 2**63) or (low >= 0 and high < 2**64))
