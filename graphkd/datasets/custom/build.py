"""Conversion of the parts of a custom graph to ``torch_geometric`` data."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from graphkd.datasets.custom.columns import RawTable, encode_columns
from graphkd.datasets.custom.edges import check_rows, row_of_each, rows_of
from graphkd.datasets.custom.features import feature_tensor
from graphkd.datasets.custom.labels import check_task, encode_labels
from graphkd.datasets.custom.masks import PARTS, masks_of
from graphkd.datasets.fingerprint import IN_MEMORY, fingerprints
from graphkd.datasets.splits import fractions_split, strata
from graphkd.edges import both_directions, merge
from graphkd.errors import GraphKDError
from graphkd.io.frame import names_of
from graphkd.io.ids import plain_ids
from graphkd.io.weights import check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Parts:
    """The parts of a custom graph, before checks.

    Args:
        features: ``[N, D]``, see ``feature_tensor``.
        source: ``[E]`` senders, as ids or as row indices.
        target: ``[E]`` receivers, likewise.
        ids: ``[N]`` node ids, or ``None``.
        labels: ``[N]`` or ``[N, L]``, see ``encode_labels``, or ``None`` for a graph to predict on.
        split: see ``masks_of``, or ``None``.
        weight: ``[E]``, or ``None``.
        named: whether source and target are ids; otherwise they are row indices.
        count: ``N``, if the edges define it, as a matrix does.
        columns: names of the ``D`` features, or ``None``.
        encode: whether ``features`` is a frame of raw columns, encoded once the training nodes are known.
        is_csv: whether that frame was read from a csv.
        task: of the labels, or ``None`` for what they can only be of.
        names: names of parts in error messages, where they differ from the argument's name.
    """

    features: Any
    source: Any
    target: Any
    ids: Sequence[Hashable] | None = None
    labels: Any = None
    split: Any = None
    weight: Any = None
    named: bool = True
    count: int | None = None
    columns: Sequence[str] | None = None
    encode: bool = False
    is_csv: bool = False
    task: str | None = None
    names: dict[str, str] = field(default_factory=dict)

    def called(self, part: str) -> str:
        """Returns the name of a part in error messages."""
        return self.names.get(part, part)


def read_parts(parts: Parts) -> Data:
    """Checks the parts and converts ids and labels to indices; edges stay directed, no split is drawn.

    Args:
        parts: of the graph.

    Returns:
        ``Data`` with ``x [N, D]``, ``edge_index [2, E']`` without duplicates; ``edge_weight [E']``,
        ``y``, ``task``, ``class_names``, ``feature_names``, ``node_ids`` and the three masks ``[N]``, if the parts
        contain them. Columns to encode are in ``raw_columns``, for ``put_features``, and ``x`` is ``[N, 0]``.

    Raises:
        GraphKDError: a part is invalid or does not match the others.
    """
    from torch_geometric.data import Data

    check_task(parts.task)
    columns = names_of(parts.features) if parts.columns is None else parts.columns
    if parts.encode:
        data = Data(x=torch.empty(len(parts.features), 0))
        data.raw_columns = RawTable(parts.features, parts.called("table"), parts.is_csv)
    else:
        data = Data(x=feature_tensor(parts.features, parts.called("features"), columns))
        if columns is not None:
            data.feature_names = [str(name) for name in columns]
    num_nodes = data.x.shape[0]
    if parts.count is not None:
        _check_count(parts.count, num_nodes, parts, "source")
    if parts.ids is not None:
        if not hasattr(parts.ids, "__len__"):
            raise GraphKDError(f"{parts.called('ids')} is {parts.ids!r}: give a list with one id per node")
        _check_count(len(parts.ids), num_nodes, parts, "ids")
        parts = replace(parts, ids=plain_ids(parts.ids, parts.called("ids")))
        data.node_ids = parts.ids
    _put_edges(data, *_edges(parts, num_nodes))
    if parts.labels is not None:
        _put_labels(data, parts, num_nodes)
    if parts.split is not None:
        _put_masks(data, masks_of(parts.split, num_nodes, parts.called("split")))
        _check_labelled(data, parts)
    return data


def build(parts: Parts, directed: bool, seed: int, columns: Any = "auto", numeric: str = "standard") -> Data:
    """Builds the data of a custom graph in memory, ready for ``distill``.

    Args:
        parts: of the graph.
        directed: whether edges stay directed; otherwise both directions of each edge are included.
        seed: of the split, if it is drawn.
        columns: see ``from_frames``; for parts that are not encoded, ``none`` checks the scales.
        numeric: see ``from_frames``.

    Returns:
        ``Data`` as of ``read_parts``, with masks whenever there are labels.

    Raises:
        GraphKDError: a part is invalid or does not match the others.
    """
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise GraphKDError(f"seed is {seed!r}: give a whole number from 0 to {2**32 - 1}")
    check_directed(directed)
    data = read_parts(parts)
    if not directed:
        make_undirected(data)
    is_drawn = parts.labels is not None and parts.split is None
    if is_drawn:
        _put_masks(data, fractions_split(strata(data), seed))
    encode_columns(data, columns, numeric)
    if is_drawn:
        data.graphkd = {**IN_MEMORY, "split": "fractions", "seed": int(seed), **fingerprints(data)}
    return data


def warn_unread(what: str, key: str) -> None:
    """Warns that edge weights are present but not read."""
    warnings.warn(f"{what}, which is not read: pass {key}, or drop it", stacklevel=3)


def check_directed(directed: Any) -> None:
    """Checks that ``directed`` is a boolean: a string such as ``no`` would count as true."""
    if not isinstance(directed, (bool, np.bool_)):
        raise GraphKDError(f"directed is {directed!r}: choose True or False")


def make_undirected(data: Data) -> None:
    """Adds the reverse of every edge to ``data``; weights are those of ``both_directions``."""
    weight = getattr(data, "edge_weight", None)
    sender, receiver = data.edge_index.numpy()
    values = None if weight is None else weight.double().numpy()
    _put_edges(data, *both_directions(sender, receiver, values, data.x.shape[0]))


def _edges(parts: Parts, num_nodes: int) -> tuple[Any, Any, Any]:
    ends = []
    rows = row_of_each(parts.ids, parts.called("ids")) if parts.ids is not None else {}
    for part in ("source", "target"):
        values, where = getattr(parts, part), parts.called(part)
        ends.append(rows_of(values, rows, where) if parts.named else check_rows(values, num_nodes, where))
    if ends[0].shape != ends[1].shape:
        raise GraphKDError(
            f"{parts.called('source')} has {ends[0].size} entries, {parts.called('target')} {ends[1].size}: "
            "give both ends of every edge"
        )
    weight = parts.weight
    if weight is not None:
        weight = check_weights(weight, ends[0].size, parts.called("weight"))
    return merge(ends[0], ends[1], weight, num_nodes)


def _put_edges(data: Data, sender: Any, receiver: Any, weight: Any) -> None:
    data.edge_index = torch.from_numpy(np.stack([sender, receiver]))
    if weight is not None:
        data.edge_weight = torch.from_numpy(weight).float()


def _put_labels(data: Data, parts: Parts, num_nodes: int) -> None:
    data.y, names = encode_labels(parts.labels, parts.called("labels"), parts.task)
    _check_count(data.y.shape[0], num_nodes, parts, "labels")
    if parts.task is not None:
        data.task = parts.task
    if names is not None:
        data.class_names = names


def _put_masks(data: Data, masks: tuple[Tensor, Tensor, Tensor]) -> None:
    data.train_mask, data.val_mask, data.test_mask = masks


def _check_count(count: int, num_nodes: int, parts: Parts, part: str) -> None:
    if count != num_nodes:
        raise GraphKDError(
            f"{parts.called(part)} is for {count} nodes, {parts.called('features')} has {num_nodes} rows: "
            "give one row per node"
        )


def _check_labelled(data: Data, parts: Parts) -> None:
    if parts.labels is None:
        raise GraphKDError(f"{parts.called('split')} is there, but no labels are: give both or neither")
    unknown = strata(data) < 0
    for name in PARTS:
        wrong = (data[f"{name}_mask"] & unknown).nonzero()
        if wrong.numel():
            row = int(wrong[0])
            node = f"{data.node_ids[row]!r}" if parts.ids is not None else f"{row}"
            raise GraphKDError(
                f"{parts.called('split')} puts node {node} into {name}, but its label is unknown: "
                "leave it out of the split, or label it"
            )
