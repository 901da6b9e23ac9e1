"""The graph of a link-prediction run, and the part of it that training reads."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.names import Columns
from graphkd.errors import GraphKDError
from graphkd.links.nodes import NodeIds
from graphkd.links.pairs import both_ways, draw_non_edges
from graphkd.links.split import LinkSplit, split_edges
from graphkd.sparse import Adjacency, Features, as_features, check_features, select_rows
from graphkd.training.seeds import generator

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class TrainingGraph:
    """All that training reads: the observed nodes, numbered from 0, and the pairs among them.

    Args:
        x: ``[n, D]`` preprocessed rows.
        adj: the training edges in both directions.
        train: ``[P, 2]`` training edges.
        val: ``[V, 2]`` validation edges; ``val_negative`` likewise.
        val_negative: pairs without an edge.
    """

    x: Features
    adj: Adjacency
    train: Tensor
    val: Tensor
    val_negative: Tensor

    @property
    def num_nodes(self) -> int:
        """Number of observed nodes ``n``."""
        return self.adj.num_nodes

    def negatives(self, rounds: int, seed: int) -> Tensor:
        """Draws pairs without a training edge, once for all epochs, so that a teacher scores them once.

        Args:
            rounds: ``R``, after which epochs meet the same pairs again; fewer where the graph has not as many.
            seed: of the draw.

        Returns:
            ``[R, P, 2]``, all distinct.

        Raises:
            GraphKDError: there are fewer than ``P`` pairs without an edge.
        """
        count, nodes = len(self.train), self.num_nodes
        free = nodes * (nodes - 1) // 2 - count
        rounds = max(1, min(rounds, free // (2 * count)))  # drawing the last free pairs would be slow
        draws = generator(seed, "links", "negatives", device=torch.device("cpu"))
        return draw_non_edges(self.train, nodes, rounds * count, draws).reshape(rounds, count, 2)


@dataclass(frozen=True)
class LinkGraph:
    """A checked, preprocessed graph with its split of edges.

    Args:
        x: ``[N, D]`` preprocessed rows, dense or sparse.
        split: of the edges.
        preprocessing: that computed ``x`` from the stored rows; it is saved in the bundle.
        nodes: their ids.
        columns: of the stored rows.

    >>> from graphkd import load_dataset
    >>> graph = LinkGraph.from_data(load_dataset("digits"), setting="inductive")
    >>> graph.num_nodes, graph.training.num_nodes
    (1797, 1618)
    """

    x: Features
    split: LinkSplit
    preprocessing: Preprocessing
    nodes: NodeIds = field(default_factory=NodeIds)
    columns: Columns = field(default_factory=lambda: Columns(None))

    @classmethod
    def from_data(
        cls, data: Data, seed: int = 0, setting: str = "transductive", split: LinkSplit | None = None
    ) -> LinkGraph:
        """Checks a PyG ``Data``, preprocesses its rows and splits its edges.

        Args:
            data: ``x [N, D]`` and ``edge_index [2, E]``, read as undirected and unweighted; labels and masks are
                not read. Optionally ``node_ids``, ``feature_names`` and ``column_encoding``.
            seed: of the split.
            setting: one of four, see ``split_edges``.
            split: a split that is given, such as OGB's; ``seed`` and ``setting`` are not read then.

        Raises:
            GraphKDError: the data or the split is invalid.
        """
        if getattr(data, "x", None) is None or getattr(data, "edge_index", None) is None:
            raise GraphKDError("data needs x [N, D] and edge_index [2, E]: give a PyG Data with both")
        stored = check_features(as_features(data.x.detach()).to(torch.float32), name="data.x")
        recorded: dict[str, Any] = getattr(data, "graphkd", None) or {}
        steps = Preprocessing(**{key: recorded[key] for key in ("features", "row_normalize") if key in recorded})
        count = stored.shape[0]
        split = split_edges(data.edge_index, count, seed, setting) if split is None else split
        if split.num_nodes != count:
            raise GraphKDError(f"the split has {split.num_nodes} nodes, but x {count} rows: split this graph")
        names, encoding = (getattr(data, name, None) for name in ("feature_names", "column_encoding"))
        if encoding is not None and not encoding.is_identity and len(split.observed) < count:
            raise GraphKDError(
                "the columns of this table were scaled by all nodes, hidden ones too: choose "
                "setting=transductive, or dataset.columns=none for numbers as they are"
            )
        nodes = NodeIds.of(getattr(data, "node_ids", None), count)
        return cls(steps(stored), split, steps, nodes, Columns(names, encoding))

    @property
    def num_nodes(self) -> int:
        """Number of nodes ``N``."""
        return self.split.num_nodes

    @functools.cached_property
    def training(self) -> TrainingGraph:
        """What training reads; nothing of a hidden node is in it."""
        split = self.split
        number = torch.full((split.num_nodes,), -1)
        number[split.observed] = torch.arange(split.observed.numel())
        train = number[split.train]
        x = self.x if split.observed.numel() == split.num_nodes else select_rows(self.x, split.observed)
        adj = Adjacency(both_ways(train), split.observed.numel())
        return TrainingGraph(x, adj, train, number[split.val], number[split.val_negative])
