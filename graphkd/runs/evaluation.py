"""A student's answers on test nodes: scores, confusion matrix, metrics of each class, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from graphkd.classes import class_array
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.encoders import Encoding
from graphkd.evaluation import ConfusionMatrix, Reliability
from graphkd.training.scoring.setting_scores import student_logits

MOST_LINES = 3
"""Classes that have a warning each."""

COLUMNS = ("precision", "recall", "f1", "support")
"""Metrics of each class."""


@dataclass(frozen=True)
class Evaluation:
    """A student's answers on the test nodes of one seed, or of several together.

    Args:
        scores: of each seed: ``val``, ``test``, ``test_macro_f1``, ``test_ece``, ``test_brier`` and so on.
        confusion: classes against predictions; where a setting hides nodes, of those that ``test`` is a score of;
            None where a node has not exactly one class.
        reliability: how often predictions are right, by confidence; likewise.
        class_names: ``C`` names, of labels or targets where there are no classes.
        by_output: of each seed, metrics of each label or target; empty where there are classes.
    """

    scores: list[dict[str, float]]
    confusion: ConfusionMatrix | None
    reliability: Reliability | None
    class_names: list[Any]
    by_output: list[list[dict[str, float]]] = field(default_factory=list)

    @classmethod
    def of(cls, student: nn.Module, encoding: Encoding, graph: Graph, setting: str, seed: int) -> Evaluation:
        """Evaluates a student.

        Args:
            student: the network, in evaluation mode.
            encoding: of its inputs.
            graph: the run's data, on the student's device.
            setting: name of the run's setting.
            seed: of the run.
        """
        view = apply_setting(graph, setting, seed)
        inputs = encoding.mix(view.observed.x, view.observed.adj)
        logits = student_logits(student, inputs, encoding, view)
        if not graph.task.one_class:
            names = graph.task.names(graph.class_names, graph.num_classes)
            return cls([logits.scores], None, None, names, [graph.task.by_output(*logits.tested)])
        names = class_array(graph.class_names, graph.num_classes).tolist()
        return cls([logits.scores], logits.confusion, Reliability.of(*logits.tested), names)

    def __add__(self, other: Evaluation) -> Evaluation:
        """Returns the evaluation of both, with the nodes of all seeds in one matrix."""
        return Evaluation(
            self.scores + other.scores,
            None if self.confusion is None or other.confusion is None else self.confusion + other.confusion,
            None
            if self.reliability is None or other.reliability is None
            else self.reliability + other.reliability,
            self.class_names,
            self.by_output + other.by_output,
        )

    @property
    def classes(self) -> list[dict[str, Any]]:
        """Name, precision, recall, F1 score and support of each class; metrics of each label or target."""
        if self.confusion is None:
            return [
                {"class": name, **{key: float(np.mean([row[key] for row in rows])) for key in rows[0]}}
                for name, *rows in zip(self.class_names, *self.by_output, strict=True)
            ]
        columns = [getattr(self.confusion, column).tolist() for column in COLUMNS]
        return [
            {"class": name, **dict(zip(COLUMNS, values, strict=True))}
            for name, *values in zip(self.class_names, *columns, strict=True)
        ]

    @property
    def warnings(self) -> list[str]:
        """A line for each class that is never predicted."""
        if self.confusion is None:
            return []
        record = {**self.confusion.record, "names": self.class_names}
        return never_predicted([record])


def never_predicted(records: Sequence[dict[str, Any]]) -> list[str]:
    """Returns a line for each class that occurs among test nodes and is predicted for none; from four, less.

    Args:
        records: of each seed, ``names``, ``support`` and ``predicted``, a list over classes each.
    """
    shares: dict[int, tuple[float, int]] = {}
    for c in range(len(records[0]["names"])):
        missing = [each for each in records if each["support"][c] and not each["predicted"][c]]
        if missing:
            share = sum(each["support"][c] / sum(each["support"]) for each in missing) / len(missing)
            shares[c] = share, len(missing)
    largest = sorted(shares, key=lambda c: -shares[c][0])
    lines = [_line(records[0]["names"][c], *shares[c], len(records)) for c in largest[:MOST_LINES]]
    more = len(largest) - MOST_LINES
    several = "class is" if more == 1 else "classes are"
    return [*lines, f"{more} more {several} never predicted"] if more > 0 else lines


def _line(name: Any, share: float, missing: int, seeds: int) -> str:
    where = "" if missing == seeds else f" in {missing} of {seeds} seeds"
    # Selection by accuracy keeps the epoch that names the frequent class alone, whatever the loss weighs.
    return (
        f"class {name!r} ({100 * share:.2g} % of test nodes) is never predicted{where}: try "
        "training.metric=balanced_accuracy with training.class_weight=balanced, or with balance=bkd"
    )
