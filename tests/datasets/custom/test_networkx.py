from collections.abc import Callable
from typing import Any

import networkx
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from graphkd import GraphKDError, from_frames, from_networkx
from tests.datasets.custom.graphs import IDS, SIDES, X, network


def test_attributes_mappings_pandas_and_arrays_say_the_same_per_node() -> None:
    graph = network()
    by_node = dict(zip(IDS, X, strict=True))
    shuffled = pd.DataFrame(X, index=IDS).sample(frac=1, random_state=0)
    sides = pd.Series(SIDES, index=IDS).sample(frac=1, random_state=1)
    for features, labels in [
        ("both", "side"),
        (by_node, dict(zip(IDS, SIDES, strict=True))),
        (shuffled, sides),
        (X, SIDES),
    ]:
        data = from_networkx(graph, features, labels)
        torch.testing.assert_close(data.x, torch.from_numpy(X))
        assert data.y.tolist() == [1, 0] * 4
    assert from_networkx(graph, ["a", "both"], "side").x.tolist() == [[row[0], *row] for row in X.tolist()]
    assert from_networkx(graph, dict(graph.degree), "side").x.tolist() == [
        [2.0],
        [2.0],
        [2.0],
        [1.0],
        [2.0],
        [0.0],
        [1.0],
        [0.0],
    ]


def test_a_multigraph_counts_parallel_edges_once_and_adds_their_weights() -> None:
    graph = networkx.MultiDiGraph()
    graph.add_weighted_edges_from([("a", "b", 1.0), ("a", "b", 2.0), ("b", "c", 4.0), ("c", "b", 3.0)])
    graph.add_edge("c", "a")
    data = from_networkx(graph, X[:3], weight="weight")
    assert data.edge_index.tolist() == [[0, 1, 2, 2], [1, 2, 0, 1]]
    assert data.edge_weight.tolist() == [3.0, 4.0, 1.0, 3.0]
    assert from_networkx(graph.to_undirected(), X[:3]).num_edges == 6


def test_attributes_with_one_value_per_node_are_encoded_as_the_columns_of_a_frame_are() -> None:
    graph = network()
    for row, name in enumerate(graph.nodes):
        graph.nodes[name]["town"] = ("Bern", "Oslo", None)[row % 3]
        if row != 1:
            graph.nodes[name]["income"] = 1000.0 * row
    attributes = pd.DataFrame(dict(graph.nodes(data=True))).T[["town", "income", "side"]]
    attributes["income"] = attributes["income"].astype(float)
    edges = pd.DataFrame(list(graph.edges), columns=["source", "target"])
    expected = from_frames(attributes, edges, label="side", features=["town", "income"], seed=3)
    data = from_networkx(graph, ["town", "income"], "side", seed=3)
    torch.testing.assert_close(data.x, expected.x)
    assert data.feature_names == expected.feature_names
    assert data.column_encoding == expected.column_encoding
    raw = from_networkx(graph, ["town", "income"], "side", columns={"town": "drop"}, numeric="none")
    assert float(raw.x.max()) == 7000.0


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "no graph": (lambda: from_networkx(Data(x=torch.ones(2, 2)), "a"), "needs a networkx graph, but got a Data"),
    "no node": (lambda: from_networkx(networkx.Graph(), "a"), "the graph has no node"),
    "no features": (lambda: from_networkx(network(), labels="side"), "features is missing: name node attributes"),
    "no attribute": (
        lambda: from_networkx(network(), "age"),
        "no node has the attribute 'age': there are a, both,",
    ),
    "a node without it": (
        lambda: (graph := network()).add_node("new") or from_networkx(graph, "a", columns="none"),
        "attribute 'a' is missing at node 'new'",
    ),
    "words for features": (
        lambda: from_networkx(network(), "side", columns="none"),
        "'side' holds something that is no number",
    ),
    "words beside vectors": (
        lambda: from_networkx(network(), ["both", "side"]),
        "'side' holds something that is no number: encode it as numbers, or name attributes with one value",
    ),
    "an attribute twice": (lambda: from_networkx(network(), ["a", "a"]), "features has 2 columns 'a'"),
    "another kind of columns": (lambda: from_networkx(network(), "a", columns="each"), "columns is 'each'"),
    "rows of two lengths": (
        lambda: from_networkx(network(), {**{name: [1] for name in IDS}, "bob": [1, 2]}),
        "features has 2 numbers at node 'bob', 1 elsewhere",
    ),
    "another graph's nodes": (lambda: from_networkx(network(), {"zoe": 1}), "features holds no node of the graph"),
    "too few rows": (lambda: from_networkx(network(), X[:3]), "ids is for 8 nodes, features has 3 rows"),
    "too many labels": (
        lambda: from_networkx(network(), X, [*SIDES, "red"]),
        "labels is for 9 nodes, features has 8 rows",
    ),
    "directed, and is not": (lambda: from_networkx(network(), X, directed=True), "has no directions to keep"),
    "no weights": (lambda: from_networkx(network(), X, weight="w"), "no edge has the attribute 'w'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake: str) -> None:
    make, message = MISTAKES[mistake]
    with pytest.raises(GraphKDError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_names_of_no_node_are_warned_of() -> None:
    graph = network()
    features = {**dict(zip(IDS, X, strict=True)), "nobody": X[0]}
    with pytest.warns(UserWarning, match="features holds 1 names that are no nodes .* such as 'nobody'"):
        from_networkx(graph, features, "side")


def test_a_masked_row_of_a_mapping_is_missing() -> None:
    features: dict[Any, Any] = dict(zip(IDS, X, strict=True))
    features[IDS[2]] = np.ma.masked_array(X[2], [False, True])
    with pytest.raises(GraphKDError, match=r"features holds masked values, .* \(first in row 2\)"):
        from_networkx(network(), features, "side")
