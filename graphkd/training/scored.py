"""The validation score of one student, or of several by one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graphkd import evaluation
from graphkd.datasets import Graph
from graphkd.sparse import Factored, Inputs, SparseMatrix
from graphkd.training.answers import Answers


@dataclass(frozen=True)
class Scored:
    """A student's score on the validation nodes, as it is when called.

    Args:
        answers: what it says of them.
        metric: the graph's.
        y: ``[V]`` their labels.
        scorer: logits ``[V, C]`` → a scalar.
    """

    answers: Answers
    metric: str
    y: Tensor
    scorer: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, student: nn.Module, inputs: Inputs, graph: Graph) -> Scored:
        """Of the validation nodes of a graph whose inputs ``[N, D']`` are these."""
        y = graph.y[graph.val]
        answers = Answers(student, inputs, graph.val)
        return cls(answers, graph.metric, y, evaluation.scorer(graph.metric, y))

    def __call__(self) -> Tensor:
        """A float64 scalar on the device."""
        return self.scorer(self.answers())


@dataclass(frozen=True)
class StackedScored:
    """What ``S`` students at once are asked, and how their logits ``[S, V, C]`` are scored.

    Args:
        rows: of each student, or of all ``[S, V, D']``.
        scorer: logits ``[S, V, C]`` → ``[S]``.
    """

    rows: Sequence[Inputs] | Tensor
    scorer: Callable[[Tensor], Tensor]


def stacked_scores(scores: Sequence[Scored]) -> StackedScored | None:
    """All at once; nothing where they differ in the number of nodes, or the metric looks at one at a time."""
    rows = [each.answers.rows for each in scores]
    known = [each for each in rows if each is not None]
    alike = len({each.y.numel() for each in scores}) == 1 and {each.metric for each in scores} == {"accuracy"}
    if len(known) < len(rows) or not alike:
        return None
    shared = with_equal_ones_shared(known)
    tables = [each for each in shared if isinstance(each, Tensor)]
    differ = any(each is not shared[0] for each in shared)
    return StackedScored(
        torch.stack(tables) if differ and len(tables) == len(shared) else shared,
        evaluation.scorer("accuracy", torch.stack([each.y for each in scores])),
    )


def with_equal_ones_shared(inputs: Sequence[Inputs]) -> list[Inputs]:
    """The same, with the first object for those that are equal to it: they are kept and read once."""
    return [inputs[0] if _equal(inputs[0], each) else each for each in inputs]


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    if isinstance(one, SparseMatrix) and isinstance(other, SparseMatrix):
        return one.equals(other)
    if isinstance(one, Factored) and isinstance(other, Factored):
        same = (one.hops, one.pooling) == (other.hops, other.pooling)
        return same and one.x.equals(other.x) and one.operator.equals(other.operator)
    return False
