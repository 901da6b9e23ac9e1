"""The validation score of one student, or of several in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graphkd import evaluation
from graphkd.datasets import Graph
from graphkd.sparse import Factored, Inputs, SparseMatrix
from graphkd.students import StudentOutput
from graphkd.training.scoring.inference import Inference


@dataclass(frozen=True)
class ValidationMetric:
    """A student's score on the validation nodes, under its weights at the time of the call.

    Args:
        inference: computes the student's logits on them.
        metric: its name.
        y: ``[V]`` their labels.
        scorer: logits ``[V, C]`` → a scalar.
        stacks: whether the metric may be computed for several students in one call.
    """

    inference: Inference
    metric: str
    y: Tensor
    scorer: Callable[[Tensor], Tensor]
    stacks: bool = True

    @classmethod
    def of(cls, student: nn.Module, inputs: Inputs, graph: Graph, metric: str | None = None) -> ValidationMetric:
        """Creates the metric for the validation nodes of a graph with inputs ``[N, D']``; by default its own."""
        y, chosen, task = graph.y[graph.val], metric or graph.metric, graph.task
        scorer = task.scorer(chosen, y)
        inference = Inference(student, inputs, graph.val)
        return cls(inference, chosen, y, lambda logits: scorer(task.answers(logits)), task.one_class)

    def __call__(self) -> Tensor:
        """Computes the score, a float64 scalar on the device."""
        return self.scorer(self.inference())


@dataclass(frozen=True)
class StackedValidationMetric:
    """The validation rows of ``S`` students, and the scorer of their logits ``[S, V, C]``.

    Args:
        rows: of each student, or of all ``[S, V, D']``.
        scorer: logits ``[S, V, C]`` → ``[S]``.
        nodes: ``[S, V]``, the rows that are scored; None for all of them.
    """

    rows: Sequence[Inputs] | Tensor
    scorer: Callable[[Tensor], Tensor]
    nodes: Tensor | None = None

    def __call__(self, students: Callable[[Sequence[Inputs] | Tensor], StudentOutput]) -> Tensor:
        """Computes the scores ``[S]``; ``students`` is called once, on all rows."""
        logits = students(self.rows).logits
        if self.nodes is not None:
            logits = logits[torch.arange(len(logits), device=logits.device).unsqueeze(1), self.nodes]
        return self.scorer(logits)


def stacked_scores(scores: Sequence[ValidationMetric]) -> StackedValidationMetric | None:
    """Combines the metrics; returns None where the number of nodes differs, or the metric cannot be batched."""
    metric, others = scores[0].metric, {each.metric for each in scores[1:]}
    alike = len({each.y.numel() for each in scores}) == 1 and not others - {metric}
    if not alike or metric not in evaluation.STACKED or not all(each.stacks for each in scores):
        return None
    inferences = [each.inference for each in scores]
    scorer = evaluation.scorer(metric, torch.stack([each.y for each in scores]))
    if all(isinstance(each.inputs, Factored) and each.rows is None for each in inferences):
        whole = with_equal_ones_shared([each.inputs for each in inferences])
        return StackedValidationMetric(whole, scorer, torch.stack([each.nodes for each in inferences]))
    rows = [each.rows for each in inferences if each.rows is not None]
    return (
        StackedValidationMetric(_together(with_equal_ones_shared(rows)), scorer)
        if len(rows) == len(inferences)
        else None
    )


def _together(rows: Sequence[Inputs]) -> Sequence[Inputs] | Tensor:
    """Stacks tables that differ into one, ``[S, V, D']``."""
    tables = [each for each in rows if isinstance(each, Tensor)]
    differ = any(each is not rows[0] for each in rows)
    return torch.stack(tables) if differ and len(tables) == len(rows) else rows


def with_equal_ones_shared(inputs: Sequence[Inputs]) -> list[Inputs]:
    """Replaces inputs equal to the first one by that object, so that they are stored and read once."""
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
