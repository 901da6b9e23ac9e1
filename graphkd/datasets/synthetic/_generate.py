"""Generation of a graph from a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from graphkd.datasets.synthetic.edges import both_directions, ends, pairs
from graphkd.datasets.synthetic.nodes import communities, features, labels, split
from graphkd.datasets.synthetic.plan import Plan
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.system import memory, readable

if TYPE_CHECKING:
    from torch_geometric.data import Data


def generate(plan: Plan, seed: int = 0) -> Data:
    """Draws a graph with exactly the plan's counts from a degree-corrected block model with Gaussian features.

    Args:
        plan: of the graph.
        seed: of all random numbers; the same seed gives the same graph. The data sets ``synthetic-…`` have a
            fixed seed: each is one data set, and a run's seeds only vary its training.

    Returns:
        ``Data`` with ``x [N, D]`` float32, ``edge_index [2, E]`` (undirected: ``[2, 2 E]``), ``y [N]`` (−1
        outside the masks), three masks ``[N]`` and ``class_names``.

    Raises:
        GraphKDError: there is not enough memory.

    Source: Karrer and Newman, Stochastic blockmodels and community structure in networks, Phys. Rev. E 2011
    """
    from torch_geometric.data import Data

    _check_memory(plan)
    rng = np.random.default_rng(seed)
    community = communities(plan, rng)
    y = labels(plan, community, rng)
    masks = split(plan, rng)
    y[~(masks[0] | masks[1] | masks[2])] = -1
    keys = pairs(plan, community, rng)
    edges = ends(keys, plan.num_nodes) if plan.directed else both_directions(keys, plan.num_nodes)
    del keys
    return Data(
        x=torch.from_numpy(features(plan, community, rng)),
        edge_index=torch.from_numpy(edges),
        y=torch.from_numpy(y),
        class_names=[str(number) for number in range(plan.num_classes)],
        **{name: torch.from_numpy(mask) for name, mask in zip(MASKS, masks, strict=True)},
    )


def _check_memory(plan: Plan) -> None:
    available = memory()
    if available is not None and plan.size > available.free + available.swap:
        raise GraphKDError(
            f"a graph of {plan.num_nodes:,} nodes takes at least {readable(plan.size)} of memory, "
            f"{readable(available.free + available.swap)} are free: choose a smaller dataset.scale"
        )
