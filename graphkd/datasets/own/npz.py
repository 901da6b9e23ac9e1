"""A graph in one ``.npz`` file, and features beside a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from graphkd.datasets.own.build import Parts
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.ids import plain_ids

SPARSE = ("x_data", "x_indices", "x_indptr", "x_shape")
KNOWN = ("x", *SPARSE, "edge_index", "y", "edge_weight", "ids", *MASKS)


def read_graph(file: Path) -> Parts:
    """The parts of a graph in ``graph.npz``; see ``custom``.

    Raises:
        GraphKDError: no archive of plain arrays, an array that is missing or one that nobody reads.
    """
    arrays = read_arrays(file)
    for name in arrays:
        if name not in KNOWN:
            raise GraphKDError(
                f"{file} holds '{name}', which is not read: rename it, there are {', '.join(KNOWN)}"
            )
    edges = _needed(arrays, "edge_index", file)
    if edges.ndim != 2 or edges.shape[0] != 2:
        raise GraphKDError(f"{file} array edge_index must be [2, E], but has shape {list(edges.shape)}")
    masks = [name for name in MASKS if name in arrays]
    if len(masks) not in (0, 3):
        raise GraphKDError(f"{file} holds {' and '.join(masks)} only: give all of {', '.join(MASKS)}, or none")
    return Parts(
        _features(arrays, file),
        edges[0],
        edges[1],
        ids=plain_ids(arrays["ids"], f"{file} array ids") if "ids" in arrays else None,
        labels=_needed(arrays, "y", file),
        split=[arrays[name] for name in masks] or None,
        weight=arrays.get("edge_weight"),
        named=False,
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


def read_features(folder: Path) -> Any:
    """What ``features.npz`` (of ``scipy.sparse.save_npz``) or ``features.npy`` holds; nothing without either."""
    found = [folder / name for name in ("features.npz", "features.npy") if (folder / name).is_file()]
    if len(found) > 1:
        raise GraphKDError(f"{folder} holds both features.npz and features.npy: keep one of them")
    if not found:
        return None
    try:
        if found[0].suffix == ".npz":
            return scipy.sparse.load_npz(found[0])
        return np.load(found[0], allow_pickle=False)
    except Exception as error:  # numpy and scipy answer damaged files in many ways
        text = " ".join(str(error).split())
        raise GraphKDError(f"{found[0]} cannot be read as features ({text}): write it again") from None


def read_arrays(file: Path) -> dict[str, Any]:
    """Name → array; nothing pickled is read."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # numpy answers damaged and pickled files in many ways
        text = " ".join(str(error).split())
        raise GraphKDError(
            f"{file} cannot be read as plain arrays ({text}): write it again with np.savez"
        ) from None


def _needed(arrays: dict[str, Any], name: str, file: Path) -> Any:
    if name not in arrays:
        raise GraphKDError(f"{file} holds no array {name}: it has {', '.join(arrays) or 'nothing'}")
    return arrays[name]


def _features(arrays: dict[str, Any], file: Path) -> Any:
    beside = read_features(file.parent)
    inside = "x" in arrays or any(name in arrays for name in SPARSE)
    if beside is not None and inside:
        raise GraphKDError(f"{file} holds features, and so does a features file beside it: keep one of them")
    if beside is not None:
        return beside
    if "x_data" not in arrays:
        return _needed(arrays, "x", file)
    if "x" in arrays:
        raise GraphKDError(f"{file} holds both x and x_data: keep one of them")
    data, indices, indptr, shape = (_needed(arrays, name, file) for name in SPARSE)
    try:
        matrix = scipy.sparse.csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
        matrix.check_format(full_check=True)
    except (ValueError, TypeError, AttributeError) as error:
        raise GraphKDError(
            f"{file} arrays x_data to x_shape are no CSR matrix ({error}): write them again"
        ) from None
    return matrix
