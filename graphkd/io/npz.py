"""Reader of graphs in ``.npz`` files and of feature files, shared by training and serving; it needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from graphkd.errors import GraphKDError
from graphkd.io.sparse import check_compressed, check_sparse

SPARSE = ("x_data", "x_indices", "x_indptr", "x_shape")
"""Names of the arrays of a scipy CSR matrix that replace ``x``."""


def read_features(folder: Path) -> Any:
    """Reads ``features.npz`` (of ``scipy.sparse.save_npz``) or ``features.npy``; ``None`` if neither exists."""
    paths = [folder / name for name in ("features.npz", "features.npy") if (folder / name).is_file()]
    if len(paths) > 1:
        raise GraphKDError(f"{folder} holds both features.npz and features.npy: keep one of them")
    if not paths:
        return None
    try:
        if paths[0].suffix == ".npz":
            import scipy.sparse

            matrix = scipy.sparse.load_npz(paths[0])
            check_sparse(matrix, str(paths[0]))
            return matrix
        return np.load(paths[0], allow_pickle=False)
    except GraphKDError:
        raise
    except Exception as error:  # numpy and scipy raise many types for damaged files
        text = " ".join(str(error).split())
        raise GraphKDError(f"{paths[0]} cannot be read as features ({text}): write it again") from None


def read_arrays(file: Path) -> dict[str, Any]:
    """Reads the arrays of an ``.npz`` file by name; pickled data is rejected."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # numpy raises many types for damaged and pickled files
        text = " ".join(str(error).split())
        raise GraphKDError(
            f"{file} cannot be read as plain arrays ({text}): write it again with np.savez"
        ) from None


def edges_of(arrays: dict[str, Any], file: Path) -> Any:
    """Returns ``edge_index [2, E]``.

    Raises:
        GraphKDError: it is missing or has another shape.
    """
    edges = needed(arrays, "edge_index", file)
    if edges.ndim != 2 or edges.shape[0] != 2:
        raise GraphKDError(f"{file} array edge_index must be [2, E], but has shape {list(edges.shape)}")
    return edges


def needed(arrays: dict[str, Any], name: str, file: Path) -> Any:
    """Returns a required array.

    Raises:
        GraphKDError: it is missing.
    """
    if name not in arrays:
        raise GraphKDError(f"{file} holds no array {name}: it has {', '.join(arrays) or 'nothing'}")
    return arrays[name]


def features_of(arrays: dict[str, Any], file: Path) -> Any:
    """Returns ``x [N, D]``, an array or scipy sparse; for ``graph.npz``, possibly from a features file beside it.

    Raises:
        GraphKDError: features are missing, given twice, or damaged.
    """
    beside = read_features(file.parent) if file.name == "graph.npz" else None
    inside = "x" in arrays or any(name in arrays for name in SPARSE)
    if beside is not None and inside:
        raise GraphKDError(f"{file} holds features, and so does a features file beside it: keep one of them")
    if beside is not None:
        return beside
    if "x_data" not in arrays:
        return needed(arrays, "x", file)
    if "x" in arrays:
        raise GraphKDError(f"{file} holds both x and x_data: keep one of them")
    import scipy.sparse

    data, indices, indptr, shape = (needed(arrays, name, file) for name in SPARSE)
    try:
        rows, columns = shape.tolist()
        if fault := check_compressed(indptr, indices, rows, columns, len(data)):
            raise ValueError(fault)
        matrix = scipy.sparse.csr_array((data, indices, indptr), shape=(rows, columns))
    except (ValueError, TypeError, AttributeError) as error:
        raise GraphKDError(
            f"{file} arrays x_data to x_shape are no CSR matrix ({error}): write them again"
        ) from None
    return matrix
