"""Scores of a model in a setting: observed nodes and hidden ones, mixed as the protocol says."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from graphkd import evaluation
from graphkd.datasets import SettingView


def scores(view: SettingView, observed: Tensor, hidden: Tensor, with_f1: bool = False) -> dict[str, float]:
    """``scores_of`` for the logits of all nodes.

    Args:
        view: the graph as the setting shows it.
        observed: ``[n, C]`` logits of the observed nodes, known from the observed graph.
        hidden: ``[m, C]`` logits of the hidden nodes, known from the full graph.
        with_f1: add ``test_macro_f1``, mixed like ``test``.
    """
    return scores_of(view, observed[view.observed.val], observed[view.observed.test], hidden, with_f1)


def scores_of(
    view: SettingView, val: Tensor, visible: Tensor, hidden: Tensor, with_f1: bool = False
) -> dict[str, float]:
    """``val`` and ``test``; where nodes are hidden also ``test_ind`` (on them) and ``test_tran`` (on the others).

    Args:
        view: the graph as the setting shows it.
        val: logits ``[v, C]`` of the validation nodes, known from the observed graph.
        visible: logits ``[t, C]`` of the test nodes that are observed, likewise.
        hidden: logits ``[m, C]`` of the hidden nodes, known from the full graph.
        with_f1: add ``test_macro_f1``, mixed like ``test``.

    Returns:
        Fractions; ``test`` is ``s · test_ind + (1 − s) · test_tran`` with the setting's ``s``.
    """

    def metric(logits: Tensor, y: Tensor) -> float:
        return evaluation.score(view.observed.metric, logits, y)

    graph = view.observed
    found = {"val": metric(val, graph.y[graph.val]), **_test(view, visible, hidden, metric)}
    if with_f1:
        found["test_macro_f1"] = _test(view, visible, hidden, evaluation.macro_f1)["test"]
    return found


def _test(
    view: SettingView, visible: Tensor, hidden: Tensor, metric: Callable[[Tensor, Tensor], float]
) -> dict[str, float]:
    graph, share = view.observed, view.setting.hidden_share
    seen = metric(visible, graph.y[graph.test])
    if not view.setting.hides:
        return {"test": seen}
    unseen = metric(hidden, view.full.y[view.hidden])
    return {"test": share * unseen + (1 - share) * seen, "test_ind": unseen, "test_tran": seen}
