"""Some partitions of the graph in every step."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from graphkd.datasets import Graph
from graphkd.sparse import partition
from graphkd.training.settings import Training
from graphkd.training.teacher_batches.base import Batches


class Partitions(Batches):
    """Every part once per epoch, in an order that run seed and epoch determine; edges between steps are ignored.

    A step is full batch on the graph that its parts induce, normalised by itself. Without training nodes in them
    there is no step.

    Source: Chiang et al., Cluster-GCN, KDD 2019
    """

    name = "partitions"
    settings = ("parts", "parts_per_step", "partitioner")

    def __init__(self, model: nn.Module, graph: Graph, training: Training, seed: int) -> None:
        super().__init__(model, graph, training, seed)
        self._fixed = self._cut("validation")

    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yields one loss for every ``parts_per_step`` parts with training nodes."""
        draw = self._generator("partitions", epoch)
        part = self._fixed if self.training.partitioner == "metis" else self._cut("partitions", epoch)
        order = torch.randperm(self.training.parts, generator=draw, device=part.device)
        for nodes in self._nodes(part, order):
            subgraph = self.graph.subset(nodes)
            if subgraph.train.numel():
                yield self._loss(self.model(subgraph.x, subgraph.adj), subgraph.y, subgraph.train)

    def score(self) -> Tensor:
        """Computes the score of the validation nodes, inside parts that are the same in every epoch."""
        logits = self.graph.y.new_empty(self.graph.num_nodes, self.graph.num_classes, dtype=torch.float32)
        for nodes in self._nodes(self._fixed, torch.arange(self.training.parts, device=self._fixed.device)):
            subgraph = self.graph.subset(nodes)
            logits[nodes] = self.model(subgraph.x, subgraph.adj).logits
        return self._scored(logits[self.graph.val])

    def _cut(self, *purpose: str | int) -> Tensor:
        draw = self._generator("cut", *purpose)
        return partition(self.graph.adj, self.training.parts, self.training.partitioner, draw)

    def _nodes(self, part: Tensor, order: Tensor) -> Iterator[Tensor]:
        """Yields the nodes ``[n]`` of some parts at a time, ascending; skips parts without nodes."""
        for group in torch.split(order, self.training.parts_per_step):
            chosen = torch.zeros_like(order, dtype=torch.bool)
            chosen[group] = True
            nodes = chosen[part].nonzero().squeeze(1)
            if nodes.numel():
                yield nodes
