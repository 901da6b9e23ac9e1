"""Drawn tables of nodes and edges, as single files and as parts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

ROWS = 7
"""Rows per row group."""


def ids_of(kind: str, count: int) -> list[Any]:
    """Ids in no order: texts, some of which look like numbers, whole numbers, or none at all."""
    numbers = [(7 * row + 3) % count if count % 7 else (5 * row + 2) % count for row in range(count)]
    return {"string": [f"{'ü' * (n % 3)}{n:03}" for n in numbers], "integer": [n * n - 40 for n in numbers]}[kind]


def frames(kind: str, num_nodes: int, ends: Any, weight: Any = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of nodes and one of edges.

    Args:
        kind: of ids: ``string``, ``integer`` or ``none``.
        num_nodes: ``N``.
        ends: ``[2, E]`` rows of nodes.
        weight: ``[E]`` or ``None``.
    """
    nodes = pd.DataFrame({"label": np.arange(num_nodes) % 2, "size": np.arange(num_nodes) / 3})
    sides = np.asarray(ends, dtype=np.int64).reshape(2, -1)
    if kind != "none":
        nodes.insert(0, "id", ids_of(kind, num_nodes))
        sides = nodes["id"].to_numpy()[sides]
    edges = pd.DataFrame({"source": sides[0], "target": sides[1]})
    if kind == "string":
        edges = edges.astype(str)
    return nodes, edges if weight is None else edges.assign(weight=np.asarray(weight, dtype=np.float64))


@st.composite
def tables(draw: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables with duplicates, self-loops and isolated nodes, since few of the nodes have edges."""
    num_nodes = draw(st.integers(8, 30))
    row = st.integers(0, draw(st.sampled_from((2, 5, num_nodes - 2))))
    pairs = draw(st.lists(st.tuples(row, row), max_size=60))
    weight = draw(st.none() | st.lists(st.floats(0, 1e6), min_size=len(pairs), max_size=len(pairs)))
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return frames(draw(st.sampled_from(("string", "integer", "none"))), num_nodes, ends, weight)


def write_whole(folder: Path, nodes: pd.DataFrame, edges: pd.DataFrame) -> Path:
    """Writes ``nodes.parquet`` and ``edges.parquet``."""
    folder.mkdir(parents=True)
    nodes.to_parquet(folder / "nodes.parquet", index=False)
    edges.to_parquet(folder / "edges.parquet", index=False)
    return folder


def write_parts(folder: Path, nodes: pd.DataFrame, edges: pd.DataFrame, cuts: tuple[int, ...] = (10, 11)) -> Path:
    """Writes ``nodes/`` and ``edges/``, cut before these rows."""
    for name, table in (("nodes", nodes), ("edges", edges)):
        (folder / name).mkdir(parents=True)
        bounds = [0, *(min(cut, len(table)) for cut in cuts), len(table)]
        for number, (start, stop) in enumerate(pairwise(bounds)):
            part = table.iloc[start:stop]
            part.to_parquet(folder / name / f"part-{number}.parquet", index=False, row_group_size=ROWS)
    return folder
