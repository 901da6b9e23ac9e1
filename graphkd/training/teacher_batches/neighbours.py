"""Some training nodes in every step, and neighbours sampled around them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from graphkd.datasets import Graph
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.norm import BatchNorm
from graphkd.sparse import sample_blocks, select_rows, shared_blocks
from graphkd.teachers import Teacher
from graphkd.training.settings import Training
from graphkd.training.teacher_batches.base import Batches


class Neighbours(Batches):
    """Every training node once per epoch, in an order and with neighbours that run seed and epoch determine.

    Several processes sample the same blocks, and each computes what its shard of a step's nodes needs. Nodes that
    two shards need would count twice in the statistics of a batch norm, so a teacher with one is not sharded.

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
        self._shared = world().wrap_ddp(model)

    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yields one loss for every ``teacher_batch_size`` training nodes."""
        draw = self._generator("neighbours", epoch)
        train = self.graph.train
        order = torch.randperm(train.numel(), generator=draw, device=train.device)
        for seeds in torch.split(train[order], self.training.teacher_batch_size):
            labels = self.graph.y[seeds[world().rows(seeds.numel())]]
            logits, settings = self._logits(seeds, draw), self._loss_settings
            task, smoothing = self.graph.task, self.training.teacher_label_smoothing
            losses = task.label_losses(logits, labels, settings.get("class_weight"), smoothing)
            yield {"loss": losses.sum() / seeds.numel()}

    def score(self) -> Tensor:
        """Computes the score over neighbourhoods that are the same in every epoch, for comparable epochs."""
        draw, val = self._generator("validation"), self.graph.val
        batches = torch.split(val, self.training.teacher_batch_size)
        logits = [world().all_gather(self._logits(seeds, draw), seeds.numel()) for seeds in batches]
        return self._scored(torch.cat(logits))

    @classmethod
    def shares(cls, model: nn.Module) -> bool:
        """Returns whether the teacher has no batch norm."""
        return not any(isinstance(part, BatchNorm) for part in model.modules())

    def _logits(self, seeds: Tensor, draw: torch.Generator) -> Tensor:
        """Computes the logits of this process's shard of the seeds."""
        blocks = sample_blocks(self.graph.adj, seeds, self._fanouts, draw)
        if world().is_distributed:
            blocks = shared_blocks(blocks, world().rows(seeds.numel()))
        logits: Tensor = self._shared(select_rows(self.graph.x, blocks[0].sources), blocks).logits
        return logits
