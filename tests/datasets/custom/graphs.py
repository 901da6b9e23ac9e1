"""One small graph, in every form a user may have it in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pandas as pd
import scipy.sparse

IDS = ["ann", "bob", "cy", "dee", "eve", "fay", "gus", "007"]
SIDES = ["red", "blue", "red", "blue", "red", "blue", "red", "blue"]
SPLIT = ["train", "train", "val", "val", "test", "test", "test", ""]
X = np.arange(16, dtype=np.float32).reshape(8, 2)
EDGES = [("ann", "bob", 1.0), ("bob", "cy", 2.0), ("cy", "dee", 0.5), ("eve", "eve", 3.0), ("gus", "ann", 1.5)]
"""``fay`` and ``007`` are isolated, ``eve`` has a self-loop."""

ROWS = np.array([[IDS.index(edge[0]), IDS.index(edge[1])] for edge in EDGES]).T


def nodes(**columns: Any) -> pd.DataFrame:
    """The nodes as a frame; a column that is ``None`` is left out."""
    table = {"id": IDS, "label": SIDES, "split": SPLIT, "a": X[:, 0], "b": X[:, 1], **columns}
    return pd.DataFrame({name: column for name, column in table.items() if column is not None})


def edges(extra: list[tuple[Any, Any, float]] | None = None, **columns: Any) -> pd.DataFrame:
    """The edges as a frame."""
    frame = pd.DataFrame(EDGES + (extra or []), columns=["source", "target", "weight"])
    return frame.assign(**columns)


def network(directed: bool = False) -> networkx.Graph:
    """As a networkx graph."""
    graph = networkx.DiGraph() if directed else networkx.Graph()
    for name, side, part, row in zip(IDS, SIDES, SPLIT, X, strict=True):
        graph.add_node(name, side=side, part=part, a=float(row[0]), both=row)
    graph.add_weighted_edges_from(EDGES)
    return graph


def matrix() -> scipy.sparse.coo_array:
    """As a scipy matrix, row = sender."""
    return scipy.sparse.coo_array((np.array([edge[2] for edge in EDGES]), (ROWS[0], ROWS[1])), (8, 8))


def arrays(**more: Any) -> dict[str, Any]:
    """As the arrays of ``graph.npz``; one that is ``None`` is left out."""
    masks = {f"{part}_mask": np.array([name == part for name in SPLIT]) for part in ("train", "val", "test")}
    weight = np.array([edge[2] for edge in EDGES])
    table = {
        "x": X,
        "edge_index": ROWS,
        "y": np.array(SIDES),
        "edge_weight": weight,
        "ids": np.array(IDS),
        **masks,
    }
    return {name: array for name, array in {**table, **masks, **more}.items() if array is not None}


def write_folder(folder: Path, users: pd.DataFrame | None = None, ties: pd.DataFrame | None = None) -> Path:
    """The graph as two csv files."""
    folder.mkdir(exist_ok=True)
    (nodes() if users is None else users).to_csv(folder / "nodes.csv", index=False)
    (edges() if ties is None else ties).to_csv(folder / "edges.csv", index=False)
    return folder


def blocks(per_class: int = 20) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three groups that training can tell apart, with ids and labels that are texts."""
    generator = np.random.default_rng(0)
    names = np.repeat(["oak", "elm", "fir"], per_class)
    count = names.size
    centres = {"oak": 2.0, "elm": -2.0, "fir": 0.0}
    table = pd.DataFrame(
        {
            "id": [f"tree-{index:03}" for index in range(count)],
            "label": names,
            "height": [centres[name] for name in names] + generator.normal(size=count),
            "girth": [centres[name] ** 2 for name in names] + generator.normal(size=count),
        }
    )
    ends = generator.integers(0, count, (2, 8 * count))
    ends = ends[:, names[ends[0]] == names[ends[1]]]
    return table, pd.DataFrame(
        {"source": table["id"].to_numpy()[ends[0]], "target": table["id"].to_numpy()[ends[1]]}
    )
