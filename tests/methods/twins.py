"""How a closed form is compared with its literal twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from graphkd.datasets import Graph
from graphkd.sparse import Adjacency


def assert_same_loss(
    ours: Callable[[Tensor], Tensor],
    theirs: Callable[[Tensor], Tensor],
    logits: Tensor,
    scale: float,
    tolerance: float,
) -> None:
    """Same value relative to ``scale`` (H0, the size of the terms that cancel), same gradient relative to its
    largest entry; near KL = 0, where both vanish, relative to a tenth of what they can be.
    """
    mine, other = logits.clone().requires_grad_(), logits.clone().double().requires_grad_()
    value, expected = ours(mine), theirs(other)
    value.backward()
    expected.backward()
    assert mine.grad is not None
    assert other.grad is not None
    assert abs(float(value.detach()) - float(expected.detach())) <= tolerance * scale
    error = float((mine.grad.double() - other.grad).abs().max())
    assert error <= tolerance * max(float(other.grad.abs().max()), 0.1 * scale)


def graph_of(edges: Tensor, num_nodes: int, x: Tensor | None = None, influence: Tensor | None = None) -> Graph:
    """A graph whose first three nodes are labelled 0, 1, 0, the fourth is validation and the fifth test."""
    y = torch.full((num_nodes,), -1)
    y[:5] = torch.tensor([0, 1, 0, 1, 0])
    graph = Graph(
        x=torch.ones(num_nodes, 2) if x is None else x,
        adj=Adjacency(edges, num_nodes),
        y=y,
        train=torch.tensor([0, 1, 2]),
        val=torch.tensor([3]),
        test=torch.tensor([4]),
        num_classes=4,
    )
    return replace(graph, influence=influence)
