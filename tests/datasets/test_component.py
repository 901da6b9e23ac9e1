import torch
from hypothesis import given
from torch import Tensor
from torch_geometric.data import Data

from graphkd.datasets.component import largest_component
from tests.strategies import edge_lists

N = 9


@given(edges=edge_lists(N))
def test_it_agrees_with_a_search_from_every_node(edges: Tensor) -> None:
    dense = torch.rand(N, 3)
    for x in (dense, dense.to_sparse_csr()):
        data = largest_component(Data(x=x, edge_index=edges, y=torch.arange(N)))
        kept = data.node_ids
        assert kept in [found for found in searched(edges) if len(found) == max(map(len, searched(edges)))]
        assert data.y.tolist() == kept
        assert torch.equal(data.x.to_dense(), dense[kept])
        old = [(kept[sender], kept[receiver]) for sender, receiver in data.edge_index.t().tolist()]
        assert old == [tuple(pair) for pair in edges.t().tolist() if pair[0] in kept]


def searched(edges: Tensor) -> list[list[int]]:
    """For each node those that are reached from it along edges in either direction."""
    found = []
    for start in range(N):
        reached = {start}
        for _ in range(N):
            for a, b in edges.t().tolist():
                if a in reached or b in reached:
                    reached |= {a, b}
        found.append(sorted(reached))
    return found


def test_names_stay() -> None:
    data = Data(x=torch.ones(2, 1), edge_index=torch.zeros(2, 0).long(), y=torch.zeros(2), class_names=["a"])
    small = largest_component(data)
    assert (small.class_names, small.node_ids, small.num_edges) == (["a"], [0], 0)


def test_what_a_graph_of_one_s_own_has_stays_beside_its_nodes_and_edges() -> None:
    edges = torch.tensor([[0, 2, 3], [1, 3, 4]])
    data = Data(x=torch.ones(5, 1), edge_index=edges, y=torch.zeros(5), node_ids=list("abcde"))
    data.edge_weight, data.feature_names = torch.tensor([0.5, 2.0, 3.0]), ["height"]
    small = largest_component(data)
    assert (small.node_ids, small.feature_names) == (["c", "d", "e"], ["height"])
    assert (small.edge_index.tolist(), small.edge_weight.tolist()) == ([[0, 1], [1, 2]], [2.0, 3.0])
