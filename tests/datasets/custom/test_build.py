"""Every form of the same graph gives the same data; what is wrong in any of them is one line."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from torch_geometric.data import Data

import graphkd
from graphkd import GraphKDError, from_frames, from_networkx, from_scipy
from tests.datasets.custom.graphs import EDGES, IDS, ROWS, SIDES, SPLIT, X, arrays, edges, matrix, network, nodes
from tests.datasets.custom.graphs import write_folder as write

FRAME = {"id": "id", "label": "label", "split": "split"}


def as_frames(directed: bool, tmp_path: Path) -> Data:
    return from_frames(nodes(), edges(), **FRAME, weight="weight", directed=directed, columns="none")


def as_networkx(directed: bool, tmp_path: Path) -> Data:
    return from_networkx(network(directed), "both", "side", split="part", weight="weight")


def as_scipy(directed: bool, tmp_path: Path) -> Data:
    return from_scipy(matrix(), X, SIDES, split=SPLIT, ids=IDS, weighted=True, directed=directed)


def as_csv(directed: bool, tmp_path: Path) -> Data:
    return graphkd.load_dataset("custom", path=write(tmp_path), directed=directed, columns="none")


def as_parquet(directed: bool, tmp_path: Path) -> Data:
    nodes().to_parquet(tmp_path / "nodes.parquet")
    edges().to_parquet(tmp_path / "edges.parquet")
    return graphkd.load_dataset("custom", path=tmp_path, directed=directed, columns="none")


def as_npz(directed: bool, tmp_path: Path) -> Data:
    np.savez(tmp_path / "graph.npz", **arrays())
    return graphkd.load_dataset("custom", path=tmp_path, directed=directed)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("form", [as_frames, as_networkx, as_scipy, as_csv, as_parquet, as_npz])
def test_every_form_gives_the_same_data(form: Callable[..., Data], directed: bool, tmp_path: Path) -> None:
    data = form(directed, tmp_path)
    wanted = {(sender, receiver): weight for sender, receiver, weight in EDGES}
    if not directed:
        wanted |= {(receiver, sender): weight for sender, receiver, weight in EDGES}
    got = {
        (data.node_ids[sender], data.node_ids[receiver]): weight
        for (sender, receiver), weight in zip(data.edge_index.t().tolist(), data.edge_weight.tolist(), strict=True)
    }
    assert got == wanted
    assert data.num_edges == len(wanted)
    torch.testing.assert_close(data.x, torch.from_numpy(X))
    assert data.node_ids == IDS
    assert data.class_names == ["blue", "red"]
    assert [data.class_names[number] for number in data.y.tolist()] == SIDES
    for part in ("train", "val", "test"):
        assert data[f"{part}_mask"].tolist() == [name == part for name in SPLIT]
    assert graphkd.datasets.Graph.from_data(data).split == "masks"


def test_sparse_features_stay_sparse(tmp_path: Path) -> None:
    sparse = scipy.sparse.csr_array(X)
    np.savez(
        tmp_path / "graph.npz",
        **arrays(x=None),
        x_data=sparse.data, x_indices=sparse.indices, x_indptr=sparse.indptr, x_shape=np.array(sparse.shape),
    )  # fmt: skip
    beside = write(tmp_path / "tables", nodes(a=None, b=None))
    scipy.sparse.save_npz(beside / "features.npz", sparse)
    for data in (
        from_scipy(matrix(), sparse, SIDES),
        from_frames(nodes(), edges(), id="id", label="label", features=sparse),
        from_networkx(network(), sparse, "side"),
        graphkd.load_dataset("custom", path=tmp_path),
        graphkd.load_dataset("custom", path=beside),
    ):
        assert data.x.layout == torch.sparse_csr
        torch.testing.assert_close(data.x.to_dense(), torch.from_numpy(X))


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "three dimensions": (lambda: from_scipy(matrix(), X.reshape(8, 1, 2)), r"shape \[8, 1, 2\]"),
    "infinity": (
        lambda: from_scipy(matrix(), np.full((8, 1), 1e300)),
        r"holds NaN or infinite values \(first in row 0\)",
    ),
    "complex": (lambda: from_scipy(matrix(), X + 1j), "features must hold real numbers, but holds complex64"),
    "ragged rows": (lambda: from_scipy(matrix(), [[1.0], [1.0, 2.0]] * 4), "is no table of numbers"),
    "ragged masks": (
        lambda: from_scipy(matrix(), X, SIDES, split=[[1] * 8, [0] * 8, [0]]),
        "val_mask of split|1 entries",
    ),
    "a short split": (
        lambda: from_scipy(matrix(), X, SIDES, split=["train"] * 7),
        "split has 7 entries for 8 nodes",
    ),
    "a number for a split": (
        lambda: from_scipy(matrix(), X, SIDES, split=0.6),
        "split is a float: give train, val",
    ),
    "signs for classes": (
        lambda: from_scipy(matrix(), X, [-1, 1] * 4),
        "nothing but -1 and 1, and -1 means unknown",
    ),
    "a class below 0": (
        lambda: from_scipy(matrix(), X, [-2, 1] * 4),
        "labels holds -2: only -1, unknown, is below 0",
    ),
    "a table of labels": (lambda: from_scipy(matrix(), X, np.eye(8)), "labels has exactly one 1 in every row"),
    "too few labels": (lambda: from_scipy(matrix(), X, [0, 1, *[None] * 6]), "only 2 labelled nodes in 2 classes"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake: str) -> None:
    make, message = MISTAKES[mistake]
    with pytest.raises(GraphKDError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def legal(labels: Any = SIDES, edge_list: Any = ROWS, features: Any = X, **keys: Any) -> Data:
    pairs = np.asarray(edge_list, dtype=np.int64).reshape(2, -1)
    adjacency = scipy.sparse.coo_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), (8, 8))
    return from_scipy(adjacency, features, labels, **keys)


ODD: dict[str, tuple[Callable[[], Data], dict[str, Any]]] = {
    "no edges": (lambda: legal(edge_list=[[], []]), {"edges": 0}),
    "self-loops only": (lambda: legal(edge_list=[[0, 1], [0, 1]]), {"edges": 2}),
    "a million copies": (lambda: legal(edge_list=np.tile([[0], [1]], 1_000_000)), {"edges": 2}),
    "one class": (lambda: legal(labels=["red"] * 8), {"names": ["red"]}),
    "a class of one node": (lambda: legal(labels=["lone", *SIDES[1:]]), {"names": ["blue", "lone", "red"]}),
    "booleans": (lambda: legal(labels=[True, False] * 4), {"names": [False, True]}),
    "numbers with gaps": (lambda: legal(labels=[10, 30] * 4), {"names": [10, 30]}),
    "numbers from 0": (lambda: legal(labels=np.array([0, 1] * 4)), {"names": None}),
    "whole floats and NaN": (lambda: legal(labels=[0.0, 1.0, np.nan, 1.0, 0.0, 1.0, 0.0, 1.0]), {"unknown": [2]}),
    "-1 among numbers": (lambda: legal(labels=[0, 1, -1, 1, 0, 1, 0, 1]), {"unknown": [2]}),
    "gaps among texts": (
        lambda: legal(labels=["a", "b", None, "b", "", "a", float("nan"), pd.NA]),
        {"unknown": [2, 4, 6, 7]},
    ),
    "one feature": (lambda: legal(features=range(8)), {"width": 1}),
    "booleans as features": (lambda: legal(features=X > 3), {"width": 2}),
    "doubles": (lambda: legal(features=X.astype(np.float64)), {"width": 2}),
    "a frame of features": (lambda: legal(features=pd.DataFrame(X)), {"width": 2}),
    "ids that are tuples": (lambda: legal(ids=[(0, index) for index in range(8)]), {"width": 2}),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_but_legal(case: str) -> None:
    make, wanted = ODD[case]
    data = make()
    assert data.x.dtype == torch.float32
    assert data.num_edges == wanted.get("edges", data.num_edges)
    assert data.x.shape == (8, wanted.get("width", 2))
    if "names" in wanted:
        assert getattr(data, "class_names", None) == wanted["names"]
    assert (data.y == -1).nonzero().reshape(-1).tolist() == wanted.get("unknown", [])
    graph = graphkd.datasets.Graph.from_data(data)
    assert (graph.split, graph.num_nodes) == ("fractions", 8)


def test_weights_that_are_there_and_not_asked_for_are_one_warning() -> None:
    edges = pd.DataFrame({"source": ["a"], "target": ["b"], "weight": [2.0]})
    nodes = pd.DataFrame({"size": [1.0, 2.0]}, index=["a", "b"])
    graph = nx.Graph()
    graph.add_edge("a", "b", weight=2.0)
    matrix = scipy.sparse.coo_array(([1.0, 1.0, 2.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    features = [[1.0], [2.0]]
    calls = {
        "edges has a column 'weight', which is not read: pass weight='weight'": lambda **weight: from_frames(
            nodes, edges, columns="none", **weight
        ),
        "edges have an attribute 'weight', which is not read: pass weight='weight'": lambda **weight: (
            from_networkx(graph, features, **weight)
        ),
    }
    for message, call in calls.items():
        with pytest.warns(UserWarning, match=message) as caught:
            assert "edge_weight" not in call()
        assert [Path(each.filename).name for each in caught] == [Path(__file__).name]
        assert call(weight="weight").edge_weight.tolist() == [2.0, 2.0]
    with pytest.warns(UserWarning, match=r"adjacency holds entries other than 0 and 1.*pass weighted=True"):
        from_scipy(matrix, features)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_scipy(matrix, features, weighted=True)
        from_scipy(matrix.astype(bool), features)
        matrix.data[2] = 1
        from_scipy(matrix, features)  # an entry that is listed twice is no weight
