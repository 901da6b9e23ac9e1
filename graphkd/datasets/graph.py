"""A checked, preprocessed graph: what the four stages work on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.datasets.preprocess import Preprocessing
from graphkd.datasets.validate import check, known_classes
from graphkd.sparse import Adjacency, Features, as_features

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Graph:
    """Everything that a stage may know of the data.

    Args:
        x: ``[N, D]`` preprocessed features, dense or sparse.
        adj: the raw adjacency.
        y: ``[N]`` int64 classes, −1 where unknown.
        train: ``[n]`` int64 node ids; ``val`` and ``test`` likewise.
        num_classes: ``C``.
        class_names: ``C`` names, or nothing.
        preprocessing: how ``x`` came from the stored features; goes into the bundle.
        influence: ``[N]`` node weights in [0, 1], where the run weights nodes.
        dataset: name, for the record; ``split`` likewise.
    """

    x: Features
    adj: Adjacency
    y: Tensor
    train: Tensor
    val: Tensor
    test: Tensor
    num_classes: int
    class_names: list[str] | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    influence: Tensor | None = None
    dataset: str = "custom"
    split: str = "masks"

    @classmethod
    def from_data(cls, data: Data, preprocessing: Preprocessing | None = None) -> Graph:
        """Checks a PyG ``Data`` and prepares it.

        Args:
            data: with ``x``, ``edge_index``, ``y``, ``train_mask``, ``val_mask``, ``test_mask``;
                optionally ``edge_weight`` and ``class_names``.
            preprocessing: of the features; by default what the data set asks for
                (``data.row_normalize``, ``data.features``), for other data nothing.

        Raises:
            GraphKDError: something in the data cannot be right; the line says what.
        """
        check(data)
        if preprocessing is None:
            preprocessing = Preprocessing(
                getattr(data, "features", "stored"), getattr(data, "row_normalize", False)
            )
        y = torch.as_tensor(data.y).reshape(-1)
        y = torch.where(y.isnan(), -1, y).long() if y.is_floating_point() else y.long()
        masks = (data.train_mask, data.val_mask, data.test_mask)
        train, val, test = (mask.nonzero().reshape(-1) for mask in masks)
        names = getattr(data, "class_names", None)
        return cls(
            x=preprocessing(as_features(data.x).to(torch.float32)),
            adj=Adjacency(data.edge_index, data.x.shape[0], getattr(data, "edge_weight", None)),
            y=y,
            train=train,
            val=val,
            test=test,
            num_classes=known_classes(data, y),
            class_names=None if names is None else [str(name) for name in names],
            preprocessing=preprocessing,
            dataset=getattr(data, "name", None) or "custom",
            split=getattr(data, "split", "masks"),
        )

    @property
    def num_nodes(self) -> int:
        """``N``."""
        return self.adj.num_nodes

    @property
    def num_features(self) -> int:
        """``D``."""
        return self.x.shape[1]

    def with_influence(self, influence: Tensor | None) -> Graph:
        """The same graph with node weights ``[N]`` attached."""
        return replace(self, influence=influence)

    def to(self, device: torch.device | str) -> Graph:
        """The same graph on another device."""
        device = torch.device(device)
        moved = {name: getattr(self, name).to(device) for name in ("x", "y", "train", "val", "test", "adj")}
        influence = None if self.influence is None else self.influence.to(device)
        return replace(self, influence=influence, **moved)
