"""The whole graph in every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from torch import Tensor, nn

from graphkd.datasets import Graph
from graphkd.teachers import TeacherOutput
from graphkd.training.teacher_batches.base import Batches


class Full(Batches):
    """One step per epoch, on all training nodes; with any network."""

    name = "full"
    settings = ()
    replays = True
    takes_apart = False
    arguments: ClassVar[dict[str, bool]] = {}

    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yields one loss."""
        graph = self.graph
        output = self.model(graph.x, graph.adj, **self.arguments)
        yield self._loss(output, graph.y, graph.train)

    def score(self) -> Tensor:
        """Computes the score of the same forward pass without dropout."""
        return self._scored(self.model(self.graph.x, self.graph.adj).logits[self.graph.val])

    @classmethod
    def run(cls, model: nn.Module, graph: Graph) -> TeacherOutput:
        """Computes the output on all nodes at once."""
        output: TeacherOutput = model(graph.x, graph.adj)
        return output

    @classmethod
    def key(cls, training: dict[str, Any]) -> list[Any]:
        """Returns an empty list: how much is kept for the backward pass changes no bit of the result."""
        return []


class Checkpointed(Full):
    """Full batch with activation checkpointing: each hop's embedding is kept, everything else recomputed."""

    name = "checkpointed"
    replays = False
    takes_apart = True
    arguments: ClassVar[dict[str, bool]] = {"checkpointed": True}
