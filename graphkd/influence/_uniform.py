"""Every node weighs the same: the baseline for any influence."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.sparse import Adjacency, Features


def uniform(x: Tensor | Features, edge_index: Tensor | Adjacency) -> Tensor:
    """``I_i = 1``. Neither edges, their weights nor features are read; costs O(N).

    Source: the uniform baseline; no paper

    Args:
        x: ``[N, D]``.
        edge_index: ``[2, E]``, or the adjacency; not used.

    Returns:
        ``[N]`` float32 ones.
    """
    return torch.ones(x.shape[0], device=x.device)
