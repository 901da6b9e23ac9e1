"""Equal weights: the baseline of any influence."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Adjacency, Features


def uniform(x: Tensor | Features, edge_index: Tensor | Adjacency) -> Tensor:
    """Returns ``I_i = 1``. Edges, their weights and features are not read; costs O(N).

    Source: the uniform baseline; no paper

    Args:
        x: ``[N, D]``.
        edge_index: ``[2, E]``, or the adjacency; not used.

    Returns:
        ``[N]`` float32 ones.

    >>> uniform(torch.zeros(3, 1), torch.tensor([[0], [1]]))
    tensor([1., 1., 1.])
    """
    return torch.ones(x.shape[0], device=x.device)
