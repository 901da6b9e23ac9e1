"""The graph of every table here."""

from __future__ import annotations

import torch

from graphkd.sparse import Adjacency


def power_law(num_nodes: int, num_edges: int) -> Adjacency:
    """Undirected, both directions listed; degrees fall as rank^(-1/2), a power law of exponent 3."""
    torch.manual_seed(0)
    half = (num_nodes * torch.rand(2, num_edges // 2) ** 2).long()
    return Adjacency(torch.cat([half, half.flip(0)], dim=1), num_nodes)
