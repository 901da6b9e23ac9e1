"""Random weights: the baseline of an uninformative influence."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.influence._checks import check_seed, scaled
from graphkd.sparse import Adjacency, Features


def random_uniform(x: Tensor | Features, edge_index: Tensor | Adjacency, seed: int = 0) -> Tensor:
    """Draws ``I_i = u_i / max_l u_l`` with ``u_i ~ U(0, 1)``, in the order of the nodes.

    Edges, their weights and features are not read. Costs O(N).

    Source: the random baseline; no paper

    Args:
        x: ``[N, D]``; only the number of rows is read.
        edge_index: ``[2, E]``, or the adjacency; not used.
        seed: of the draw; in a run, the run's seed is added to it.

    Returns:
        ``[N]`` float32 in [0, 1].

    Raises:
        GraphKDError: the seed is invalid.

    >>> weights = random_uniform(torch.zeros(5, 1), torch.tensor([[0], [1]]), seed=0)
    >>> weights.shape, float(weights.max())
    (torch.Size([5]), 1.0)
    """
    check_seed(seed)
    weights = torch.rand(x.shape[0], dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return scaled(weights.to(x.device))
