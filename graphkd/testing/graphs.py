"""A small graph for checks."""

from __future__ import annotations

import torch

from graphkd.datasets import Graph


def small_graph(num_nodes: int = 60, num_classes: int = 3, num_features: int = 8, seed: int = 0) -> Graph:
    """Returns a checked graph: noisy features, edges mostly inside classes, three masks, drawn influence.

    Args:
        num_nodes: ``N``.
        num_classes: ``C``.
        num_features: ``D``.
        seed: of everything drawn.
    """
    from torch_geometric.data import Data

    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(num_nodes) % num_classes
    x = torch.randn(num_classes, num_features, generator=generator)[y]
    x = x + torch.randn(num_nodes, num_features, generator=generator)
    ends = torch.randint(num_nodes, (2, 6 * num_nodes), generator=generator)
    same = (y[ends[0]] == y[ends[1]]) | (torch.rand(ends.shape[1], generator=generator) < 0.2)
    ends = ends[:, same & (ends[0] != ends[1])]
    edge_index = torch.unique(torch.cat([ends, ends.flip(0)], dim=1), dim=1)
    third = torch.arange(num_nodes) // num_classes % 3
    masks = {name: third == k for k, name in enumerate(("train_mask", "val_mask", "test_mask"))}
    graph = Graph.from_data(Data(x=x, edge_index=edge_index, y=y, **masks))
    return graph.with_influence(torch.rand(num_nodes, generator=generator))
