"""Draws a table of edges and one of nodes as folders of parquet parts; texts or whole numbers as ids.

python experiments/ingest/draw.py FOLDER --edges 10000000 [--ids integer]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PART = 5_000_000
"""Rows per part."""

STEP, SPACE = 38_470_650_277, 10**11
"""``STEP · i mod SPACE`` is another number for every i, since the two have no common factor."""

MOST = 2_000_000_000
"""Edges: of more, ``STEP · i`` would not fit into 64 bits."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--ids", choices=("string", "integer"), default="string")
    args = parser.parse_args()
    draw(args.folder, args.edges, args.ids)


def draw(folder: Path, num_edges: int, ids: str, part: int = PART) -> None:
    """Writes ``nodes/`` with a tenth as many nodes as edges, and ``edges/``; the same bytes for the same call."""
    if num_edges > MOST:
        raise SystemExit(f"{num_edges} edges are more than {MOST}")
    num_nodes = max(num_edges // 10, 2)
    for name in ("nodes", "edges"):
        (folder / name).mkdir(parents=True)
    for number, start in enumerate(range(0, num_nodes, part)):
        _write(folder / f"nodes/part-{number:05}.parquet", _nodes(start, min(start + part, num_nodes), ids))
    for number, start in enumerate(range(0, num_edges, part)):
        table = _edges(number, min(part, num_edges - start), num_nodes, ids)
        _write(folder / f"edges/part-{number:05}.parquet", table)


def _nodes(start: int, stop: int, ids: str) -> dict[str, Any]:
    rows = np.arange(start, stop)
    return {"id": _ids(rows, ids), "label": rows % 7, "age": (rows % 80).astype(np.float32)}


def _edges(number: int, count: int, num_nodes: int, ids: str) -> dict[str, Any]:
    """Ends with a heavy tail: hubs, duplicates and self-loops among them."""
    generator = np.random.default_rng([7, number])
    ends = (generator.random((2, count)) ** (1.5, 3.0)[number % 2] * num_nodes).astype(np.int64)
    return {"source": _ids(ends[0], ids), "target": _ids(ends[1], ids)}


def _ids(rows: Any, kind: str) -> Any:
    """Ids of rows, far from their order."""
    numbers = pa.array(rows * STEP % SPACE)
    if kind == "integer":
        return numbers
    return pc.binary_join_element_wise("user-", pc.cast(numbers, pa.string()), "")


def _write(file: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), file, compression="zstd", use_dictionary=False)


if __name__ == "__main__":
    main()
