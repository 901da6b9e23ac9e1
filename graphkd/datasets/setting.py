"""What a setting lets training see of a graph, and what it keeps for the evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphkd.datasets.graph import Graph
from graphkd.errors import GraphKDError

HIDDEN_SHARE = 0.2
"""Share of the test nodes that is hidden, in every published inductive protocol."""


@dataclass(frozen=True)
class Setting:
    """A protocol.

    Args:
        name: as on the command line.
        hides: whether a share of the test nodes is hidden from training, with all their edges.
        keeps_unlabelled: whether nodes outside the masks stay in the observed graph.
        isolates: whether hidden nodes have no edges at the evaluation either.
        hidden_share: of the hidden nodes' score in ``test``; the rest is that of the visible test nodes.
    """

    name: str
    hides: bool = True
    keeps_unlabelled: bool = True
    isolates: bool = False
    hidden_share: float = 1.0


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("transductive", hides=False, hidden_share=0.0),
        Setting("production", hidden_share=HIDDEN_SHARE),
        Setting("inductive", keeps_unlabelled=False),
        Setting("cold_start", isolates=True),
    )
}
"""By name: ``production`` is GLNN's, ``inductive`` InfGraND's, ``cold_start`` SimMLP's."""


@dataclass(frozen=True)
class SettingView:
    """A graph as a setting shows it.

    Args:
        setting: the protocol.
        observed: what training sees: its nodes are numbered anew, its test nodes are the visible ones.
        full: every node, for the evaluation of hidden ones only.
        nodes: ``[n]`` the observed nodes in ``full``.
        hidden: ``[m]`` the hidden nodes in ``full``.
    """

    setting: Setting
    observed: Graph
    full: Graph
    nodes: Tensor
    hidden: Tensor


def apply_setting(graph: Graph, setting: str = "transductive", seed: int = 0) -> SettingView:
    """Hides what the setting hides.

    Args:
        graph: checked data.
        setting: its name.
        seed: draws the hidden nodes from the test nodes.

    Raises:
        GraphKDError: an unknown setting, or too few test nodes to hide some and keep some that can be scored.
    """
    if setting not in SETTINGS:
        raise GraphKDError(f"unknown setting '{setting}': choose one of {', '.join(SETTINGS)}")
    rules = SETTINGS[setting]
    everyone = torch.arange(graph.num_nodes, device=graph.y.device)
    if not rules.hides:
        graph = graph.in_cheapest_form()
        return SettingView(rules, graph, graph, everyone, everyone[:0])
    hidden = _draw(graph.test, setting, seed)
    visible = torch.ones_like(graph.y, dtype=torch.bool)
    if not rules.keeps_unlabelled:
        visible[:] = False
        visible[torch.cat([graph.train, graph.val, graph.test])] = True
    visible[hidden] = False
    nodes = everyone[visible]
    full = graph.isolate(hidden) if rules.isolates else graph
    # Which form is cheapest is a fact about features, too: the observed ones decide it for themselves.
    observed = graph.subset(nodes).in_cheapest_form()
    view = SettingView(rules, observed, full.in_cheapest_form(), nodes, hidden)
    _check_scored(view)
    return view


def _draw(test: Tensor, setting: str, seed: int) -> Tensor:
    """``[m]`` test nodes to hide, ascending."""
    count = max(1, round(HIDDEN_SHARE * test.numel()))
    if count >= test.numel():
        raise GraphKDError(
            f"setting={setting} hides a fifth of the test nodes, but there is only {test.numel()}: "
            "give more test nodes, or use setting=transductive"
        )
    order = np.random.RandomState(seed).permutation(test.numel())
    return test[torch.from_numpy(order[:count]).to(test.device)].sort().values


def _check_scored(view: SettingView) -> None:
    """Whether both parts of the test nodes can be scored, before anything is trained."""
    graph = view.observed
    for part, labels in (("hidden", view.full.y[view.hidden]), ("visible", graph.y[graph.test])):
        if graph.metric == "roc_auc" and bool((labels == labels[0]).all()):
            raise GraphKDError(
                f"data.metric is roc_auc, but the {part} test nodes of setting={view.setting.name}, "
                f"{labels.numel()} of {view.hidden.numel() + graph.test.numel()}, are of one class: "
                "give more test nodes, or use another seed or accuracy"
            )
