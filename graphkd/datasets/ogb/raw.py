"""Reader of the raw files of an OGB data set by the ``ogb`` package, with checks of their contents."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.datasets.npz import read_arrays
from graphkd.datasets.ogb.consistency import check_ends, check_rows
from graphkd.datasets.ogb.facts import Facts
from graphkd.datasets.ogb.incident import read_incident
from graphkd.datasets.ogb.package import quiet
from graphkd.errors import GraphKDError
from graphkd.system import memory, readable

CHUNK = 1 << 20


def read_raw(folder: Path, facts: Facts) -> dict[str, Tensor]:
    """Reads features, edges as the files list them, and labels.

    Args:
        folder: contains ``raw``.
        facts: of the data set.

    Returns:
        ``x [N, D]`` float32, of incident edges where nodes have no features; ``edge_index [2, E]`` int64; and
        ``y [N]`` int64, −1 where the class is unknown, or ``y [N, L]`` float32 of 0 and 1, NaN where unknown.

    Raises:
        GraphKDError: a file is damaged, not readable, or does not match the others.
    """
    if facts.binary:
        _check_memory(folder / "raw" / "data.npz", facts)
    try:
        graph, labels = _graph(folder / "raw", facts), _labels(folder / "raw", facts)
        counts = _stated(folder / "raw", facts)
    except GraphKDError:
        raise
    except PermissionError as error:
        raise GraphKDError(f"{error.filename} may not be read: change its permissions, or copy it") from None
    except Exception as error:  # damaged files raise many types
        raise GraphKDError(_damage(folder, facts, error)) from None
    edges, x = graph["edge_index"], graph["node_feat"]
    if labels.ndim != (1 if facts.num_tasks == 1 else 2) or x.ndim != 2:
        raise GraphKDError(
            f"{folder / 'raw'}: features {list(x.shape)}, labels {list(labels.shape)}: fetch it again"
        )
    rows = {"edge": edges.shape[1], "node-feat": x.shape[0], "node-label": labels.shape[0]}
    for (what, count), stated in zip(rows.items(), (counts[1], counts[0], counts[0]), strict=True):
        check_rows(folder / "raw", what, count, stated)
    check_ends(folder / "raw", edges, counts[0])
    return {
        "x": torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)),
        "edge_index": torch.from_numpy(np.ascontiguousarray(edges)),
        "y": torch.from_numpy((_classes if facts.num_tasks == 1 else _entries)(labels, facts, folder)),
    }


def read_ids(file: Path) -> NDArray[Any]:
    """Reads the only column of a ``csv.gz`` file without a header.

    Raises:
        GraphKDError: the file is damaged, or has several columns.
    """
    return _table(file, 1)[:, 0]


def _table(file: Path, columns: int) -> NDArray[Any]:
    """Reads a ``csv.gz`` file without a header, ``[rows, columns]``."""
    import pandas as pd

    try:
        table = pd.read_csv(file, compression="gzip", header=None).to_numpy()
    except Exception as error:  # damaged files raise many types
        raise GraphKDError(f"{file} cannot be read ({error!r}): fetch it again") from None
    if table.shape[1] != columns:
        raise GraphKDError(
            f"{file} has {table.shape[1]} columns, not {'one' if columns == 1 else columns}: it is of another "
            "data set, fetch it again"
        )
    return np.asarray(table)


def _graph(raw: Path, facts: Facts) -> dict[str, Any]:
    if facts.edge_features:
        return read_incident(raw, facts.edge_features, *_stated(raw, facts))
    from graphkd.datasets.ogb.readers import read_binary_graph_raw, read_csv_graph_raw

    with quiet():
        graphs = (read_binary_graph_raw if facts.binary else read_csv_graph_raw)(str(raw))
    if len(graphs) != 1 or graphs[0]["node_feat"] is None:
        raise GraphKDError(f"{raw} does not hold one graph with features: fetch {facts.name} again")
    return dict(graphs[0])


def _labels(raw: Path, facts: Facts) -> NDArray[Any]:
    if facts.num_tasks > 1:
        return _table(raw / "node-label.csv.gz", facts.num_tasks)
    if not facts.binary:
        return read_ids(raw / "node-label.csv.gz")
    labels = read_arrays(raw / "node-label.npz", ["node_label"])["node_label"]
    return labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _stated(raw: Path, facts: Facts) -> tuple[int, int]:
    """Reads the numbers of nodes and edges that the files state."""
    if facts.binary:
        stated = read_arrays(raw / "data.npz", ["num_nodes_list", "num_edges_list"])
        return int(stated["num_nodes_list"][0]), int(stated["num_edges_list"][0])
    nodes, edges = (int(read_ids(raw / f"num-{what}-list.csv.gz")[0]) for what in ("node", "edge"))
    return nodes, edges


def _classes(labels: NDArray[Any], facts: Facts, folder: Path) -> NDArray[np.int64]:
    labelled = ~np.isnan(labels) if labels.dtype.kind == "f" else np.ones(labels.shape, dtype=bool)
    if labels.dtype.kind not in "iuf" or (labels[labelled] != labels[labelled].astype(np.int64)).any():
        raise GraphKDError(f"{folder / 'raw'}: labels are not whole numbers: fetch {facts.name} again")
    y = np.where(labelled, labels, -1).astype(np.int64)
    wrong = y[labelled & ((y < 0) | (y >= facts.num_classes))]
    if wrong.size:
        raise GraphKDError(
            f"{folder / 'raw'}: a label is {wrong[0]}, but {facts.name} has classes 0 to {facts.num_classes - 1}: "
            "fetch it again"
        )
    return y


def _entries(labels: NDArray[Any], facts: Facts, folder: Path) -> NDArray[np.float32]:
    """Checks a table of labels: each entry is 0, 1, or NaN where it is unknown."""
    if labels.dtype.kind not in "iuf":
        raise GraphKDError(f"{folder / 'raw'}: labels are not numbers: fetch {facts.name} again")
    wrong = labels[~((labels == 0) | (labels == 1) | np.isnan(labels))]
    if wrong.size:
        raise GraphKDError(
            f"{folder / 'raw'}: a label is {wrong[0]:g}, but those of {facts.name} are 0 or 1: fetch it again"
        )
    return labels.astype(np.float32, order="C")


def _damage(folder: Path, facts: Facts, error: Exception) -> str:
    """Returns the error message for files that cannot be read, with the damaged one if it can be determined."""
    broken = [file for file in facts.graph_files if not _whole(folder / file)]
    path, state = (folder / broken[0], "is damaged or cut off") if broken else (folder / "raw", "cannot be read")
    detail = " ".join(str(error).split()) or type(error).__name__
    return f"{path} {state} ({detail}): fetch it again"


def _whole(file: Path) -> bool:
    try:
        if file.suffix == ".npz":
            with zipfile.ZipFile(file) as archive:
                return archive.testzip() is None
        with gzip.open(file) as stream:
            while stream.read(CHUNK):
                pass
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return False
    return True


def _check_memory(file: Path, facts: Facts) -> None:
    """Raises if the archive, which OGB's reader unpacks into memory, does not fit."""
    try:
        with zipfile.ZipFile(file) as archive:
            need = sum(part.file_size for part in archive.infolist())
    except PermissionError:
        raise GraphKDError(f"{file} may not be read: change its permissions, or copy it") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise GraphKDError(f"{file} is damaged or cut off ({error}): fetch it again") from None
    ram = memory()
    if ram is not None and need > ram.free + ram.swap:
        raise GraphKDError(
            f"{facts.name} takes at least {readable(need)} of memory, {readable(ram.free + ram.swap)} are "
            "free: read it on a larger machine, or choose synthetic-papers100M with a smaller dataset.scale"
        )
