import torch

from graphkd.datasets import Graph, Preprocessing
from graphkd.sparse import SparseMatrix
from tests.conftest import make_data


def test_it_holds_what_the_data_holds() -> None:
    data = make_data()
    graph = Graph.from_data(data)
    assert (graph.num_nodes, graph.num_features, graph.num_classes) == (60, 8, 3)
    assert torch.equal(graph.x, data.x)
    assert torch.equal(graph.train, data.train_mask.nonzero().reshape(-1))
    assert (graph.dataset, graph.split, graph.class_names) == ("custom", "masks", None)
    assert graph.with_influence(torch.ones(60)).influence.sum() == 60
    assert graph.to("cpu").adj is graph.adj


def test_sparse_features_stay_sparse_and_double_becomes_single() -> None:
    data = make_data()
    dense = data.x.abs()
    data.x = dense.double().to_sparse_csr()
    graph = Graph.from_data(data, Preprocessing(row_normalize=True))
    assert isinstance(graph.x, SparseMatrix)
    assert graph.x.dtype == torch.float32
    torch.testing.assert_close(graph.x.to_dense(), dense / dense.sum(dim=1, keepdim=True))


def test_the_data_says_how_its_rows_are_prepared() -> None:
    data = make_data()
    data.row_normalize, data.features = True, "binary"
    assert Graph.from_data(data).preprocessing == Preprocessing("binary", True)


def test_edge_weights_reach_the_adjacency() -> None:
    data = make_data()
    data.edge_weight = torch.full((data.num_edges,), 0.5)
    assert Graph.from_data(data).adj.matrix.value.unique().tolist() == [0.5]
