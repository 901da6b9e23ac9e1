"""Settings: the part of a graph that is observed in training, and the part that is hidden until evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graphkd.datasets.graph import Graph
from graphkd.errors import GraphKDError

HIDDEN_SHARE = 0.2
"""Fraction of the test nodes that is hidden, in every published inductive protocol."""


@dataclass(frozen=True)
class Setting:
    """An evaluation protocol.

    Args:
        name: as on the command line.
        hides: whether a fraction of the test nodes is hidden from training, with all their edges.
        keeps_unlabelled: whether nodes outside the masks are in the observed graph.
        isolates: whether hidden nodes have no edges in the evaluation either.
        hidden_share: weight of the hidden nodes' score in ``test``; the remaining weight is that of the visible
            test nodes.

    >>> SETTINGS["production"].hides, SETTINGS["transductive"].hides
    (True, False)
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
"""Settings by name: ``production`` is GLNN's, ``inductive`` InfGraND's, ``cold_start`` SimMLP's."""


@dataclass(frozen=True)
class SettingView:
    """A graph, split by a setting into an observed and a hidden part.

    Args:
        setting: the protocol.
        observed: the training graph: its nodes are renumbered, its test nodes are the visible ones.
        full: all nodes, for the evaluation of hidden ones only.
        nodes: ``[n]`` the observed nodes in ``full``.
        hidden: ``[m]`` the hidden nodes in ``full``.

    >>> from graphkd.testing.graphs import small_graph
    >>> view = apply_setting(small_graph(), "production", seed=0)
    >>> view.observed.num_nodes, view.full.num_nodes, view.hidden.numel()
    (56, 60, 4)
    """

    setting: Setting
    observed: Graph
    full: Graph
    nodes: Tensor
    hidden: Tensor

    @property
    def numbers(self) -> Tensor:
        """The number of each node of the full graph among the observed ones ``[N]``, −1 for the others."""
        numbers = self.nodes.new_full((self.full.num_nodes,), -1)
        numbers[self.nodes] = torch.arange(self.nodes.numel(), device=numbers.device)
        return numbers


def apply_setting(graph: Graph, setting: str = "transductive", seed: int = 0) -> SettingView:
    """Splits a graph by a setting.

    Args:
        graph: checked data.
        setting: name of the setting.
        seed: of the sampling of hidden nodes from the test nodes.

    Raises:
        GraphKDError: the setting is unknown, or there are too few test nodes for a hidden and a visible part.
    """
    if setting not in SETTINGS:
        raise GraphKDError(f"unknown setting '{setting}': choose one of {', '.join(SETTINGS)}")
    rules = SETTINGS[setting]
    all_nodes = torch.arange(graph.num_nodes, device=graph.y.device)
    if not rules.hides:
        graph = graph.in_cheapest_form()
        return SettingView(rules, graph, graph, all_nodes, all_nodes[:0])
    hidden = _draw(graph.test, setting, seed)
    visible = torch.ones_like(all_nodes, dtype=torch.bool)
    if not rules.keeps_unlabelled:
        visible[:] = False
        visible[torch.cat([graph.train, graph.val, graph.test])] = True
    visible[hidden] = False
    nodes = all_nodes[visible]
    full = graph.isolate(hidden) if rules.isolates else graph
    # The cheapest form depends on the features: for the observed graph, on the observed ones only.
    observed = graph.subset(nodes).in_cheapest_form()
    view = SettingView(rules, observed, full.in_cheapest_form(), nodes, hidden)
    _check_scored(view)
    return view


def _draw(test: Tensor, setting: str, seed: int) -> Tensor:
    """Samples ``[m]`` test nodes to hide, ascending."""
    count = max(1, round(HIDDEN_SHARE * test.numel()))
    if count >= test.numel():
        raise GraphKDError(
            f"setting={setting} hides a fifth of the test nodes, but there is only {test.numel()}: "
            "give more test nodes, or use setting=transductive"
        )
    order = np.random.RandomState(seed).permutation(test.numel())
    return test[torch.from_numpy(order[:count]).to(test.device)].sort().values


def _check_scored(view: SettingView) -> None:
    """Raises before training if a part of the test nodes cannot be scored."""
    graph = view.observed
    for part, labels in (("hidden", view.full.y[view.hidden]), ("visible", graph.y[graph.test])):
        try:
            graph.task.check_scorable(graph.metric, {"": labels})
        except GraphKDError as error:
            raise GraphKDError(
                f"data.metric is {graph.metric}, but the {part} test nodes of setting={view.setting.name}, "
                f"{len(labels)} of {view.hidden.numel() + graph.test.numel()}, {graph.task.unscorable}: "
                "give more test nodes, or use another seed or metric"
            ) from error
