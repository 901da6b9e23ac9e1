"""Another influence's weights, permuted: a baseline without the ranking's information."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphkd import influence
from graphkd.influence._checks import check_seed
from graphkd.registry import lookup, parameters_of
from graphkd.sparse import Adjacency, Features


def shuffled(
    x: Tensor | Features,
    edge_index: Tensor | Adjacency,
    base: str = "infgrand",
    variant: str = "paper",
    seed: int = 0,
    **inputs: Any,
) -> Tensor:
    """Permutes another influence: ``I_i = J_π(i)``, ``J`` the weights of ``base``, ``π`` a random permutation.

    The distribution is preserved, the ranking is not. Reads the same inputs as ``base``, at the same cost.

    Source: the shuffled baseline; no paper

    Args:
        x: ``[N, D]``.
        edge_index: ``[2, E]``, or the adjacency.
        base: name of an influence; it has its default settings except for ``variant`` and ``seed``.
        variant: passed to a base that has it, such as ``infgrand``.
        seed: of the permutation, and passed to a random base; in a run, the run's seed is added to it.
        inputs: further inputs of ``base``: ``labels``, ``logits``, ``perturbed``.

    Returns:
        ``[N]`` float32 in [0, 1].

    Raises:
        GraphKDError: the seed is invalid, the base is unknown, or as in the base.

    >>> import torch
    >>> weights = shuffled(torch.zeros(3, 1), torch.tensor([[0, 0, 1], [1, 2, 2]]), base="degree")
    >>> weights.sort().values
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_seed(seed)
    part = lookup(influence, base)
    shared = {"variant": variant, "seed": seed}
    settings = {key: value for key, value in shared.items() if key in parameters_of(part)}
    weights: Tensor = part(x, edge_index, **settings, **inputs)
    order = torch.randperm(weights.shape[0], generator=torch.Generator().manual_seed(seed))
    return weights[order.to(weights.device)]
