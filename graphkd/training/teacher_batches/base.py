"""The interface between a teacher's training and what its steps see."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graphkd import evaluation
from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.teachers import Teacher, TeacherOutput
from graphkd.teachers.layerwise import layerwise
from graphkd.training.seeds import generator
from graphkd.training.settings import Training


class Batches(ABC):
    """A way to train a teacher.

    Args:
        model: the teacher.
        graph: the observed one.
        training: how it is optimised.
        seed: of the run.

    Raises:
        GraphKDError: the teacher cannot be trained in this way.
    """

    name: ClassVar[str]

    settings: ClassVar[tuple[str, ...]]
    """Keys of ``training`` that the result depends on."""

    replays: ClassVar[bool] = False
    """Whether every epoch is one step, and the same calls to the device, for teachers of ``graphkd.teachers``."""

    takes_apart: ClassVar[bool] = True
    """Whether it calls parts of the teacher, which only those of graphkd have."""

    def __init__(self, model: nn.Module, graph: Graph, training: Training, seed: int) -> None:
        if self.takes_apart and not isinstance(model, Teacher):
            raise GraphKDError(
                f"training.teacher_batches={self.name} needs one of graphkd.teachers, not {type(model).__name__}, "
                "which it could not take apart: use training.teacher_batches=full"
            )
        self.model, self.graph, self.training, self.seed = model, graph, training, seed

    @abstractmethod
    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """The losses of an epoch, one per step; the weights have moved before the next one is asked for."""

    @abstractmethod
    def score(self) -> Tensor:
        """The validation score; whatever is drawn for it is the same in every epoch."""

    @classmethod
    def run(cls, model: nn.Module, graph: Graph) -> TeacherOutput:
        """What the fitted teacher, in evaluation mode, says of all nodes over full neighbourhoods."""
        assert isinstance(model, Teacher)
        return layerwise(model, graph.x, graph.adj)

    @classmethod
    def shares(cls, model: nn.Module) -> bool:
        """Whether several processes can share a step of this teacher; else one of them trains it."""
        return False

    @classmethod
    def key(cls, training: dict[str, Any]) -> list[Any]:
        """The part of a cache key that tells it from full batch.

        Args:
            training: all settings.
        """
        return [cls.name, *(training[key] for key in cls.settings)]

    def _loss(self, output: TeacherOutput, labels: Tensor, index: Tensor) -> dict[str, Tensor]:
        """The teacher's own loss; of a network that has none, the cross-entropy."""
        loss = self.model.loss if isinstance(self.model, Teacher) else Teacher.loss.__get__(self.model)
        return loss(output, labels, index)

    @cached_property
    def _scored(self) -> Callable[[Tensor], Tensor]:
        """Logits of the validation nodes → their score."""
        return evaluation.scorer(self.graph.metric, self.graph.y[self.graph.val])

    def _generator(self, *purpose: str | int) -> torch.Generator:
        return generator(self.seed, *purpose, device=self.graph.y.device)
