import pytest
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


@pytest.mark.parametrize("width", [8, 400])
def test_sparse_features_stay_sparse_where_that_costs_less_and_double_becomes_single(width: int) -> None:
    data = make_data()
    dense = torch.cat([data.x.abs(), torch.zeros(60, width - 8)], dim=1)
    data.x = dense.double().to_sparse_csr()
    graph = Graph.from_data(data, Preprocessing(row_normalize=True))
    assert isinstance(graph.x, SparseMatrix)
    assert graph.x.dtype == torch.float32
    assert isinstance(graph.in_cheapest_form().x, SparseMatrix if width == 400 else torch.Tensor)
    torch.testing.assert_close(graph.x.to_dense(), dense / dense.sum(dim=1, keepdim=True))


def test_the_data_says_how_its_rows_are_prepared() -> None:
    data = make_data()
    data.graphkd = {"name": "toy", "split": "public", "features": "binary", "row_normalize": True}
    graph = Graph.from_data(data)
    assert graph.preprocessing == Preprocessing("binary", True)
    assert (graph.dataset, graph.split) == ("toy", "public")
    assert Graph.from_data(data, Preprocessing()).preprocessing == Preprocessing()


def test_attributes_of_a_user_s_own_data_are_not_taken_for_ours() -> None:
    data = make_data()
    data.name, data.features, data.row_normalize = "cora", torch.ones(3), "no"
    graph = Graph.from_data(data)
    assert (graph.dataset, graph.preprocessing) == ("custom", Preprocessing())


def test_labels_outside_the_masks_do_not_count() -> None:
    data = make_data()
    outside = data.test_mask.nonzero()[:3].reshape(-1)
    data.test_mask[outside] = False
    data.y[outside] = torch.tensor([255, 10**9, -7])
    graph = Graph.from_data(data)
    assert graph.num_classes == 3
    assert graph.y[outside].tolist() == [-1, -1, -1]


def test_the_fingerprint_is_of_the_data() -> None:
    one, other = make_data(), make_data()
    assert Graph.from_data(one).fingerprint() == Graph.from_data(other).fingerprint()
    other.x[0, 0] += 1
    assert Graph.from_data(one).fingerprint() != Graph.from_data(other).fingerprint()


def test_edge_weights_reach_the_adjacency() -> None:
    data = make_data()
    data.edge_weight = torch.full((data.num_edges,), 0.5)
    assert Graph.from_data(data).adj.matrix.value.unique().tolist() == [0.5]
