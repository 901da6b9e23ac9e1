from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.io import read_npz

from graphkd import GraphKDError
from graphkd.datasets.npz import read_arrays, read_graph
from graphkd.sparse import SparseMatrix
from tests.datasets.npz_files import NUM_NODES, graph_arrays, write


def test_the_same_edges_and_labels_as_pyg_and_the_features_as_stored(tmp_path: Path) -> None:
    arrays = graph_arrays()
    path = write(tmp_path / "a.npz", arrays)
    ours, theirs = read_graph(path), read_npz(str(path), to_undirected=False)
    assert ours.x.layout == torch.sparse_csr
    assert (ours.x.dtype, ours.y.dtype) == (torch.float32, torch.int64)
    assert ours.x.values().tolist() == arrays["attr_data"].tolist()
    assert torch.equal((ours.x.to_dense() > 0).float(), theirs.x)
    assert torch.equal(ours.y, theirs.y)
    assert pairs(ours.edge_index) == pairs(theirs.edge_index)
    assert not any(sender == receiver for sender, receiver in pairs(ours.edge_index))


def test_an_edge_that_is_stored_twice_counts_once_and_features_add_up(tmp_path: Path) -> None:
    arrays = graph_arrays()
    for name in ("adj", "attr"):
        arrays[f"{name}_data"] = np.ones(4, dtype=np.float32)
        arrays[f"{name}_indices"] = np.array([2, 2, 1, 0])
        arrays[f"{name}_indptr"] = np.array([0, 3, 4] + [4] * (NUM_NODES - 2))
    data = read_graph(write(tmp_path / "a.npz", arrays))
    assert sorted(map(tuple, data.edge_index.t().tolist())) == [(0, 1), (0, 2), (1, 0)]
    assert SparseMatrix.from_torch(data.x).value.tolist() == [1.0, 2.0, 1.0]


def test_what_nobody_asked_for_is_not_unpickled(tmp_path: Path) -> None:
    arrays = {**graph_arrays(), "metadata": np.array([{"a": 1}], dtype=object)}
    assert read_graph(write(tmp_path / "a.npz", arrays)).num_nodes == NUM_NODES


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "another archive": ({"labels": None}, "holds no array 'labels': it is another kind of archive"),
    "pickled objects": ({"adj_data": np.array([{}], dtype=object)}, "is damaged or holds Python objects"),
    "an edge out of range": ({"adj_indices": np.full(4, 999)}, "does not hold a graph"),
    "lengths differ": ({"attr_data": np.ones(1, np.float32)}, "does not hold a graph"),
    "text as features": ({"attr_data": np.array(["a"] * 3)}, "does not hold a graph"),
    "fractions as labels": ({"labels": np.full(NUM_NODES, 0.5)}, "does not hold a graph"),
    "too few labels": (
        {"labels": np.zeros(9, int)},
        r"of different graphs \(adjacency \[240, 240\].*labels \[9\]",
    ),
    "labels of another shape": ({"labels": np.zeros((NUM_NODES, 1), int)}, r"labels \[240, 1\]"),
    "a single label": ({"labels": np.array(1)}, r"labels \[\]"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_foreign_archive_is_one_line(mistake: str, tmp_path: Path) -> None:
    change, message = MISTAKES[mistake]
    arrays = {key: value for key, value in {**graph_arrays(), **change}.items() if value is not None}
    with pytest.raises(GraphKDError, match=message) as caught:
        read_graph(write(tmp_path / "a.npz", arrays))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["cut", "empty", "text", "one array"])
def test_a_damaged_archive_is_one_line(content: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", graph_arrays())
    path.write_bytes({"cut": path.read_bytes()[:-90], "text": b"<html>not found</html>"}.get(content, b""))
    if content == "one array":
        with path.open("wb") as file:
            np.save(file, np.ones(3))
    with pytest.raises(GraphKDError, match=r"a\.npz is damaged or holds Python objects .*: fetch it again"):
        read_arrays(path, ["labels"])


def pairs(edge_index: torch.Tensor) -> set[tuple[int, int]]:
    return set(map(tuple, edge_index.t().tolist()))
