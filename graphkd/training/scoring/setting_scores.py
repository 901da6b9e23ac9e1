"""Scores of a model in a setting: observed nodes and hidden ones, weighted as the protocol defines."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphkd.datasets import SettingView
from graphkd.encoders import Encoding
from graphkd.errors import GraphKDError
from graphkd.evaluation import ConfusionMatrix
from graphkd.sparse import Inputs
from graphkd.tasks.base import Metric
from graphkd.training.scoring.inference import Inference


@dataclass(frozen=True)
class SettingLogits:
    """A model's logits, or answers in the user's units, of the nodes that a setting scores.

    Args:
        view: the setting's view of the graph.
        val: ``[v, C]`` of the validation nodes, computed on the observed graph.
        visible: ``[t, C]`` of the test nodes that are observed, likewise.
        hidden: ``[m, C]`` of the hidden nodes, computed on the full graph.
    """

    view: SettingView
    val: Tensor
    visible: Tensor
    hidden: Tensor

    @classmethod
    def of_nodes(cls, view: SettingView, observed: Tensor, hidden: Tensor) -> SettingLogits:
        """Selects from outputs ``[n, C]`` of all observed nodes: those of a network that is not finished."""
        graph, answers = view.observed, view.observed.task.answers
        return cls(view, answers(observed[graph.val]), answers(observed[graph.test]), answers(hidden))

    @property
    def scores(self) -> dict[str, float]:
        """``val`` and ``test``; if nodes are hidden, ``test_ind`` (hidden) and ``test_tran`` (others); details.

        Fractions; ``test`` is ``s · test_ind + (1 − s) · test_tran`` with the setting's ``s``. The details are
        ``test_NAME`` of the task's ``details``, weighted like ``test``, and ``val_NAME`` and ``test_NAME`` of
        every metric that ``training.metric`` may be, the data's own aside.
        """
        graph, task, own = self.view.observed, self.view.observed.task, self.view.observed.metric

        def metric(name: str) -> Metric:
            return functools.partial(task.score, name)

        result = {"val": metric(own)(self.val, graph.y[graph.val]), **self._tests(metric(own))}
        result |= {f"test_{name}": self._tests(metric(name))["test"] for name in task.details}
        for name in task.metrics:
            if name != own:
                with contextlib.suppress(GraphKDError):  # roc_auc of more than two classes, or where one occurs
                    result[f"val_{name}"] = metric(name)(self.val, graph.y[graph.val])
                    if name not in task.details:
                        result[f"test_{name}"] = self._tests(metric(name))["test"]
        return result

    @property
    def tested(self) -> tuple[Tensor, Tensor]:
        """Logits and labels of the nodes that ``test`` is a score of, hidden and visible ones in one table."""
        view = self.view
        visible = (self.visible, view.observed.y[view.observed.test])
        hidden = (self.hidden, view.full.y[view.hidden])
        share = view.setting.hidden_share
        parts = [hidden] if share == 1 else [visible, hidden] if share else [visible]
        logits, labels = zip(*parts, strict=True)
        return torch.cat(logits), torch.cat(labels)

    @property
    def confusion(self) -> ConfusionMatrix | None:
        """The confusion matrix of the test nodes; None where they have not one class each."""
        return self.view.observed.task.confusion(*self.tested)

    def _tests(self, metric: Metric) -> dict[str, float]:
        view, graph, share = self.view, self.view.observed, self.view.setting.hidden_share
        transductive = metric(self.visible, graph.y[graph.test])
        if not view.setting.hides:
            return {"test": transductive}
        inductive = metric(self.hidden, view.full.y[view.hidden])
        return {
            "test": share * inductive + (1 - share) * transductive,
            "test_ind": inductive,
            "test_tran": transductive,
        }


def student_logits(student: nn.Module, inputs: Inputs, encoding: Encoding, view: SettingView) -> SettingLogits:
    """Computes a student's logits of the nodes that the setting scores.

    Args:
        student: the network, in evaluation mode.
        inputs: ``[n, D']`` of the observed nodes.
        encoding: how they were computed; those of hidden nodes are computed on the full graph.
        view: the graph as the setting shows it.
    """
    graph = view.observed
    observed = Inference(student, inputs, torch.cat([graph.val, graph.test]))()
    val, visible = observed[: graph.val.numel()], observed[graph.val.numel() :]
    hidden = val[:0]
    if view.setting.hides:
        inputs = encoding.mix(view.full.x, view.full.adj, view.numbers)
        hidden = Inference(student, inputs, view.hidden)()
    return SettingLogits(view, val, visible, hidden)
