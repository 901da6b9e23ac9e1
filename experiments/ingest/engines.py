"""DuckDB and Polars on a drawn table: ids to rows alone, or all of it in one query; seconds and memory.

python experiments/ingest/engines.py FOLDER duckdb|polars join|all --gigabytes 2    (needs polars as well)
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from run import own_memory

BATCH = 2**20


class DuckDB:
    """The queries in SQL, on one thread, within a limit of memory.

    Args:
        nodes: parts.
        gigabytes: of the limit.
        folder: for what does not fit.
    """

    def __init__(self, nodes: list[str], gigabytes: float, folder: Path) -> None:
        import duckdb

        self.db = duckdb.connect()
        self.db.execute(f"SET threads = 1; SET memory_limit = '{gigabytes}GB'; SET temp_directory = '{folder}'")
        numbered = f"SELECT id, row_number() OVER () - 1 AS row FROM read_parquet({nodes})"
        self.db.execute(f"CREATE TABLE ids AS {numbered}")
        self.db.execute("SET preserve_insertion_order = false")

    def join(self, part: str) -> Iterator[tuple[Any, Any]]:
        sides = [
            f"SELECT {side} AS id, 2 * file_row_number + {number} AS place "
            f"FROM read_parquet('{part}', file_row_number = true)"
            for number, side in enumerate(("source", "target"))
        ]
        query = f"SELECT place, row FROM ({' UNION ALL '.join(sides)}) ends LEFT JOIN ids ON ends.id = ids.id"
        for batch in self.db.sql(query).to_arrow_reader(BATCH):
            yield batch.column(0).to_numpy(), batch.column(1).to_numpy()

    def all(self, edges: list[str], output: Path) -> None:
        joined = (
            f"SELECT s.row AS a, t.row AS b FROM read_parquet({edges}) e "
            "JOIN ids s ON e.source = s.id JOIN ids t ON e.target = t.id"
        )
        both = "SELECT a, b FROM (SELECT a, b FROM j UNION SELECT b, a FROM j) ORDER BY a, b"
        self.db.execute(f"COPY (WITH j AS MATERIALIZED ({joined}) {both}) TO '{output}'")


class Polars:
    """The same in Polars' streaming engine, whose budget for what it may spill is set by the environment."""

    def __init__(self, nodes: list[str], gigabytes: float, folder: Path) -> None:
        os.environ["POLARS_MAX_THREADS"] = "1"
        os.environ["POLARS_OOC_MEMORY_BUDGET_MB"] = str(round(1000 * gigabytes))
        os.environ["POLARS_OOC_SPILL_DIR"] = str(folder)
        import polars as pl

        self.pl = pl
        numbered = pl.scan_parquet(nodes).select("id").with_row_index("row").cast({"row": pl.Int64})
        self.ids = numbered.collect(engine="streaming").lazy()

    def join(self, part: str) -> Iterator[tuple[Any, Any]]:
        pl = self.pl
        table = pl.scan_parquet(part).with_row_index("place").with_columns(pl.col("place").cast(pl.Int64) * 2)
        sides = [table.select("place", id="source"), table.select(pl.col("place") + 1, id="target")]
        found = pl.concat(sides).join(self.ids, on="id", how="left").select("place", "row")
        rows = found.collect(engine="streaming")
        yield rows["place"].to_numpy(), rows["row"].to_numpy()

    def all(self, edges: list[str], output: Path) -> None:
        pl = self.pl
        sources, targets = (self.ids.rename({"id": side, "row": name}) for side, name in ENDS.items())
        joined = pl.scan_parquet(edges).join(sources, on="source").join(targets, on="target").select("a", "b")
        both = pl.concat([joined, joined.select(a="b", b="a")]).unique().sort("a", "b")
        both.sink_parquet(output)


ENDS = {"source": "a", "target": "b"}

ENGINES = {"duckdb": DuckDB, "polars": Polars}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("shape", choices=("join", "all"))
    parser.add_argument("--gigabytes", type=float, default=2)
    args = parser.parse_args()
    nodes, edges = ([str(file) for file in sorted((args.folder / name).iterdir())] for name in ("nodes", "edges"))
    most = [0]
    threading.Thread(target=_watch, args=(most,), daemon=True).start()
    start, cpu = time.perf_counter(), time.process_time()
    with TemporaryDirectory(dir=args.folder.parent) as folder:
        engine = ENGINES[args.engine](nodes, args.gigabytes, Path(folder))
        if args.shape == "join":
            said = _joined(engine, edges)
        else:
            engine.all(edges, Path(folder) / "out.parquet")
            said = pq.ParquetFile(Path(folder) / "out.parquet").metadata.num_rows
    took = f"{time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.1f} CPU s, {most[0] / 1e9:.2f} GB"
    print(f"{args.engine} {args.shape}: {took}; {said}")


def _joined(engine: Any, edges: list[str]) -> int:
    """The rows of all ends in memory, as the ingest has those of a chunk; returns their sum."""
    total = 0
    for part in edges:
        rows = np.empty(2 * pq.ParquetFile(part).metadata.num_rows, dtype=np.int64)
        for place, row in engine.join(part):
            rows[place] = row
        total += int(rows.sum())
    return total


def _watch(most: list[int]) -> None:
    while True:
        most[0] = max(most[0], own_memory(os.getpid()))
        time.sleep(0.02)


if __name__ == "__main__":
    main()
