"""Scores of a model in a setting: observed nodes and hidden ones, weighted as the protocol defines."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from graphkd import evaluation
from graphkd.datasets import SettingView


def scores(view: SettingView, observed: Tensor, hidden: Tensor, with_details: bool = False) -> dict[str, float]:
    """Computes ``scores_of`` from the logits of all nodes.

    Args:
        view: the setting's view of the graph.
        observed: ``[n, C]`` logits of the observed nodes, computed on the observed graph.
        hidden: ``[m, C]`` logits of the hidden nodes, computed on the full graph.
        with_details: whether to add ``test_macro_f1`` and ``test_ece``, weighted like ``test``.
    """
    return scores_of(view, observed[view.observed.val], observed[view.observed.test], hidden, with_details)


def scores_of(
    view: SettingView, val: Tensor, visible: Tensor, hidden: Tensor, with_details: bool = False
) -> dict[str, float]:
    """Computes ``val`` and ``test``; if nodes are hidden, also ``test_ind`` (hidden) and ``test_tran`` (others).

    Args:
        view: the setting's view of the graph.
        val: logits ``[v, C]`` of the validation nodes, computed on the observed graph.
        visible: logits ``[t, C]`` of the test nodes that are observed, likewise.
        hidden: logits ``[m, C]`` of the hidden nodes, computed on the full graph.
        with_details: whether to add ``test_macro_f1`` and ``test_ece``, weighted like ``test``.

    Returns:
        Fractions; ``test`` is ``s · test_ind + (1 − s) · test_tran`` with the setting's ``s``.
    """

    def metric(logits: Tensor, y: Tensor) -> float:
        return evaluation.score(view.observed.metric, logits, y)

    graph = view.observed
    result = {"val": metric(val, graph.y[graph.val]), **_test(view, visible, hidden, metric)}
    if with_details:
        result["test_macro_f1"] = _test(view, visible, hidden, evaluation.macro_f1)["test"]
        result["test_ece"] = _test(view, visible, hidden, evaluation.expected_calibration_error)["test"]
    return result


def _test(
    view: SettingView, visible: Tensor, hidden: Tensor, metric: Callable[[Tensor, Tensor], float]
) -> dict[str, float]:
    graph, share = view.observed, view.setting.hidden_share
    transductive = metric(visible, graph.y[graph.test])
    if not view.setting.hides:
        return {"test": transductive}
    inductive = metric(hidden, view.full.y[view.hidden])
    return {
        "test": share * inductive + (1 - share) * transductive,
        "test_ind": inductive,
        "test_tran": transductive,
    }
