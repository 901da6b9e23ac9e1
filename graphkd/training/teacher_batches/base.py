"""The interface between a teacher's training and the batches of its steps."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graphkd.balance.class_sizes import balanced_weights
from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.teachers import Teacher, TeacherOutput
from graphkd.teachers.layerwise import layerwise
from graphkd.training.seeds import generator
from graphkd.training.settings import Training


class Batches(ABC):
    """A batching strategy for a teacher's training.

    Args:
        model: the teacher.
        graph: the observed one.
        training: settings of the optimisation.
        seed: of the run.

    Raises:
        GraphKDError: the strategy cannot train the teacher.
    """

    name: ClassVar[str]

    settings: ClassVar[tuple[str, ...]]
    """Keys of ``training`` that the result depends on."""

    replays: ClassVar[bool] = False
    """Whether every epoch is one step of the same device operations, for teachers of ``graphkd.teachers``."""

    takes_apart: ClassVar[bool] = True
    """Whether it calls parts of the teacher, which only those of ``graphkd.teachers`` have."""

    def __init__(self, model: nn.Module, graph: Graph, training: Training, seed: int) -> None:
        if self.takes_apart and not isinstance(model, Teacher):
            raise GraphKDError(
                f"training.teacher_batches={self.name} needs one of graphkd.teachers, not {type(model).__name__}, "
                "which it could not take apart: use training.teacher_batches=full"
            )
        if self.takes_apart and isinstance(model, Teacher) and model.full_batch_only:
            raise GraphKDError(
                f"training.teacher_batches={self.name} splits the graph of a step, or computes it twice, which "
                f"teacher={model.name} cannot: use training.teacher_batches=full"
            )
        self.model, self.graph, self.training, self.seed = model, graph, training, seed

    @abstractmethod
    def steps(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Yields the losses of an epoch, one per step; the weights are updated before the next is requested."""

    @abstractmethod
    def score(self) -> Tensor:
        """Computes the validation score; whatever is sampled for it is the same in every epoch."""

    @classmethod
    def run(cls, model: nn.Module, graph: Graph) -> TeacherOutput:
        """Computes the fitted teacher's output on all nodes, in evaluation mode, over full neighbourhoods."""
        assert isinstance(model, Teacher)
        return layerwise(model, graph.x, graph.adj)

    @classmethod
    def shares(cls, model: nn.Module) -> bool:
        """Returns whether several processes can share a step of this teacher; else one of them trains it."""
        return False

    @classmethod
    def key(cls, training: dict[str, Any]) -> list[Any]:
        """Returns the part of a cache key that distinguishes the strategy from full batch.

        Args:
            training: all settings.
        """
        return [cls.name, *(training[key] for key in cls.settings)]

    def _loss(self, output: TeacherOutput, labels: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Computes the teacher's ``loss``; for a network that has none, and of other tasks, the task's."""
        if not self.graph.task.one_class:
            return {
                "loss": self.graph.task.label_losses(output.logits.index_select(0, index), labels[index]).mean()
            }
        loss = self.model.loss if isinstance(self.model, Teacher) else Teacher.loss.__get__(self.model)
        return loss(output, labels, index, **self._loss_settings)

    @cached_property
    def _loss_settings(self) -> dict[str, Any]:
        """``class_weight``, of all training nodes, and ``label_smoothing``, where they are no defaults.

        A teacher's own loss may not take them.
        """
        training, settings = self.training, dict[str, Any]()
        if training.class_weight != "none":
            self._check_taken("class_weight", "class weights", "training.class_weight")
            settings["class_weight"] = balanced_weights(self.graph)
        if training.teacher_label_smoothing:
            self._check_taken("label_smoothing", "label smoothing", "training.teacher_label_smoothing")
            settings["label_smoothing"] = training.teacher_label_smoothing
        return settings

    def _check_taken(self, argument: str, words: str, key: str) -> None:
        if isinstance(self.model, Teacher) and argument not in inspect.signature(self.model.loss).parameters:
            raise GraphKDError(f"teacher={self.model.name} has a loss without {words}: leave {key} out")

    @cached_property
    def _scored(self) -> Callable[[Tensor], Tensor]:
        """Logits of the validation nodes → their score."""
        graph, task = self.graph, self.graph.task
        scorer = task.scorer(self.training.metric or graph.metric, graph.y[graph.val])
        return lambda logits: scorer(task.answers(logits))

    def _generator(self, *purpose: str | int) -> torch.Generator:
        return generator(self.seed, *purpose, device=self.graph.y.device)
