import warnings

import pytest
import torch
from torch_geometric.data import Data

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.datasets.validate import check
from tests.conftest import make_data


def spoil(key: str, value: object) -> Data:
    data = make_data()
    data[key] = value
    return data


def entry(key: str, index: object, value: object) -> Data:
    data = make_data()
    tensor = data[key].clone()
    tensor[index] = value
    data[key] = tensor
    return data


def in_train(value: float) -> Data:
    data = make_data()
    return entry("y", int(data.train_mask.nonzero()[0]), value)


NAN, INF = float("nan"), float("inf")
MISTAKES = {
    "no edges": (spoil("edge_index", None), "data.edge_index is missing"),
    "no labels": (spoil("y", None), "data.y is missing"),
    "no mask": (spoil("val_mask", None), "data.val_mask is missing"),
    "flat features": (spoil("x", torch.ones(60)), r"data.x must be \[rows, features\]"),
    "no feature columns": (
        spoil("x", torch.ones(60, 0)),
        r"data.x must be \[rows, features\], but has shape \[60, 0\]",
    ),
    "COO features": (spoil("x", torch.ones(60, 2).to_sparse_coo()), "call x.to_sparse_csr()"),
    "NaN feature": (entry("x", (7, 1), NAN), r"NaN or infinite values \(first in row 7\)"),
    "infinite feature": (entry("x", (7, 1), INF), "NaN or infinite values"),
    "NaN in sparse features": (spoil("x", entry("x", (7, 1), NAN).x.to_sparse_csr()), "NaN or infinite values"),
    "no nodes": (spoil("x", torch.ones(0, 3)), "data.x has no rows"),
    "features in numpy": (spoil("x", make_data().x.numpy()), "data.x is a ndarray: make it a tensor"),
    "complex features": (spoil("x", make_data().x.to(torch.complex64)), "but is complex"),
    "edges in numpy": (spoil("edge_index", make_data().edge_index.numpy()), "data.edge_index is a ndarray"),
    "edges of fractions": (
        spoil("edge_index", make_data().edge_index / 2),
        "tensor of whole numbers",
    ),
    "edges of the wrong shape": (spoil("edge_index", torch.zeros(60, 2).long()), r"edge_index must be \[2, E\]"),
    "edge out of range": (
        entry("edge_index", (0, 0), 60),
        "edge_index names nodes 0 to 60, but the graph has nodes 0",
    ),
    "negative edge": (entry("edge_index", (1, 0), -1), "edge_index names nodes -1"),
    "too few weights": (spoil("edge_weight", torch.ones(3)), "one weight per edge"),
    "negative weight": (spoil("edge_weight", -torch.ones(make_data().num_edges)), "finite and not negative"),
    "weights in numpy": (spoil("edge_weight", make_data().x.numpy()), "tensor of floating-point numbers"),
    "too few labels": (spoil("y", torch.zeros(59)), "one class per node"),
    "index mask": (spoil("train_mask", torch.arange(60)), "data.train_mask must be a boolean mask"),
    "several splits": (spoil("val_mask", torch.ones(60, 10, dtype=torch.bool)), "take one column"),
    "mask of the wrong length": (spoil("test_mask", torch.ones(59, dtype=torch.bool)), "must be a boolean mask"),
    "empty training mask": (
        spoil("train_mask", torch.zeros(60, dtype=torch.bool)),
        "data.train_mask selects no node",
    ),
    "empty validation mask": (
        spoil("val_mask", torch.zeros(60, dtype=torch.bool)),
        "data.val_mask selects no node",
    ),
    "overlapping masks": (
        spoil("val_mask", make_data().train_mask),
        "20 nodes are in both train_mask and val_mask",
    ),
    "unlabelled training node": (in_train(-1), "label -1 inside a mask, outside the classes 0 to 2"),
    "unknown metric": (spoil("metric", "auc"), "unknown data.metric 'auc': did you mean 'roc_auc'"),
    "a metric that is no name": (spoil("metric", [torch.ones(2, 2)]), "unknown data.metric 'list'"),
    "three classes ranked": (spoil("metric", "roc_auc"), "needs two classes, but there are 3"),
    "a class that skips": (in_train(7), "no node has class 3, though labels go up to 7"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_one_line(mistake: str) -> None:
    data, message = MISTAKES[mistake]
    with pytest.raises(GraphKDError, match=message) as caught:
        check(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("nodes", [1, 2, 7])
@pytest.mark.parametrize(
    ("first", "second"), [("train_mask", "val_mask"), ("val_mask", "test_mask"), ("train_mask", "test_mask")]
)
def test_no_node_may_be_in_two_masks(first: str, second: str, nodes: int) -> None:
    for one, other in ((first, second), (second, first)):
        data = make_data()
        data[one][data[other].nonzero()[:nodes]] = True
        with pytest.raises(GraphKDError, match=f"^{nodes} nodes are in both {first} and {second}: the masks must"):
            check(data)


def test_a_label_beyond_the_named_classes() -> None:
    data = make_data()
    data.class_names = ["a", "b"]
    with pytest.raises(GraphKDError, match="label 2 inside a mask, outside the classes 0 to 1"):
        check(data)


def test_labels_inside_masks_must_be_whole_numbers() -> None:
    data = make_data()
    for value in (0.5, NAN):
        data.y = data.y.float()
        data.y[data.train_mask] = value
        with pytest.raises(GraphKDError, match="not whole class numbers"):
            check(data)


def test_unlabelled_nodes_outside_the_masks_are_normal() -> None:
    data = make_data()
    data.test_mask[data.test_mask.nonzero()[:5]] = False
    outside = ~(data.train_mask | data.val_mask | data.test_mask)
    for unknown, dtype in ((-1, torch.long), (NAN, torch.float)):
        data.y = data.y.to(dtype)
        data.y[outside] = unknown
        assert (Graph.from_data(data).y[outside] == -1).all()


def test_named_classes_need_not_all_occur() -> None:
    data = make_data()
    data.class_names = ["a", "b", "c", "never seen"]
    assert Graph.from_data(data).num_classes == 4


def test_roc_auc_needs_both_classes_where_it_scores() -> None:
    data = make_data(num_classes=2)
    data.metric = "roc_auc"
    assert Graph.from_data(data).metric == "roc_auc"
    assert Graph.from_data(make_data()).metric == "accuracy"
    data.val_mask &= data.y == 0
    with pytest.raises(GraphKDError, match="data.metric is roc_auc, but val_mask selects one class only"):
        check(data)


def test_edge_attributes_that_nobody_reads_are_one_warning() -> None:
    data = make_data()
    data.edge_attr = torch.ones(data.num_edges)
    with pytest.warns(UserWarning, match=r"data.edge_attr is not read: where it is one weight per edge") as caught:
        check(data)
    assert len(caught) == 1
    data.edge_weight = data.edge_attr
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(data)
