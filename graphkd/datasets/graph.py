"""The checked, preprocessed graph that is the input of all four stages."""

from __future__ import annotations

import copy
import functools
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphkd.atomic_io import sha256_of
from graphkd.classes import ClassName, class_name
from graphkd.columns import ColumnEncoding
from graphkd.datasets.fingerprint import IN_MEMORY, origin_of
from graphkd.datasets.imbalance import profile_name
from graphkd.datasets.preprocess import Preprocessing
from graphkd.datasets.scale import scaled_name
from graphkd.datasets.validate import check
from graphkd.errors import GraphKDError
from graphkd.sparse import Adjacency, Features, Inputs, as_features, cheapest, check_features, select_rows
from graphkd.tasks import Multiclass, Task

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Graph:
    """A checked, preprocessed graph with labels and split.

    Args:
        x: ``[N, D]`` preprocessed features, dense or sparse.
        adj: the raw adjacency.
        y: ``[N]`` int64 classes, −1 where unknown; of other tasks ``[N, C]`` labels or targets, NaN where unknown.
        train: ``[n]`` int64 node ids; ``val`` and ``test`` likewise.
        num_classes: ``C``, the number of outputs: of classes, labels or targets.
        class_names: ``C`` names in their original type, or ``None``.
        preprocessing: that computed ``x`` from the stored features; it is saved in the bundle.
        influence: ``[N]`` node weights in [0, 1], or ``None``.
        encoded: ``[N, D']`` inputs of the student, or ``None``: then they are the features.
        origin: of the data: the arguments of ``load_dataset``, or ``in_memory``; and its checksums.
        stored: ``[N, D]`` features before preprocessing, or ``None`` if it does not change them.
        metric: of the models' scores, one of ``task.metrics``.
        feature_names: ``D`` names of the features before preprocessing, or ``None``.
        column_encoding: of the raw table's columns as these features, or ``None``.
        task: what a node is asked for; it has seen the training labels.

    >>> from torch_geometric.data import Data
    >>> x, y, path = torch.eye(3), torch.tensor([0, 1, 1]), torch.tensor([[0, 1], [1, 2]])
    >>> masks = {f"{name}_mask": torch.arange(3) == k for k, name in enumerate(("train", "val", "test"))}
    >>> graph = Graph.from_data(Data(x=x, edge_index=path, y=y, **masks))
    >>> graph.num_nodes, graph.num_classes, graph.train.tolist(), graph.test.tolist()
    (3, 2, [0], [2])
    """

    x: Features
    adj: Adjacency
    y: Tensor
    train: Tensor
    val: Tensor
    test: Tensor
    num_classes: int
    class_names: list[ClassName] | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    influence: Tensor | None = None
    origin: dict[str, Any] = field(default_factory=IN_MEMORY.copy)
    stored: Features | None = None
    metric: str = "accuracy"
    feature_names: list[str] | None = None
    encoded: Inputs | None = None
    column_encoding: ColumnEncoding | None = None
    task: Task = field(default_factory=Multiclass)

    @classmethod
    def from_data(cls, data: Data, preprocessing: Preprocessing | None = None) -> Graph:
        """Checks a PyG ``Data`` and preprocesses it.

        Args:
            data: with ``x`` (unless a student reads positions alone), ``edge_index``, ``y``, ``train_mask``,
                ``val_mask``, ``test_mask``; optionally ``edge_weight``, ``class_names``, ``feature_names``,
                ``column_encoding`` and ``metric``.
            preprocessing: of the features; by default that recorded by ``load_dataset``, for other data none.

        Raises:
            GraphKDError: the data is invalid; the message states the reason.
        """
        has_features = getattr(data, "x", None) is not None
        given, data = data, data if has_features else _with_a_column(data)
        task, y, num_classes = check(data)
        if not isinstance(preprocessing, Preprocessing | None):
            raise GraphKDError(
                f"preprocessing is {preprocessing!r}: give a graphkd.datasets.Preprocessing, such as "
                "Preprocessing(row_normalize=True)"
            )
        if preprocessing is None:
            recorded, keys = getattr(data, "graphkd", None) or IN_MEMORY, ("features", "row_normalize")
            preprocessing = Preprocessing(**{key: recorded[key] for key in keys if key in recorded})
        data = _normal(data)
        masks = (data.train_mask, data.val_mask, data.test_mask)
        train, val, test = (mask.nonzero().reshape(-1) for mask in masks)
        names, origin = getattr(data, "class_names", None), origin_of(given)
        columns = getattr(data, "feature_names", None)
        features = check_features(as_features(data.x.detach()).to(torch.float32), name="data.x in float32")
        features = features if has_features else torch.zeros(features.shape[0], 0)
        return cls(
            x=preprocessing(features),
            adj=_adjacency(data, origin),
            y=y,
            train=train,
            val=val,
            test=test,
            num_classes=num_classes,
            class_names=None if names is None else [class_name(name) for name in names],
            preprocessing=preprocessing,
            origin=origin,
            stored=None if preprocessing == Preprocessing() else features,
            metric=getattr(data, "metric", None) or task.metrics[0],
            feature_names=None if columns is None else [str(name) for name in columns],
            column_encoding=getattr(data, "column_encoding", None),
            task=task.fitted(y, train),
        )

    def fingerprint(self) -> str:
        """Returns a checksum of preprocessed features and their encoding, edges, labels and masks."""
        return self._fingerprint

    def fingerprint_of_0_1(self) -> str:
        """Returns the checksum of version 0.1, which does not include the boundaries between parts."""
        return sha256_of(part.cpu().contiguous().numpy() for part in self._parts)

    @functools.cached_property
    def _fingerprint(self) -> str:
        # The bytes alone are equal if the last training node becomes the first validation node.
        heads = "".join(f"{part.dtype} {list(part.shape)} " for part in self._parts).encode()
        if self.column_encoding is not None:
            heads += json.dumps(self.column_encoding.to_json()).encode()
        return sha256_of([heads, *(part.cpu().contiguous().numpy() for part in self._parts)])

    @property
    def _parts(self) -> list[Tensor]:
        x, adj = self.x, self.adj.matrix
        parts = [x] if isinstance(x, Tensor) else [x.rowptr, x.col, x.value]
        return [*parts, adj.rowptr, adj.col, adj.value, self.y, self.train, self.val, self.test]

    @property
    def dataset(self) -> str:
        """Name of the data set in records; it includes a scale other than 1: ``synthetic-arxiv-0.1``."""
        return scaled_name(str(self.origin["name"]), self.origin.get("scale", 1.0))

    @property
    def split(self) -> str:
        """Name of the split in records; it includes a label rate and a profile: ``public-labels0.1``."""
        rate = self.origin.get("label_rate", 1.0)
        profile = profile_name(self.origin.get("imbalance", 1.0), self.origin.get("long_tail", 1.0))
        return f"{self.origin['split']}{'' if rate == 1 else f'-labels{rate:g}'}{profile}"

    @property
    def num_nodes(self) -> int:
        """Number of nodes ``N``."""
        return self.adj.num_nodes

    @property
    def num_features(self) -> int:
        """Number of features ``D``."""
        return self.x.shape[1]

    @property
    def inputs(self) -> Inputs:
        """Inputs of the student ``[N, D']``: the features, unless an encoder computed others."""
        return self.x if self.encoded is None else self.encoded

    def with_inputs(self, inputs: Inputs) -> Graph:
        """Returns the graph with inputs of the student ``[N, D']``."""
        return replace(self, encoded=inputs)

    def with_influence(self, influence: Tensor | None) -> Graph:
        """Returns the graph with node weights ``[N]``."""
        return replace(self, influence=influence)

    def in_cheapest_form(self) -> Graph:
        """Returns the graph with sparse features converted to dense ones where layers then cost less."""
        return replace(self, x=cheapest(self.x))

    def subset(self, nodes: Tensor) -> Graph:
        """Returns the subgraph induced by ``nodes [n]``, ascending and renumbered; all others are removed."""
        position = nodes.new_full((self.num_nodes,), -1)
        position[nodes] = torch.arange(nodes.numel(), device=nodes.device)
        train, val, test = (
            part[part >= 0] for part in (position[self.train], position[self.val], position[self.test])
        )
        return replace(
            self,
            x=select_rows(self.x, nodes),
            stored=None if self.stored is None else select_rows(self.stored, nodes),
            adj=self.adj.subgraph(nodes),
            y=self.y[nodes],
            train=train,
            val=val,
            test=test,
        )

    def isolate(self, nodes: Tensor) -> Graph:
        """Returns the graph without the edges of ``nodes``."""
        return replace(self, adj=self.adj.without_edges_of(nodes))

    def to(self, device: torch.device | str) -> Graph:
        """Returns the graph on another device."""
        device = torch.device(device)
        parts = {name: getattr(self, name).to(device) for name in ("x", "y", "train", "val", "test", "adj")}
        for name in ("influence", "stored"):
            part = getattr(self, name)
            parts[name] = None if part is None else part.to(device)
        return replace(self, **parts, task=self.task.to(device))


def _with_a_column(data: Data) -> Data:
    """Returns a graph without ``x`` as one whose rows are a zero each, which passes the checks of all others."""
    if not isinstance(getattr(data, "y", None), Tensor):
        return data
    data = copy.copy(data)
    data.x = torch.zeros(data.y.shape[0] if data.y.dim() else data.y.numel(), 1)
    return data


def _adjacency(data: Data, origin: dict[str, Any]) -> Adjacency:
    """Returns the adjacency; of edges in mapped files that nobody changed, without a sort in memory."""
    mapped = getattr(data, "mapped", None)
    if mapped is not None and not origin.get("in_memory") and data.edge_index is mapped.edge_index:
        adjacency: Adjacency = mapped.adjacency()
        return adjacency
    weight = getattr(data, "edge_weight", None)
    return Adjacency(data.edge_index, data.x.shape[0], None if weight is None else weight.detach())


def _normal(data: Data) -> Data:
    """Returns the data with inference tensors cloned, since they do not support autograd."""
    names = [name for name, part in data if isinstance(part, Tensor) and part.is_inference()]
    if not names:
        return data
    data = copy.copy(data)
    for name in names:
        data[name] = data[name].clone()
    return data
