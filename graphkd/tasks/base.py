"""What every task is: its labels, its losses, its metrics, and what an output means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.evaluation import ConfusionMatrix
from graphkd.registry import unknown

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from graphkd.teachers import TeacherOutput

Metric = Callable[[Tensor, Tensor], float]
"""Outputs ``[B, C]`` and labels → a number."""

Scorer = Callable[[Tensor], Tensor]
"""Outputs ``[B, C]`` → a float64 scalar on their device, for labels that are fixed."""


class Task(ABC):
    """One kind of label.

    A network has ``C`` outputs ``z``. They are the natural parameters of a distribution of the exponential family
    with log-partition function ``A`` and mean ``μ = ∇A``, so that ``KL(t ‖ z) = A(z) − A(t) − ⟨μ(t), z − t⟩``, and
    a sum of such terms over neighbours folds into one table whatever the task: ``Σ_ij w_ij KL(t_j ‖ z_i) =
    H + Σ_i W_i A(z_i) − ⟨T_i, z_i⟩`` with ``T_i = Σ_j w_ij μ(t_j)``, ``W_i = Σ_j w_ij`` and
    ``H = Σ_ij w_ij (⟨μ(t_j), t_j⟩ − A(t_j))``.

    Source: Banerjee et al., Clustering with Bregman Divergences, JMLR 2005 (the divergence of such a family)

    >>> from graphkd.tasks import TASKS
    >>> {name: task.metrics[0] for name, task in TASKS.items()}
    {'multiclass': 'accuracy', 'binary': 'roc_auc', 'multilabel': 'roc_auc', 'regression': 'r2'}
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    """Metrics that validation may select on, higher is better; the first is the default."""
    fallback_metric: ClassVar[str] = "accuracy"
    """The one of them that is defined for any labels, such as those of one class alone."""
    unscorable: ClassVar[str] = "are of one class"
    """What a message says of nodes on which a metric is not defined."""
    details: ClassVar[tuple[str, ...]]
    """Further metrics of the test nodes."""
    one_class: ClassVar[bool] = False
    """Whether each node has exactly one of ``C`` classes, as what weighs or calibrates classes needs."""

    @abstractmethod
    def check(self, data: Data) -> None:
        """Checks the labels of a graph whose masks have been checked.

        Args:
            data: with ``y`` and the masks.

        Raises:
            GraphKDError: a label inside a mask is none of the task's.
        """

    @abstractmethod
    def labels(self, data: Data) -> tuple[Tensor, int]:
        """Returns ``y``, ``[N]`` or ``[N, C]``, and the number of outputs ``C``.

        Args:
            data: with checked labels.
        """

    def fitted(self, y: Tensor, train: Tensor) -> Task:
        """Returns the task with what it takes from training labels.

        Args:
            y: as ``labels`` returns it.
            train: ``[n]`` training nodes.
        """
        return self

    def to(self, device: torch.device) -> Task:
        """Returns the task with what it took from training labels on a device, so that no step moves it there."""
        return self

    @abstractmethod
    def label_losses(
        self, logits: Tensor, labels: Tensor, class_weight: Tensor | None = None, label_smoothing: float = 0.0
    ) -> Tensor:
        """Computes the loss of each row against its label, ``[n]``.

        Args:
            logits: ``z [n, C]``.
            labels: of these rows.
            class_weight: ``[C]``, or None for 1; only where there is one class per node.
            label_smoothing: likewise.
        """

    @abstractmethod
    def mean(self, logits: Tensor) -> Tensor:
        """Computes ``μ(z)``: the mean of the distribution with outputs ``[…, C]``, of the same shape."""

    @abstractmethod
    def log_partition(self, logits: Tensor) -> Tensor:
        """Computes ``A(z)``, summed over the outputs of a row: ``[…, C]`` → ``[…]``."""

    def normalised(self, logits: Tensor) -> Tensor:
        """Returns outputs of the same distribution, those of classes with ``A = 0``: ``[…, C]``."""
        return logits

    def negative_entropy(self, logits: Tensor) -> Tensor:
        """Computes ``⟨μ(z), z⟩ − A(z)`` of each row: ``[…, C]`` → ``[…]``."""
        return (self.mean(logits) * logits).sum(dim=-1) - self.log_partition(logits)

    def share(self, num_outputs: int) -> float:
        """Returns the weight of an output in a soft loss, so that the number of outputs does not change a rate."""
        return 1.0 / num_outputs

    def answers(self, logits: Tensor) -> Tensor:
        """Converts a network's outputs to those that are scored and returned, in the user's units."""
        return logits

    def naturals(self, answers: Tensor) -> Tensor:
        """Inverts ``answers``, for a teacher that a user gives."""
        return answers

    def answering(self, network: nn.Module) -> nn.Module:
        """Returns a trained teacher as a network whose outputs are ``answers``."""
        return network

    def answered(self, output: TeacherOutput) -> TeacherOutput:
        """Returns a trained teacher's output with ``answers`` as logits."""
        return output

    def trained_with(self, network: nn.Module) -> bool:
        """Returns whether a network is one of ``answering``, of a task with the same scale."""
        return False

    def finish(self, student: nn.Module) -> None:  # noqa: B027 (of most tasks, outputs are answers)
        """Makes a trained student compute ``answers`` by itself, so that every runtime and export does."""

    def check_metric(self, metric: object, key: str = "data.metric") -> None:
        """Checks the name of a metric.

        Raises:
            GraphKDError: the task has no such metric.
        """
        if not isinstance(metric, str) or metric not in self.metrics:
            named = metric if isinstance(metric, str) else type(metric).__name__
            raise GraphKDError(unknown(key, named, list(self.metrics)))

    def check_scorable(self, metric: str, labels: Mapping[str, Tensor]) -> None:
        """Checks that a metric can be computed on nodes with these labels.

        Args:
            metric: its name.
            labels: of several sets of nodes, by the name that a message gives them.

        Raises:
            GraphKDError: it cannot, as where one class alone occurs.
        """
        for name, y in labels.items():
            try:
                self.scorer(metric, y)
            except GraphKDError as error:
                raise GraphKDError(f"{name}: {error}") from None

    def score(self, metric: str, answers: Tensor, y: Tensor) -> float:
        """Computes a metric of answers ``[B, C]``; higher is better for those in ``metrics``.

        Raises:
            GraphKDError: the metric does not apply to these labels.
        """
        return float(self.scorer(metric, y)(answers))

    @abstractmethod
    def scorer(self, metric: str, y: Tensor) -> Scorer:
        """Builds a metric for fixed labels, which computes on the device without waiting for it.

        Raises:
            GraphKDError: the metric does not apply to these labels.
        """

    def confusion(self, answers: Tensor, y: Tensor) -> ConfusionMatrix | None:
        """Returns the counts of classes against predictions; None where a node has not exactly one class."""
        return None

    def by_output(self, answers: Tensor, y: Tensor) -> list[dict[str, float]]:
        """Returns metrics of each label or target; empty where ``confusion`` has those of each class.

        Args:
            answers: ``[B, C]``.
            y: ``[B, C]``.
        """
        return []

    def names(self, class_names: list[Any] | None, num_outputs: int) -> list[Any]:
        """Returns the names of the outputs: classes, labels or targets."""
        return list(range(num_outputs)) if class_names is None else list(class_names)
