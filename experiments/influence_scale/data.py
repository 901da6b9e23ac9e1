"""Graphs and signed features of the size of ogbn-arxiv and ogbn-products, drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Adjacency

KINDS = ("correlated", "spread", "gaussian")


def table(kind: str, group: Tensor, width: int) -> Tensor:
    """``[N, width]`` float32.

    - ``correlated``: a common mean, 16 directions of falling variance, half of it the group's, and noise in all
      directions;
    - ``spread``: the same with as many directions as columns, of slowly falling variance, and less mean and noise;
    - ``gaussian``: independent of everything, no direction before any other: no bound rules anything out.
    """
    if kind == "gaussian":
        return torch.randn(group.numel(), width)
    rank, decay, mean, noise = (16, 0.5, 0.5, 0.5) if kind == "correlated" else (width, 0.15, 0.3, 0.3)
    scale = torch.arange(1, rank + 1).float().pow(-decay)
    scale *= 0.5**0.5 / scale.norm()
    basis = torch.linalg.qr(torch.randn(width, rank))[0].t()
    centres = torch.randn(int(group.max()) + 1, rank)
    latent = (torch.randn(group.numel(), rank) + centres[group]) * scale
    x = latent @ basis
    x += torch.nn.functional.normalize(torch.randn(width), dim=0) * mean
    return x.add_(torch.randn_like(x), alpha=noise / width**0.5)


def groups(num_nodes: int, number: int) -> Tensor:
    """``[N]``: which group each node belongs to."""
    return torch.randint(number, (num_nodes,))


def graph(group: Tensor, pairs: int) -> Adjacency:
    """``pairs`` undirected edges, both directions listed; 70 of 100 end in the sender's group.

    Senders are drawn with a power law of exponent 3, the other ends evenly.
    """
    num_nodes = group.numel()
    sender = (num_nodes * torch.rand(pairs) ** 2).long()
    order, counts = torch.argsort(group), torch.bincount(group)
    first = counts.cumsum(0) - counts
    of_sender = group[sender]
    place = (torch.rand(pairs) * counts[of_sender]).long().clamp_(max=counts[of_sender] - 1)
    receiver = order[first[of_sender] + place]
    elsewhere = torch.rand(pairs) > 0.7
    receiver[elsewhere] = torch.randint(num_nodes, (int(elsewhere.sum()),))
    both = torch.stack([torch.cat([sender, receiver]), torch.cat([receiver, sender])])
    return Adjacency(both, num_nodes)
