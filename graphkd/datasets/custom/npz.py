"""Reader of custom graphs in one ``.npz`` file."""

from __future__ import annotations

from pathlib import Path

from graphkd.datasets.custom.build import Parts
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.io.npz import SPARSE, edges_of, features_of, needed, read_arrays
from graphkd.tasks.choice import LINK

KNOWN = ("x", *SPARSE, "edge_index", "y", "edge_weight", "ids", *MASKS)


def read_graph(file: Path, task: str | None = None) -> Parts:
    """Reads the parts of a graph in ``graph.npz``; see ``custom``.

    Args:
        file: the archive.
        task: of the labels, or ``None``.

    Raises:
        GraphKDError: the file is no archive of plain arrays, or an array is missing or unknown.
    """
    arrays = read_arrays(file)
    for name in arrays:
        if name not in KNOWN:
            raise GraphKDError(
                f"{file} holds '{name}', which is not read: rename it, there are {', '.join(KNOWN)}"
            )
    edges = edges_of(arrays, file)
    masks = [name for name in MASKS if name in arrays]
    if len(masks) not in (0, 3):
        raise GraphKDError(f"{file} holds {' and '.join(masks)} only: give all of {', '.join(MASKS)}, or none")
    return Parts(
        features_of(arrays, file),
        edges[0],
        edges[1],
        ids=arrays.get("ids"),
        labels=arrays.get("y") if task == LINK else needed(arrays, "y", file),
        split=[arrays[name] for name in masks] or None,
        weight=arrays.get("edge_weight"),
        named=False,
        task=task,
        names={
            "features": f"{file} array x",
            "labels": f"{file} array y",
            "ids": f"{file} array ids",
            "source": f"{file} array edge_index",
            "target": f"{file} array edge_index",
            "weight": f"{file} array edge_weight",
            "split": str(file),
        },
    )
