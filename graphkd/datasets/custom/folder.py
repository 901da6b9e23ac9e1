"""The data set ``custom``: a user's folder of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graphkd.datasets.custom.build import Parts, read_parts
from graphkd.datasets.custom.columns import AS_TEXT
from graphkd.datasets.custom.frames import frame_parts
from graphkd.datasets.custom.mapped import no_edges, put_mapped_edges
from graphkd.datasets.custom.npz import read_graph
from graphkd.datasets.custom.tables import LABEL_, label_columns, read_table
from graphkd.datasets.source import Location, Source
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.io.npz import read_features
from graphkd.tasks.choice import LINK

if TYPE_CHECKING:
    from torch_geometric.data import Data

NODES, EDGES = "nodes", "edges"
"""Names of tables: of a file without its ending, or of a folder of parts."""


def read_folder(location: Location) -> Data:
    """Reads the graph in a user's folder, in one of two formats.

    - Tables, csv, parquet (which needs pyarrow), or a folder of parquet parts in the order of their names; those
      of ``edges`` are never in memory as a whole, see ``graphkd.ingest.ingest_folder``. ``nodes``: column
      ``label``, or, without it, columns ``label_NAME`` with 0 and 1 for each of several labels, or with each of
      several numbers to predict; optionally ``id`` (by default ids are row indices, from 0); optionally ``split``
      with ``train``, ``val``, ``test`` or empty cells, or ``train_mask``, ``val_mask``, ``test_mask`` with true
      and false; every other column is a feature, raw in ``raw_columns`` unless ``location.columns`` is ``none``.
      Texts in ``label`` with ``;`` between several names need ``location.task`` ``multilabel``.
      ``edges``: columns ``source``, ``target`` and optionally ``weight``.
    - ``graph.npz``: arrays ``x [N, D]`` (or ``x_data``, ``x_indices``, ``x_indptr``, ``x_shape`` of a scipy CSR
      matrix), ``edge_index [2, E]`` of row indices, senders first, ``y [N]`` or ``y [N, L]``; optionally
      ``edge_weight [E]``, ``ids [N]``, ``train_mask``, ``val_mask``, ``test_mask`` ``[N]``. Pickled data is
      rejected.

    In both, features can instead be a separate file with rows in node order: ``features.npz`` written by
    ``scipy.sparse.save_npz``, or ``features.npy``. Labels are integers or strings; empty, NaN and −1 are
    unknown. If all are numbers and most have a fraction, or with ``location.task`` ``regression``, they are
    numbers to predict, see ``encode_labels``. With ``location.task`` ``link`` there may be none, and they are not
    read. Duplicates of a directed edge count once, with the sum of their weights; self-loops and isolated nodes
    are allowed.

    Args:
        location: contains the folder as ``path``.

    Returns:
        ``Data`` with merged directed edges, and with masks if the files contain them.

    Raises:
        GraphKDError: a file is missing, duplicated, damaged or invalid; the message names the file and the
            column or array.
    """
    folder = location.path
    if folder is None:
        raise GraphKDError(
            "dataset=custom needs dataset.path: the folder that holds nodes and edges, or graph.npz"
        )
    if not folder.is_dir():
        raise GraphKDError(f"dataset.path={folder} is no folder: give the one with nodes and edges, or graph.npz")
    tables = [file.name for file in sorted(folder.iterdir()) if _is_table(file)]
    archive = folder / "graph.npz"
    if archive.is_file() and tables:
        raise GraphKDError(f"{folder} holds both graph.npz and {tables[0]}: keep one of the two forms")
    if archive.is_file():
        parts = read_graph(archive, location.task)
    else:
        parts = _table_parts(folder, location.columns, location.task)
    data = read_parts(replace(parts, labels=None, split=None, task=None) if location.task == LINK else parts)
    return put_mapped_edges(data, folder, location) if (folder / EDGES).is_dir() else data


def _is_table(file: Path) -> bool:
    return file.is_dir() if file.name in (NODES, EDGES) else file.is_file() and file.stem in (NODES, EDGES)


def _table_parts(folder: Path, columns: str | Mapping[str, str], task: str | None = None) -> Parts:
    features = read_features(folder)
    encode = columns != "none" and features is None
    as_texts = isinstance(columns, Mapping) and any(kind in AS_TEXT for kind in columns.values())
    nodes, nodes_file = read_table(folder, NODES, raw=encode, as_texts=as_texts, task=task)
    edges, edges_file = no_edges(folder) if (folder / EDGES).is_dir() else read_table(folder, EDGES)
    masks = [name for name in MASKS if name in nodes]
    named = "id" in nodes
    labels: str | list[str] | None = label_columns(nodes.columns) or "label"
    if task == LINK and labels == "label" and "label" not in nodes:
        labels = None
    if len(masks) not in (0, 3) or (masks and "split" in nodes):
        raise GraphKDError(f"{nodes_file} must have split, or all of {', '.join(MASKS)}, or none of them")
    for name in edges.columns:
        if name not in ("source", "target", "weight"):
            raise GraphKDError(f"{edges_file} has a column '{name}', which is not read: name it weight or drop it")
    if features is not None:
        _check_no_features(nodes, nodes_file)
    parts = frame_parts(
        nodes,
        edges,
        id="id" if named else None,
        source="source",
        target="target",
        label=labels,
        features=features,
        split=masks or ("split" if "split" in nodes else None),
        weight="weight" if "weight" in edges else None,
        encode=encode,
        files=(nodes_file, edges_file),
        task=task,
    )
    if isinstance(labels, list):
        parts.labels.columns = [name.removeprefix(LABEL_) for name in labels]
    if features is not None:
        parts.names["features"] = f"the features file in {folder}"
    parts = replace(parts, is_csv=encode and nodes_file.endswith(".csv"))
    return parts if named else _by_row(parts)


def _check_no_features(nodes: Any, file: str) -> None:
    for name in nodes.columns:
        if name not in ("id", "label", "split", *MASKS, *label_columns(nodes.columns)):
            raise GraphKDError(f"{file} has a column '{name}' beside a features file: keep features in one place")


def _row_numbers(texts: Any) -> Any:
    """Converts strings such as ``17`` to integers; ``007`` is an id, whose zeros an integer would lose."""
    if any(str(int(text)) != text for text in texts.astype(str)):
        raise ValueError
    return texts.astype(str).astype(np.int64)


def _by_row(parts: Parts) -> Parts:
    """Converts ends of edges to row indices, for nodes without ids; from csv they are strings."""
    ends: dict[str, Any] = {}
    for part in ("source", "target"):
        values = getattr(parts, part)
        try:
            ends[part] = values if values.dtype.kind in "iu" else _row_numbers(values)
        except ValueError:
            raise GraphKDError(
                f"{parts.called(part)} must name nodes by row number, since there are no ids: add a column id"
            ) from None
    return replace(parts, ids=None, named=False, **ends)


custom = Source(
    name="custom",
    paper="your own: dataset.path=FOLDER with nodes and edges as csv or parquet, or graph.npz",
    splits=("masks", "fractions", "random", "cpf"),
    row_normalize=False,
    read=read_folder,
)
