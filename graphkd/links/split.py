"""Splits of edges into training, validation and test pairs, with negatives that are drawn once."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.links.pairs import both_ways, draw_non_edges, undirected_pairs
from graphkd.ranges import check_choice, check_shares
from graphkd.sparse import Adjacency
from graphkd.training.seeds import generator, parse_seed

SETTINGS = ("transductive", "production", "inductive", "cold_start")
"""Whether all nodes are known while training, or some arrive later, with some of their edges or with none."""


@dataclass(frozen=True)
class LinkSplit:
    """Pairs ``[P, 2]`` of three parts; every undirected edge is in one of them, in one direction.

    Args:
        num_nodes: ``N``.
        train: edges that messages are passed along and that are learned from.
        val: edges that the best epoch is chosen by.
        val_negative: as many pairs without an edge.
        test: edges that are held out.
        test_negative: as many pairs without an edge.
        observed: ``[n]`` nodes that are known while training, ascending.
        shown: ``[S, 2]`` edges of hidden nodes that a teacher may read when it answers, and nothing before; empty
            where no node is hidden, or hidden ones arrive without edges.
        setting: one of ``SETTINGS``.

    >>> ring = torch.stack([torch.arange(100), (torch.arange(100) + 1) % 100])
    >>> split = split_edges(ring, num_nodes=100, setting="inductive")
    >>> len(split.observed), split.adj.matrix.nnz == 2 * len(split.train)
    (90, True)
    """

    num_nodes: int
    train: Tensor
    val: Tensor
    val_negative: Tensor
    test: Tensor
    test_negative: Tensor
    observed: Tensor
    shown: Tensor
    setting: str = "transductive"

    @functools.cached_property
    def adj(self) -> Adjacency:
        """The training edges in both directions, over all ``N`` nodes."""
        return Adjacency(both_ways(self.train), self.num_nodes)

    @functools.cached_property
    def inference_adj(self) -> Adjacency:
        """The graph that a teacher reads when it answers: ``adj``, and the edges that are shown."""
        if not self.shown.numel():
            return self.adj
        return Adjacency(both_ways(torch.cat([self.train, self.shown])), self.num_nodes)

    def hidden(self, pairs: Tensor) -> Tensor:
        """Returns which pairs ``[P, 2]`` have a hidden end, ``[P]``."""
        known = torch.zeros(self.num_nodes, dtype=torch.bool)
        known[self.observed] = True
        return ~known[pairs].all(dim=1)


def split_edges(
    edge_index: Tensor,
    num_nodes: int,
    seed: int = 0,
    setting: str = "transductive",
    val: float = 0.05,
    test: float = 0.1,
    hidden: float = 0.1,
    shown: float = 0.5,
) -> LinkSplit:
    """Splits the undirected edges of a graph.

    ``transductive``: shares ``val`` and ``test`` of the edges are drawn; the rest trains. ``inductive``: a share
    ``hidden`` of the nodes is hidden with all their edges. Of those, a share ``shown`` joins the graph when a
    teacher answers, and the others are the test pairs; the edges between observed nodes are split into validation
    and training pairs. Test negatives have a hidden end as well, else a hidden end alone would tell the classes
    apart. ``cold_start``: as ``inductive``, but no edge of a hidden node is shown. ``production``: as
    ``inductive``, and a share ``test`` of the edges between observed nodes is tested as well, with as many
    negatives of their own.

    Negatives of validation are drawn once from the pairs of observed nodes without an edge, those of test once
    from the pairs without an edge in the full graph. Training draws its own negatives, from the pairs without a
    *training* edge: that a pair is none of the hidden edges is not known then.

    Source: the shares of Guo et al., Linkless Link Prediction via Relational Distillation, ICML 2023

    Args:
        edge_index: ``[2, E']``, in one direction or both.
        num_nodes: ``N``.
        seed: of everything drawn.
        setting: ``transductive``, ``production``, ``inductive`` or ``cold_start``.
        val: share of the edges; where nodes are hidden, of those between observed nodes.
        test: likewise; not read by ``inductive`` and ``cold_start``.
        hidden: share of the nodes; not read by ``transductive``.
        shown: share of the hidden nodes' edges; read by ``production`` and ``inductive``.

    Raises:
        GraphKDError: an invalid argument, or too few edges or too few pairs without one.

    >>> ring = torch.stack([torch.arange(100), (torch.arange(100) + 1) % 100])
    >>> split = split_edges(ring, num_nodes=100)
    >>> len(split.train), len(split.val), len(split.test), len(split.test_negative)
    (85, 5, 10, 10)
    """
    check_choice("links", SETTINGS, setting=setting)
    check_shares("links", val=val, test=test, hidden=hidden, shown=shown)
    edges = undirected_pairs(edge_index, num_nodes)
    draws = generator(parse_seed(seed), "links", setting, device=torch.device("cpu"))
    edges = edges[torch.randperm(len(edges), generator=draws)]
    if setting == "transductive":
        return _transductive(edges, num_nodes, val, test, draws)
    shares = (val, test if setting == "production" else 0.0, shown if setting != "cold_start" else 0.0)
    return _hiding(edges, num_nodes, setting, hidden, shares, draws)


def _transductive(edges: Tensor, num_nodes: int, val: float, test: float, draws: torch.Generator) -> LinkSplit:
    num_val, num_test = int(val * len(edges)), int(test * len(edges))
    _check_sizes(val=num_val, test=num_test, train=len(edges) - num_val - num_test)
    val_edges, test_edges, train = edges.tensor_split([num_val, num_val + num_test])
    negative = draw_non_edges(edges, num_nodes, num_val + num_test, draws)
    val_negative, test_negative = negative.tensor_split([num_val])
    everything = torch.arange(num_nodes)
    return LinkSplit(
        num_nodes, train, val_edges, val_negative, test_edges, test_negative, observed=everything, shown=edges[:0]
    )


def _hiding(
    edges: Tensor,
    num_nodes: int,
    setting: str,
    hidden: float,
    shares: tuple[float, float, float],
    draws: torch.Generator,
) -> LinkSplit:
    """Splits with hidden nodes; ``shares`` are those of validation and test inside, and of the shown edges."""
    order = torch.randperm(num_nodes, generator=draws)
    away, observed = (part.sort().values for part in order.tensor_split([int(hidden * num_nodes)]))
    is_away = torch.zeros(num_nodes, dtype=torch.bool)
    is_away[away] = True
    touching = is_away[edges].any(dim=1)
    inside, outside = edges[~touching], edges[touching]
    num_val, num_test = (int(share * len(inside)) for share in shares[:2])
    num_shown = int(shares[2] * len(outside))
    sizes = {"test": len(outside) - num_shown, "train": len(inside) - num_val - num_test}
    _check_sizes(val=num_val, **sizes)
    # Negatives inside are drawn within the observed nodes, whose own numbers are 0 … n − 1.
    number = torch.full((num_nodes,), -1)
    number[observed] = torch.arange(observed.numel())
    negative = observed[draw_non_edges(number[inside], observed.numel(), num_val + num_test, draws)]
    new_negative = draw_non_edges(edges, num_nodes, sizes["test"], draws, away)
    return LinkSplit(
        num_nodes,
        train=inside[num_val + num_test :],
        val=inside[:num_val],
        val_negative=negative[:num_val],
        test=torch.cat([outside[num_shown:], inside[num_val : num_val + num_test]]),
        test_negative=torch.cat([new_negative, negative[num_val:]]),
        observed=observed,
        shown=outside[:num_shown],
        setting=setting,
    )


def _check_sizes(**sizes: int) -> None:
    empty = [name for name, size in sizes.items() if size < 1]
    if empty:
        raise GraphKDError(
            f"the split leaves no edge for {empty[0]}: give a graph with more edges, or choose other shares"
        )
