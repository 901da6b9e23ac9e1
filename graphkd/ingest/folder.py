"""Ingest of a folder of tables, one process at a time, that goes on where a killed one stopped."""

from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphkd.atomic_io import read_json, write_json
from graphkd.checks import is_real
from graphkd.errors import GraphKDError
from graphkd.ingest.graph import MappedGraph, byte_order
from graphkd.ingest.nodes import node_table
from graphkd.ingest.stages import Ingest
from graphkd.io.parts import part_files
from graphkd.locks import Lock

VERSION = 1
"""Of the files on the way and of the result."""

BUDGET, LEAST = 4.0, 0.25
"""Gigabytes by default, and with which DuckDB still works."""

PAUSE = 0.1
"""Seconds between two looks at the lock of another process."""


def ingest_folder(
    folder: Path, output: Path, *, directed: bool = False, memory_budget: float = BUDGET
) -> MappedGraph:
    """Reads tables of edges and nodes of any size into CSR matrices in mapped files, within a memory budget.

    Ids become row numbers by a hash join in DuckDB, edges are sorted in runs on disk and merged. Duplicates of a
    directed edge count once, with the sum of their weights; self-loops and isolated nodes stay: it is the graph
    that ``dataset=custom`` makes in memory of the same rows, to the bit. Killed at any moment, the same call goes
    on after the last finished chunk; it ends with the same bytes. If ``output`` was made of the same files, it is
    opened at once.

    Args:
        folder: with ``edges/*.parquet`` (``source``, ``target``, optionally ``weight``) and the nodes as
            ``nodes/*.parquet``, ``nodes.parquet`` or ``nodes.csv``, in the order of parts and rows. Ids are texts
            or whole numbers; without a column ``id`` nodes are named by row number.
        output: folder of the result; replaced if it was made of other files.
        directed: whether edges stay directed; otherwise both directions of each edge are included, with the
            larger weight if the two differ.
        memory_budget: gigabytes (10^9 bytes) for DuckDB and arrays; 8 bytes per node come on top.

    Returns:
        The graph.

    Raises:
        GraphKDError: a table is missing or damaged, an id is missing, repeated, unknown or of another kind, duckdb
            is not installed, or the disk is full.

    >>> ingest_folder(Path("no-such-folder"), Path("out"))
    Traceback (most recent call last):
    ...
    graphkd.errors.GraphKDError: no-such-folder holds no folder edges of *.parquet: add it
    """
    if not (folder / "edges").is_dir():
        raise GraphKDError(f"{folder} holds no folder edges of *.parquet: add it")
    if not (is_real(memory_budget) and LEAST <= memory_budget < math.inf):
        raise GraphKDError(f"memory_budget is {memory_budget!r}: give gigabytes, at least {LEAST}")
    state = made_of(folder, directed)
    work = output.with_name(f".{output.name}.work")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with _alone(output.with_name(f".{output.name}.lock")):
            with contextlib.suppress(GraphKDError):
                graph = MappedGraph.open(output, state)
                shutil.rmtree(work, ignore_errors=True)
                return graph
            _prepare(work, {**state, "memory_budget": memory_budget})
            Ingest(folder, work, 1e9 * memory_budget).finish(output, directed, state)
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise GraphKDError(
            f"{output.parent} cannot be written ({error}): free some disk, or choose another folder"
        ) from None
    return MappedGraph.open(output, state)


def made_of(folder: Path, directed: bool) -> dict[str, Any]:
    """Returns what a result depends on: sizes and times of the files, and the settings."""
    files = [*node_table(folder).files, *part_files(folder / "edges")]
    stats = [[str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    return {"version": VERSION, "directed": directed, "byte_order": byte_order(), "files": stats}


def _prepare(work: Path, state: dict[str, Any]) -> None:
    """Keeps the files of an earlier call on the same tables, and removes those of any other."""
    card = work / "made_of.json"
    with contextlib.suppress(GraphKDError):
        if read_json(card, "an ingest") == state:
            shutil.rmtree(work / "spill", ignore_errors=True)
            return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    write_json(card, state)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Waits until no other process ingests into the same place."""
    while True:
        with contextlib.suppress(BlockingIOError):
            lock = Lock(path)
            break
        time.sleep(PAUSE)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.close()
