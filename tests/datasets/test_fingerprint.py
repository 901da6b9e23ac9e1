import warnings

import pytest
import torch
from torch_geometric.data import Data

import graphkd
from graphkd.datasets import Graph, fingerprint
from graphkd.datasets.fingerprint import fingerprints
from tests.conftest import make_data

CONTENT, SPLIT = "fingerprint", "split_fingerprint"

CHANGES = {
    "features": (lambda data: data.x.__setitem__((0, 0), 7.0), CONTENT),
    "edges": (lambda data: data.edge_index.__setitem__((0, 0), 5), CONTENT),
    "labels": (lambda data: data.y.__setitem__(0, (data.y[0] + 1) % 3), CONTENT),
    "weights": (lambda data: setattr(data, "edge_weight", torch.ones(data.num_edges)), CONTENT),
    "precision": (lambda data: setattr(data, "x", data.x.double()), CONTENT),
    "masks": (lambda data: data.train_mask.logical_not_(), SPLIT),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_part_counts_in_one_of_the_two(name: str) -> None:
    data = make_data()
    before = fingerprints(data)
    assert fingerprints(data.clone()) == before
    change, key = CHANGES[name]
    change(data)
    after = fingerprints(data)
    assert [each for each in (CONTENT, SPLIT) if before[each] != after[each]] == [key]


def test_sparse_features_and_types_that_numpy_lacks_count_by_their_values() -> None:
    one = Data(x=torch.eye(3).to_sparse_csr())
    assert fingerprints(one) == fingerprints(Data(x=torch.eye(3).to_sparse_csr()))
    assert fingerprints(one) != fingerprints(Data(x=(2 * torch.eye(3)).to_sparse_csr()))
    half = Data(x=torch.eye(3, dtype=torch.bfloat16, requires_grad=True))
    assert fingerprints(half) != fingerprints(Data(x=torch.zeros(3, 3, dtype=torch.bfloat16)))


def test_of_a_large_array_its_ends_and_blocks_between_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "LIMIT", 64)
    monkeypatch.setattr(fingerprint, "BLOCKS", 4)  # of 4 numbers each: 0 to 3, 32 to 35, 64 to 67, 96 to 99
    x = torch.zeros(100)
    before = fingerprints(Data(x=x))
    seen = [at for at in range(100) if fingerprints(Data(x=x.index_fill(0, torch.tensor([at]), 1.0))) != before]
    assert seen == [*range(4), *range(32, 36), *range(64, 68), *range(96, 100)]
    assert fingerprints(Data(x=torch.zeros(101))) != before


@pytest.mark.parametrize(("part", "words"), [("x", "features, edges or labels"), ("train_mask", "the masks")])
def test_changed_data_is_one_s_own(part: str, words: str) -> None:
    data = graphkd.load_dataset("digits", row_normalize=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = Graph.from_data(data)
    assert (graph.dataset, graph.split, graph.origin.get("in_memory")) == ("digits", "random", None)
    data[part] = data[part].clone()
    data[part][int(data.train_mask.nonzero()[0])] = 0
    with pytest.warns(UserWarning, match=f"^{words} of digits were changed after it was loaded") as caught:
        graph = Graph.from_data(data)
    assert len(caught) == 1
    assert (graph.dataset, graph.split, graph.origin["in_memory"]) == ("custom", "masks", True)
    assert graph.preprocessing.row_normalize  # what is done with rows is still what was asked for


def test_a_split_that_was_drawn_is_named_as_long_as_it_is_that_one() -> None:
    frames = make_data()
    data = graphkd.from_scipy(_matrix(frames), frames.x, frames.y)
    assert Graph.from_data(data).split == "fractions"
    data.val_mask, data.test_mask = data.test_mask, data.val_mask
    with pytest.warns(UserWarning, match="the masks of custom were changed"):
        assert Graph.from_data(data).split == "masks"


def _matrix(data: Data):
    import scipy.sparse

    ones = torch.ones(data.num_edges).numpy()
    return scipy.sparse.coo_array((ones, tuple(data.edge_index.numpy())), shape=(data.num_nodes,) * 2)
