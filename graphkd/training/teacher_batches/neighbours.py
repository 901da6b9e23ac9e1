"""Some training nodes in every step, and neighbours drawn around them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.sparse import sample_blocks, select_rows
from graphkd.teachers import Teacher
from graphkd.training.settings import Training
from graphkd.training.teacher_batches.base import Batches


class Neighbours(Batches):
    """Every training node once per epoch, in an order and with neighbours that run seed and epoch decide.

    Source: Hamilton et al., Inductive Representation Learning on Large Graphs, NeurIPS 2017
    """

    name = "neighbours"
    settings = ("teacher_batch_size", "fanout")

    def __init__(self, model: nn.Module, graph: Graph, training: Training, seed: int) -> None:
        super().__init__(model, graph, training, seed)
        assert isinstance(model, Teacher)
        layers, fanout = len(model.convs), training.fanout
        self._fanouts = list(fanout) if isinstance(fanout, list) else [fanout] * layers
        if len(self._fanouts) != layers:
            raise GraphKDError(
                f"training.fanout has {len(self._fanouts)} numbers, but the teacher {layers} layers: "
                "give one for each"
            )

    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """One for every ``teacher_batch_size`` training nodes."""
        draw = self._generator("neighbours", epoch)
        train = self.graph.train
        order = torch.randperm(train.numel(), generator=draw, device=train.device)
        for seeds in torch.split(train[order], self.training.teacher_batch_size):
            yield self._loss(self._logits(seeds, draw), self.graph.y[seeds])

    def score(self) -> Tensor:
        """Of neighbourhoods that are the same in every epoch, so that epochs can be compared."""
        draw, val = self._generator("validation"), self.graph.val
        batches = torch.split(val, self.training.teacher_batch_size)
        return self._scored(torch.cat([self._logits(seeds, draw) for seeds in batches]))

    def _logits(self, seeds: Tensor, draw: torch.Generator) -> Tensor:
        blocks = sample_blocks(self.graph.adj, seeds, self._fanouts, draw)
        logits: Tensor = self.model(select_rows(self.graph.x, blocks[0].sources), blocks).logits
        return logits
