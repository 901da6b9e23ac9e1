"""Conversion of networkx graphs to data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graphkd.checks import check_unmasked, plain
from graphkd.columns import ColumnEncoding
from graphkd.columns.arguments import check_choices
from graphkd.datasets.custom.build import Parts, build, check_directed, warn_unread
from graphkd.errors import GraphKDError
from graphkd.io.frame import check_once

if TYPE_CHECKING:
    from torch_geometric.data import Data


def from_networkx(
    graph: Any,
    features: Any = None,
    labels: Any = None,
    *,
    split: Any = None,
    weight: str | None = None,
    directed: bool | None = None,
    seed: int = 0,
    columns: str | Mapping[str, str] | ColumnEncoding = "auto",
    numeric: str = "standard",
    task: str | None = None,
) -> Data:
    """Converts a networkx ``Graph``, ``DiGraph`` or multigraph to data; parallel edges count once.

    A value per node is the name of a node attribute, or a mapping or pandas object indexed by node, or an
    array in the order of ``graph.nodes``. That order is preserved, and ``node_ids`` holds the nodes' names.

    Args:
        graph: with at least one node; isolated nodes and self-loops are allowed.
        features: the name of an attribute, a list of names, or ``[N, D]``. Attributes with one value per node are
            the columns of a table, encoded as ``from_frames`` does; vectors of numbers stay as they are.
        labels: ``[N]`` integers, strings or booleans; ``None``, NaN, the empty string and the number −1 are
            unknown, as is a node without the attribute. Or several labels per node, or numbers to predict, see
            ``graphkd.datasets.custom.labels.encode_labels``. ``None`` for a graph to predict on.
        split: ``[N]`` strings ``train``, ``val``, ``test`` (or empty), or three boolean arrays ``[N]``. By default
            60/20/20 % of the labelled nodes, drawn per class by ``seed``.
        weight: edge attribute; an edge without it has weight 1, parallel edges are summed. By default none.
        directed: whether edges stay directed; by default as in the graph. Otherwise both directions of each
            edge are included, with the larger weight if the two differ.
        seed: of the split, if it is drawn.
        columns: ``auto``, ``none``, or kinds by name of attribute, see ``from_frames``.
        numeric: ``standard``, ``robust`` or ``none``, see ``from_frames``.
        task: ``multiclass``, ``binary``, ``multilabel`` or ``regression``, returned as ``task``; by default what
            the labels can only be of.

    Returns:
        ``Data`` for ``graphkd.distill``: ``x [N, D]``, ``edge_index [2, E]`` (senders first), ``y [N]`` (−1
        unknown; of other tasks ``[N]`` or ``[N, L]`` with NaN), three masks, ``node_ids``; ``task``,
        ``class_names``, ``edge_weight``, ``feature_names`` and ``column_encoding`` if they exist.

    Raises:
        GraphKDError: an attribute does not exist, a node has no features, or parts do not match.

    >>> import networkx
    >>> club = networkx.karate_club_graph()
    >>> links = networkx.to_pandas_adjacency(club, weight=None)
    >>> data = from_networkx(club, features=links, labels="club", weight="weight")
    >>> data.num_nodes, data.class_names
    (34, ['Mr. Hi', 'Officer'])
    """
    if not isinstance(columns, ColumnEncoding):
        check_choices(columns, numeric)
    if isinstance(graph, type) or not hasattr(graph, "number_of_nodes"):
        raise GraphKDError(f"from_networkx needs a networkx graph, but got a {type(graph).__name__}")
    if graph.number_of_nodes() == 0:
        raise GraphKDError("the graph has no node: add some")
    if directed is not None:
        check_directed(directed)
    if directed and not graph.is_directed():
        raise GraphKDError("an undirected graph has no directions to keep: leave directed out, or give a DiGraph")
    if weight is None and any("weight" in attributes for _, _, attributes in graph.edges(data=True)):
        warn_unread("edges have an attribute 'weight'", "weight='weight'")
    ids = list(graph.nodes)
    edges = list(graph.edges(data=weight, default=1.0))
    names = None if columns == "none" else _column_names(graph, features)
    table = _features(graph, ids, features) if names is None else _frame(graph, ids, names)
    parts = Parts(
        table,
        [edge[0] for edge in edges],
        [edge[1] for edge in edges],
        ids=ids,
        labels=None if labels is None else _labels(graph, ids, labels),
        split=None if split is None else _per_node(graph, ids, split, "split"),
        weight=None if weight is None else _weights(graph, edges, weight),
        columns=names,
        encode=names is not None,
        task=task,
        names={"weight": f"edge attribute '{weight}'", "table": "node attributes"},
    )
    return build(parts, graph.is_directed() if directed is None else directed, seed, columns, numeric)


def _column_names(graph: Any, features: Any) -> list[str] | None:
    """Returns the names of attributes that hold one value per node, or None where there are others."""
    names = features if isinstance(features, (list, tuple)) else [features]
    if not names or not all(isinstance(name, str) for name in names):
        return None
    values = [given[name] for _, given in graph.nodes(data=True) for name in names if name in given]
    return list(names) if values and all(np.ndim(value) == 0 for value in values) else None


def _frame(graph: Any, ids: list[Any], names: list[str]) -> Any:
    """Returns attributes as a frame of columns; a node without one has a missing value."""
    import pandas as pd

    check_once(names, "features")
    return pd.DataFrame({name: _per_node(graph, ids, name, "features") for name in names})


def _features(graph: Any, ids: list[Any], features: Any) -> Any:
    if features is None:
        raise GraphKDError(
            "features is missing: name node attributes that hold numbers, or give an array [N, D]; a graph "
            "without any can start from its degrees, features=dict(graph.degree)"
        )
    names = features if isinstance(features, (list, tuple)) else [features]
    if all(isinstance(name, str) for name in names) and len(names):
        columns = [_vectors(ids, _per_node(graph, ids, name, "features"), f"attribute '{name}'") for name in names]
        return np.concatenate(columns, axis=1)
    values = _per_node(graph, ids, features, "features")
    return _vectors(ids, values, "features") if values is not features else features


def _per_node(graph: Any, ids: list[Any], given: Any, what: str) -> Any:
    """Converts attributes and mappings to lists in node order; returns arrays unchanged."""
    if isinstance(given, str):
        existing = {name for _, attributes in graph.nodes(data=True) for name in attributes}
        if given not in existing:
            available = ", ".join(sorted(map(str, existing))) or "none"
            raise GraphKDError(f"{what}: no node has the attribute '{given}': there are {available}")
        return [graph.nodes[name].get(given) for name in ids]
    if hasattr(given, "iloc"):  # a pandas Series or DataFrame indexed by node
        if given.index.has_duplicates:
            twice = given.index[given.index.duplicated()][0]
            raise GraphKDError(f"{what} holds node {plain(twice)!r} twice in its index: give every node once")
        given = dict(zip(given.index, given.to_numpy(), strict=True))
    if isinstance(given, Mapping):
        if not any(name in given for name in ids):
            raise GraphKDError(f"{what} holds no node of the graph: give it by node, such as {ids[0]!r}")
        if more := [name for name in given if name not in graph]:
            warnings.warn(
                f"{what} holds {len(more)} names that are no nodes of the graph, such as {more[0]!r}: not read",
                stacklevel=4,
            )
        return [given.get(name) for name in ids]
    return given


def _labels(graph: Any, ids: list[Any], labels: Any) -> Any:
    """Returns labels in node order; of a frame, a frame in which a node without a row is unknown."""
    rows = _per_node(graph, ids, labels, "labels")
    if not hasattr(labels, "iloc") or labels.ndim != 2:
        return rows
    import pandas as pd

    empty = [None] * labels.shape[1]
    return pd.DataFrame(
        [empty if row is None else list(row) for row in rows], columns=labels.columns, dtype=object
    )


def _vectors(ids: list[Any], values: list[Any], where: str) -> Any:
    """Stacks a number or a vector per node to ``[N, d]``."""
    check_unmasked(values, where)
    width = None
    for name, value in zip(ids, values, strict=True):
        if value is None:
            raise GraphKDError(f"{where} is missing at node {name!r}: give every node its features")
        size = np.size(value)
        if width is not None and size != width:
            raise GraphKDError(
                f"{where} has {size} numbers at node {name!r}, {width} elsewhere: give each as many"
            )
        width = size
    try:
        return np.asarray([np.ravel(value) for value in values]).astype(np.float64)
    except (TypeError, ValueError):
        raise GraphKDError(
            f"{where} holds something that is no number: encode it as numbers, or name attributes with one value "
            "per node alone, of which columns='auto' encodes categories"
        ) from None


def _weights(graph: Any, edges: list[Any], weight: str) -> list[Any]:
    if edges and not any(weight in attributes for _, _, attributes in graph.edges(data=True)):
        raise GraphKDError(f"weight: no edge has the attribute '{weight}': name one, or leave weight out")
    return [edge[2] for edge in edges]
