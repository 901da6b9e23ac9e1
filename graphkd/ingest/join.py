"""Ids to rows: a hash join in DuckDB, within a memory limit, beyond which it spills to disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from graphkd.errors import GraphKDError


class IdJoin:
    """The rows of nodes by id.

    Args:
        ids: a parquet file with the columns ``id`` and ``row``.
        memory: bytes for DuckDB.
        spill: folder for what does not fit.

    Raises:
        GraphKDError: duckdb is not installed.
    """

    def __init__(self, ids: Path, memory: int, spill: Path) -> None:
        try:
            import duckdb
        except ImportError:
            raise GraphKDError(
                "parts of edges that name nodes by ids need duckdb: pip install 'graphkd[ingest]'"
            ) from None
        self._error = duckdb.Error
        self._db = duckdb.connect()
        self._db.execute(f"SET memory_limit = '{memory // 10**6}MB'")
        self._db.execute(f"SET temp_directory = {_quoted(spill)}")
        self._db.execute(f"SET threads = {torch.get_num_threads()}")
        self._db.execute("SET preserve_insertion_order = false")
        # The ids are hashed, never the edges, which are a stream whose length DuckDB does not know.
        self._db.execute("SET disabled_optimizers = 'join_order, build_side_probe_side'")
        self._db.execute(f"CREATE VIEW ids AS SELECT id, row FROM read_parquet({_quoted(ids)})")

    def repeated(self) -> tuple[Any, int, int] | None:
        """Returns the id that is the first to be there again, with its first two rows; ``None`` if all differ."""
        distinct = "SELECT count(*) FROM (SELECT DISTINCT id FROM ids)"
        if self._one("SELECT count(*) FROM ids") == self._one(distinct):
            return None
        ranked = (
            "SELECT id, row, min(row) OVER (PARTITION BY id) AS first, "
            "row_number() OVER (PARTITION BY id ORDER BY row) AS number FROM ids"
        )
        found: tuple[Any, int, int]
        found = self._one(f"SELECT id, first, row FROM ({ranked}) WHERE number = 2 ORDER BY row LIMIT 1")
        return found

    def rows_of(self, ends: Iterator[tuple[int, Any]], count: int) -> NDArray[np.int64]:
        """Returns the row of each of ``count`` ends, −1 for what is no id.

        Args:
            ends: place of the first one and Arrow array of ids, in parts.
            count: of all.
        """
        import pyarrow as pa

        rows = np.full(count, -1)
        first = next(ends, None)
        if first is None:
            return rows
        stream = _Stream(first, ends)
        schema = pa.schema([("place", pa.int64()), ("id", first[1].type)])
        self._db.register("ends", pa.RecordBatchReader.from_batches(schema, stream.batches(schema)))
        try:
            for batch in self._found():
                rows[batch.column(0).to_numpy()] = batch.column(1).to_numpy()
        except self._error as error:
            raise stream.fault or _failed(error) from None
        finally:
            self._db.unregister("ends")
        return rows

    def _found(self) -> Iterator[Any]:
        query = "SELECT ends.place, ids.row FROM ends JOIN ids ON ends.id = ids.id"
        yield from self._db.sql(query).to_arrow_reader(2**17)

    def _one(self, query: str) -> Any:
        try:
            rows = self._db.execute(query).fetchall()
        except self._error as error:
            raise _failed(error) from None
        return rows[0][0] if len(rows[0]) == 1 else rows[0]


class _Stream:
    """Arrays of ids as batches with their places; keeps an error, which DuckDB would put into words of its own."""

    def __init__(self, first: tuple[int, Any], rest: Iterator[tuple[int, Any]]) -> None:
        self._first, self._rest = first, rest
        self.fault: GraphKDError | None = None

    def batches(self, schema: Any) -> Iterator[Any]:
        import pyarrow as pa

        part: tuple[int, Any] | None = self._first
        try:
            while part is not None:
                place, ids = part
                places = pa.array(np.arange(place, place + len(ids)))
                yield pa.RecordBatch.from_arrays([places, ids], schema=schema)
                part = next(self._rest, None)
        except GraphKDError as error:
            self.fault = error
            raise


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _failed(error: Exception) -> GraphKDError:
    text = " ".join(str(error).split())
    return GraphKDError(f"ids could not be looked up ({text}): give more memory, or free some disk")
