"""Scores of a model in a setting: observed nodes and hidden ones, mixed as the protocol says."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from graphkd import evaluation
from graphkd.datasets import Scene


def scores(scene: Scene, observed: Tensor, hidden: Tensor, with_f1: bool = False) -> dict[str, float]:
    """``scores_of`` for the logits of all nodes.

    Args:
        scene: the graph as the setting shows it.
        observed: ``[n, C]`` logits of the observed nodes, known from the observed graph.
        hidden: ``[m, C]`` logits of the hidden nodes, known from the full graph.
        with_f1: add ``test_macro_f1``, mixed like ``test``.
    """
    return scores_of(scene, observed[scene.observed.val], observed[scene.observed.test], hidden, with_f1)


def scores_of(
    scene: Scene, val: Tensor, visible: Tensor, hidden: Tensor, with_f1: bool = False
) -> dict[str, float]:
    """``val`` and ``test``; where nodes are hidden also ``test_ind`` (on them) and ``test_tran`` (on the others).

    Args:
        scene: the graph as the setting shows it.
        val: logits ``[v, C]`` of the validation nodes, known from the observed graph.
        visible: logits ``[t, C]`` of the test nodes that are observed, likewise.
        hidden: logits ``[m, C]`` of the hidden nodes, known from the full graph.
        with_f1: add ``test_macro_f1``, mixed like ``test``.

    Returns:
        Fractions; ``test`` is ``s · test_ind + (1 − s) · test_tran`` with the setting's ``s``.
    """

    def metric(logits: Tensor, y: Tensor) -> float:
        return evaluation.score(scene.observed.metric, logits, y)

    graph = scene.observed
    found = {"val": metric(val, graph.y[graph.val]), **_test(scene, visible, hidden, metric)}
    if with_f1:
        found["test_macro_f1"] = _test(scene, visible, hidden, evaluation.macro_f1)["test"]
    return found


def _test(
    scene: Scene, visible: Tensor, hidden: Tensor, metric: Callable[[Tensor, Tensor], float]
) -> dict[str, float]:
    graph, share = scene.observed, scene.setting.hidden_share
    seen = metric(visible, graph.y[graph.test])
    if not scene.setting.hides:
        return {"test": seen}
    unseen = metric(hidden, scene.full.y[scene.hidden])
    return {"test": share * unseen + (1 - share) * seen, "test_ind": unseen, "test_tran": seen}
