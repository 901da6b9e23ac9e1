"""Another influence's weights on the wrong nodes: whether its ranking carries anything."""

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
    """``I_i = J_π(i)`` with ``J`` the weights of ``base`` and ``π`` a permutation of all nodes, drawn by the seed.

    The distribution stays, the ranking goes. What is read is what ``base`` reads; costs as ``base`` does.

    Source: the shuffled baseline; no paper

    Args:
        x: ``[N, D]``.
        edge_index: ``[2, E]``, or the adjacency.
        base: name of an influence, with its defaults but for the next two where it has them.
        variant: of a base such as ``infgrand``; not read by others.
        seed: of the permutation, and of a base that draws; in a run, the run's seed is added to it.
        inputs: what ``base`` asks for besides: ``labels``, ``logits``, ``perturbed``.

    Returns:
        ``[N]`` float32 in [0, 1].

    Raises:
        GraphKDError: no seed, an unknown base, or what the base refuses.
    """
    check_seed(seed)
    part = lookup(influence, base)
    shared = {"variant": variant, "seed": seed}
    settings = {key: value for key, value in shared.items() if key in parameters_of(part)}
    weights: Tensor = part(x, edge_index, **settings, **inputs)
    order = torch.randperm(weights.shape[0], generator=torch.Generator().manual_seed(seed))
    return weights[order.to(weights.device)]
