"""A small graph whose features say where its edges are."""

import pytest
import torch
from torch_geometric.data import Data


def community_graph(num_nodes: int = 60, seed: int = 0) -> Data:
    """Noisy rows of four communities, edges mostly inside them; no labels and no masks."""
    draws = torch.Generator().manual_seed(seed)
    y = torch.arange(num_nodes) % 4
    x = torch.eye(4)[y].repeat(1, 3) + 0.3 * torch.randn(num_nodes, 12, generator=draws)
    ends = torch.randint(num_nodes, (2, 12 * num_nodes), generator=draws)
    same = (y[ends[0]] == y[ends[1]]) | (torch.rand(ends.shape[1], generator=draws) < 0.03)
    ends = ends[:, same & (ends[0] != ends[1])]
    return Data(x=x, edge_index=torch.cat([ends, ends.flip(0)], dim=1))


@pytest.fixture
def data() -> Data:
    return community_graph()
