"""The whole graph in every step, with some training labels as inputs."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from graphkd.datasets import Graph
from graphkd.teachers import TeacherOutput
from graphkd.teachers.label_inputs import answer_with_labels
from graphkd.training.teacher_batches.full import Full


class LabelInputs(Full):
    """One step per epoch: a drawn part of the training nodes shows its labels, and the loss is that of the others.

    Seed and epoch determine the draw. In evaluation all training nodes show their labels, and no others.

    Source: Wang et al., Bag of Tricks for Node Classification with Graph Neural Networks, arXiv 2103.13355, 2021
    """

    replays = False

    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yields one loss."""
        train, training = self.graph.train, self.training
        order = torch.randperm(train.numel(), generator=self._generator("labels", epoch), device=train.device)
        count = min(round(training.teacher_label_rate * train.numel()), train.numel() - 1)
        shown, others = train[order[:count]], train[order[count:]]
        output = answer_with_labels(self._output, training.teacher_label_reuse, self.graph, shown)
        yield self._loss(output, self.graph.y, others)

    def score(self) -> Tensor:
        """Computes the score of the output without dropout, from all training labels."""
        output = answer_with_labels(self._output, self.training.teacher_label_reuse, self.graph)
        return self._scored(output.logits[self.graph.val])

    def _output(self, graph: Graph) -> TeacherOutput:
        output: TeacherOutput = self.model(graph.x, graph.adj)
        return output
