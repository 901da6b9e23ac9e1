from collections.abc import Callable

import pytest
import torch
from torch_geometric.data import Data

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


def cut_at(first: int, second: int) -> Data:
    """Nodes for training, validation and test one after the other, as in Planetoid's files."""
    data, node = make_data(), torch.arange(60)
    data.train_mask, data.val_mask, data.test_mask = (
        node < first,
        (node >= first) & (node < second),
        node >= second,
    )
    return data


def changed(name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Data:
    data = cut_at(20, 40)
    data[name] = change(data[name].clone())
    return data


OTHERS = {
    "a feature": changed("x", lambda x: x.index_fill_(0, torch.tensor([59]), 0.5)),
    "features in another order": changed("x", lambda x: x.flip(1)),
    "an edge less": changed("edge_index", lambda edges: edges[:, 1:]),
    "edges the other way": changed(
        "edge_index", lambda edges: torch.cat([edges[:, :5].flip(0), edges[:, 10:]], 1)
    ),
    "a training label": changed("y", lambda y: y.index_copy_(0, torch.tensor([3]), torch.tensor([1]))),
    "a test label": changed("y", lambda y: y.index_copy_(0, torch.tensor([58]), torch.tensor([0]))),
    "training nodes": changed("train_mask", lambda mask: mask.index_fill_(0, torch.tensor([4]), False)),
    "validation nodes": changed("val_mask", lambda mask: mask.index_fill_(0, torch.tensor([30]), False)),
    "test nodes": changed("test_mask", lambda mask: mask.index_fill_(0, torch.tensor([50]), False)),
    "where validation begins": cut_at(19, 40),
    "where test begins": cut_at(20, 41),
    "weights of 1 in double precision": changed("x", lambda x: x).update(
        {"edge_weight": torch.ones(make_data().num_edges, dtype=torch.float64)}
    ),
    "weights": changed("x", lambda x: x).update({"edge_weight": torch.full((make_data().num_edges,), 0.5)}),
}


@pytest.mark.parametrize("other", OTHERS)
def test_the_fingerprint_is_of_every_part_of_the_data(other: str) -> None:
    prints = [Graph.from_data(data).fingerprint() for data in (cut_at(20, 40), cut_at(20, 40), OTHERS[other])]
    assert prints[0] == prints[1]
    assert prints[0] != prints[2]


def test_edge_weights_reach_the_adjacency() -> None:
    data = make_data()
    data.edge_weight = torch.full((data.num_edges,), 0.5)
    assert Graph.from_data(data).adj.matrix.value.unique().tolist() == [0.5]
