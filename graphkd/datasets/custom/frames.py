"""Conversion of pandas data frames of nodes and edges to data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphkd.columns import ColumnEncoding
from graphkd.columns.arguments import check_choices
from graphkd.datasets.custom.build import Parts, build, warn_unread
from graphkd.datasets.custom.features import check_finite
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.io.frame import frame_numbers, names_of
from graphkd.io.ids import plain_ids

if TYPE_CHECKING:
    from torch_geometric.data import Data


def from_frames(
    nodes: Any,
    edges: Any,
    *,
    id: str | None = None,  # noqa: A002 (what everybody calls the column)
    source: str = "source",
    target: str = "target",
    label: str | Sequence[str] | None = None,
    features: Any = None,
    split: str | Sequence[str] | None = None,
    weight: str | None = None,
    directed: bool = False,
    seed: int = 0,
    columns: str | Mapping[str, str] | ColumnEncoding = "auto",
    numeric: str = "standard",
    task: str | None = None,
) -> Data:
    """Converts two pandas frames, one with a row per node and one with a row per edge, to data.

    Args:
        nodes: ``N`` rows.
        edges: ``E`` rows; an edge from ``source`` to ``target``. Other columns are not read.
        id: column of ``nodes`` with their ids; by default the index. Returned as ``node_ids``.
        source: column of ``edges``: id of the sender.
        target: column of ``edges``: id of the receiver.
        label: column of ``nodes``: integers, strings or booleans; missing values, the empty string and the number
            −1 are unknown. Or lists of names per node; with ``task="multilabel"`` also texts such as ``red;round``
            (``-`` for a node without any, empty for an unknown one); or numbers to predict, most of which have a
            fraction or ``task="regression"``. Or a list of columns, one for each label with 0 and 1, or for each
            number; their names are returned as ``class_names``. ``None`` for a graph to predict on.
        features: columns of ``nodes``, by default all that have no other role; or ``[N, D]`` in row order, array
            or scipy sparse, which stay as they are; a frame whose index contains the node ids is aligned by them.
        split: column of ``nodes`` with ``train``, ``val`` or ``test`` (or empty), or three boolean columns.
            By default 60/20/20 % of the labelled nodes, drawn per class by ``seed``.
        weight: column of ``edges``: non-negative numbers; duplicates of an edge are summed. By default none.
        directed: whether edges stay directed. By default both directions of each edge are included, so that an
            undirected edge may be listed once or twice; the larger weight counts if the two differ.
        seed: of the split, if it is drawn.
        columns: ``auto`` scales numbers, imputes missing ones and encodes categories, booleans and dates, fitted
            to the training nodes, unless all is 0 or 1 or a bag of words (``graphkd.columns.ColumnEncoding``);
            ``none`` requires finite numbers and leaves them as they are; a mapping such as
            ``{"zip": "category", "note": "drop"}`` names kinds that ``auto`` would choose otherwise; the
            ``column_encoding`` of other data is applied unchanged.
        numeric: ``standard``, ``robust`` (median and quartiles) or ``none``: how numbers are scaled.
        task: ``multiclass``, ``binary``, ``multilabel`` or ``regression``, returned as ``task``; by default what
            the labels can only be of.

    Returns:
        ``Data`` for ``graphkd.distill``: ``x [N, D]``, ``edge_index [2, E']``, ``y [N]`` (−1 unknown; of
        other tasks ``[N]`` or ``[N, L]`` with NaN), three masks, ``node_ids``; ``task``, ``class_names``,
        ``edge_weight``, ``feature_names`` (of columns) and ``column_encoding`` (unless the columns stay as they
        are) if they exist.

    Raises:
        GraphKDError: a column is missing, cannot be encoded, or contains an unknown node.

    >>> import pandas as pd
    >>> members = pd.DataFrame({"id": list("abcdef"), "age": [20, 30, 40, 50, 60, 70], "side": [0, 0, 0, 1, 1, 1]})
    >>> knows = pd.DataFrame({"source": list("abde"), "target": list("bcef")})
    >>> data = from_frames(members, knows, id="id", label="side")
    >>> data.x.shape, data.edge_index.shape  # each edge in both directions
    (torch.Size([6, 1]), torch.Size([2, 8]))
    >>> members["sings"] = [1, 0, 0, 1, 1, 0]
    >>> several = from_frames(members, knows, id="id", label=["side", "sings"])
    >>> several.y.shape, several.class_names
    (torch.Size([6, 2]), ['side', 'sings'])
    """
    if not isinstance(columns, ColumnEncoding):
        check_choices(columns, numeric)
    for name, frame in (("nodes", nodes), ("edges", edges)):
        if not hasattr(frame, "iloc") or not hasattr(frame, "columns"):
            raise GraphKDError(f"{name} is a {type(frame).__name__}: give a pandas DataFrame")
    if weight is None and "weight" in edges.columns:
        warn_unread("edges has a column 'weight'", "weight='weight'")
    parts = frame_parts(
        nodes,
        edges,
        id=id,
        source=source,
        target=target,
        label=label,
        features=features,
        split=split,
        weight=weight,
        encode=columns != "none",
        task=task,
    )
    return build(parts, directed, seed, columns, numeric)


def frame_parts(
    nodes: Any,
    edges: Any,
    *,
    id: str | None,  # noqa: A002 (as above)
    source: str,
    target: str,
    label: str | Sequence[str] | None,
    features: Any,
    split: str | Sequence[str] | None,
    weight: str | None,
    encode: bool = False,
    files: tuple[str, str] = ("nodes", "edges"),
    task: str | None = None,
) -> Parts:
    """Selects the named columns as parts of a graph; see ``from_frames``.

    Args:
        nodes: frame.
        edges: frame.
        id: column, or ``None`` for the index.
        source: column.
        target: column.
        label: column, a list of columns, or ``None``.
        features: columns, an array, or ``None`` for all numeric columns.
        split: one column or three, or ``None``.
        weight: column, or ``None``.
        encode: whether columns are returned raw, for an encoding once the training nodes are known.
        files: names of the two frames in error messages.
        task: of the labels, or ``None``.
    """
    splits = [] if split is None else [split] if isinstance(split, str) else list(split)
    if len(splits) not in (0, 1, 3):
        raise GraphKDError(f"split names {len(splits)} columns: give one, or three of booleans")
    several = list(label) if isinstance(label, list | tuple) else None
    if several is not None:
        _check_several(several, files[0])
    used = [name for name in (id, *(several or [label]), *splits) if name is not None]
    columns = {name: _values(nodes, name, files[0]) for name in used}
    masks = [columns[name] for name in splits]
    ids = nodes.index if id is None else columns[id]
    table, names = _features(nodes, ids, features, used, files[0], encode)
    return Parts(
        table,
        _values(edges, source, files[1]),
        _values(edges, target, files[1]),
        ids=ids,
        labels=columns.get(label) if several is None else nodes[several],
        split=None if not masks else masks[0] if len(masks) == 1 else masks,
        weight=None if weight is None else _values(edges, weight, files[1]),
        columns=names,
        encode=encode and (names is not None or (hasattr(table, "iloc") and names_of(table) is not None)),
        task=task,
        names={
            "ids": f"the index of {files[0]}" if id is None else f"{files[0]} column '{id}'",
            "labels": _called(files[0], label if several is None else several),
            "split": f"{files[0]} column {' and '.join(map(repr, splits))}",
            "source": f"{files[1]} column '{source}'",
            "target": f"{files[1]} column '{target}'",
            "weight": f"{files[1]} column '{weight}'",
            "features": f"features of {files[0]}",
            "table": files[0] if names is not None else f"features of {files[0]}",
        },
    )


def _column(frame: Any, name: str, file: str) -> Any:
    count = int((frame.columns == name).sum())
    if count == 0:
        available = ", ".join(map(str, frame.columns[:8])) + (", …" if len(frame.columns) > 8 else "")
        raise GraphKDError(f"{file} has no column '{name}': there are {available or 'none'}")
    if count > 1:
        raise GraphKDError(f"{file} has {count} columns '{name}': rename all but one")
    return frame[name]


def _values(frame: Any, name: str, file: str) -> Any:
    """Returns a column's values unconverted: integers with missing values stay integers."""
    column = _column(frame, name, file)
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.to_numpy(dtype=object)


def _check_several(names: list[str], file: str) -> None:
    """Checks that the columns of several labels are named, each once."""
    if not names or len(set(names)) < len(names):
        raise GraphKDError(f"label is {names}: name the columns of {file} with labels, each once")


def _called(file: str, label: Any) -> str:
    """Returns the name of the labels in error messages."""
    if not isinstance(label, list):
        return f"{file} column '{label}'"
    shown = [f"'{name}'" for name in (label if len(label) <= 3 else [*label[:2], label[-1]])]
    return f"{file} columns {' and '.join(shown) if len(label) <= 3 else f'{shown[0]}, {shown[1]}, … {shown[2]}'}"


def _features(nodes: Any, ids: Any, features: Any, used: list[str], file: str, encode: bool) -> Any:
    """Returns a table ``[N, D]`` and, if they are columns of the frame, its column names, else ``None``."""
    if features is None:
        features = [name for name in nodes.columns if name not in used]
        if masks := [name for name in MASKS if name in features]:
            raise GraphKDError(f"{file} column '{masks[0]}' is no feature: name the three masks in split=")
        if not features:
            raise GraphKDError(f"{file} has no column left for features: add columns of numbers")
    elif not (isinstance(features, (list, tuple)) and all(isinstance(name, str) for name in features)):
        return _in_order(features, ids, file), None
    for name in features:
        _column(nodes, name, file)
    if encode:
        return nodes[list(features)], [str(name) for name in features]
    table = frame_numbers(nodes[list(features)], where=file)
    if isinstance(table, np.ndarray):
        check_finite(table, features, file)
    return table, [str(name) for name in features]


def _in_order(features: Any, ids: Any, file: str) -> Any:
    """Aligns a frame of features by node id, if its index contains ids; returns others unchanged.

    Raises:
        GraphKDError: the index contains other ids or duplicates.
    """
    if not hasattr(features, "iloc") or not hasattr(features, "columns"):
        return features
    names, expected = plain_ids(features.index, "the index of features"), plain_ids(ids, file)
    if names == expected or names == list(range(len(names))):
        return features
    position = {name: row for row, name in enumerate(names)}
    if len(position) < len(names) or set(position) != set(expected):
        raise GraphKDError(
            f"the index of features does not name the nodes of {file}, each once: set it, or drop it with "
            "reset_index(drop=True) where the rows are in their order"
        )
    return features.iloc[[position[name] for name in expected]]
