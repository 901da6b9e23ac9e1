"""Data frames of nodes and edges → data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphkd.datasets.custom.build import Parts, build, warn_unread
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.io.frame import frame_numbers
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
    label: str | None = None,
    features: Any = None,
    split: str | Sequence[str] | None = None,
    weight: str | None = None,
    directed: bool = False,
    seed: int = 0,
) -> Data:
    """A graph given as two pandas frames: a row per node, a row per edge.

    Args:
        nodes: ``N`` rows.
        edges: ``E`` rows; an edge from ``source`` to ``target``. Further columns are not read.
        id: column of ``nodes`` that names them; by default the index. Kept in ``node_ids``.
        source: column of ``edges``: id of the sender.
        target: column of ``edges``: id of the receiver.
        label: column of ``nodes``: whole numbers, texts or booleans; missing, the empty text and the number −1
            are unknown. Nothing for a graph to predict on.
        features: columns of ``nodes`` that hold numbers, by default all that are nothing else; or ``[N, D]``
            in the order of the rows, array or scipy sparse; a frame with an index of its own is taken by the
            nodes' names.
        split: column of ``nodes`` with ``train``, ``val`` or ``test`` (or nothing), or three columns of
            booleans. By default 60/20/20 % of the labelled nodes, drawn per class by ``seed``.
        weight: column of ``edges``: numbers, not below 0; copies of an edge add up. By default none are used.
        directed: keep the edges' directions. By default both directions of each are there, so that an
            undirected edge may be listed once or twice; the larger weight counts where the two differ.
        seed: of the split, where it is drawn.

    Returns:
        ``Data`` for ``graphkd.distill``: ``x [N, D]``, ``edge_index [2, E']``, ``y [N]`` (−1 unknown), three
        masks, ``node_ids``; ``class_names``, ``edge_weight`` and ``feature_names`` (of columns) where there are
        such.

    Raises:
        GraphKDError: a column that is not there, holds no numbers or names no node.
    """
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
    )
    return build(parts, directed, seed)


def frame_parts(
    nodes: Any,
    edges: Any,
    *,
    id: str | None,  # noqa: A002 (as above)
    source: str,
    target: str,
    label: str | None,
    features: Any,
    split: str | Sequence[str] | None,
    weight: str | None,
    files: tuple[str, str] = ("nodes", "edges"),
) -> Parts:
    """The columns that are named; see ``from_frames``.

    Args:
        nodes: frame.
        edges: frame.
        id: column, or nothing for the index.
        source: column.
        target: column.
        label: column, or nothing.
        features: columns, an array, or nothing for all numeric columns.
        split: one column or three, or nothing.
        weight: column, or nothing.
        files: what error messages call the two frames.
    """
    splits = [] if split is None else [split] if isinstance(split, str) else list(split)
    if len(splits) not in (0, 1, 3):
        raise GraphKDError(f"split names {len(splits)} columns: give one, or three of booleans")
    mine = [name for name in (id, label, *splits) if name is not None]
    columns = {name: _values(nodes, name, files[0]) for name in mine}
    masks = [columns[name] for name in splits]
    ids = nodes.index if id is None else columns[id]
    table, names = _features(nodes, ids, features, mine, files[0])
    return Parts(
        table,
        _values(edges, source, files[1]),
        _values(edges, target, files[1]),
        ids=ids,
        labels=None if label is None else columns[label],
        split=None if not masks else masks[0] if len(masks) == 1 else masks,
        weight=None if weight is None else _values(edges, weight, files[1]),
        columns=names,
        names={
            "ids": f"the index of {files[0]}" if id is None else f"{files[0]} column '{id}'",
            "labels": f"{files[0]} column '{label}'",
            "split": f"{files[0]} column {' and '.join(map(repr, splits))}",
            "source": f"{files[1]} column '{source}'",
            "target": f"{files[1]} column '{target}'",
            "weight": f"{files[1]} column '{weight}'",
            "features": f"features of {files[0]}",
        },
    )


def _column(frame: Any, name: str, file: str) -> Any:
    count = int((frame.columns == name).sum())
    if count == 0:
        there = ", ".join(map(str, frame.columns[:8])) + (", …" if len(frame.columns) > 8 else "")
        raise GraphKDError(f"{file} has no column '{name}': there are {there or 'none'}")
    if count > 1:
        raise GraphKDError(f"{file} has {count} columns '{name}': rename all but one")
    return frame[name]


def _values(frame: Any, name: str, file: str) -> Any:
    """A column's values as they are: whole numbers with gaps stay whole numbers."""
    column = _column(frame, name, file)
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.to_numpy(dtype=object)


def _features(nodes: Any, ids: Any, features: Any, used: list[str], file: str) -> tuple[Any, list[str] | None]:
    """A table ``[N, D]``, and the names of its columns where they come from the frame."""
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
    table = frame_numbers(nodes[list(features)], where=file)
    if isinstance(table, np.ndarray):
        _check_finite(table, features, file)
    return table, [str(name) for name in features]


def _in_order(features: Any, ids: Any, file: str) -> Any:
    """Features of a frame by the nodes' names, where its index holds names; all else as it is.

    Raises:
        GraphKDError: the index names other nodes, or some twice.
    """
    if not hasattr(features, "iloc") or not hasattr(features, "columns"):
        return features
    names, wanted = plain_ids(features.index, "the index of features"), plain_ids(ids, file)
    if names == wanted or names == list(range(len(names))):
        return features
    place = {name: row for row, name in enumerate(names)}
    if len(place) < len(names) or set(place) != set(wanted):
        raise GraphKDError(
            f"the index of features does not name the nodes of {file}, each once: set it, or drop it with "
            "reset_index(drop=True) where the rows are in their order"
        )
    return features.iloc[[place[name] for name in wanted]]


def _check_finite(table: Any, names: Sequence[str], file: str) -> None:
    wrong = ~np.isfinite(table)
    if wrong.any():
        row, place = (int(at) for at in np.argwhere(wrong)[0])
        held = "nothing" if np.isnan(table[row, place]) else f"{table[row, place]}"
        raise GraphKDError(
            f"{file} column '{names[place]}' holds {held} in row {row}: features are finite numbers; fill it, "
            "encode it, or leave it out"
        )
