from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.commands.rows import GraphRows, prepared, read_graph_rows

X = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
EDGES = np.array([[0, 1], [1, 0]])


def test_a_graph_in_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, edge_index=EDGES.astype(np.int32), ids=["b", "a"])
    graph = read_graph_rows(tmp_path / "a.npz")
    np.testing.assert_array_equal(graph.x, X)
    assert graph.x.dtype == np.float32
    np.testing.assert_array_equal(graph.edge_index, EDGES)
    assert (graph.ids, graph.edge_weight) == (["b", "a"], None)
    np.savez(tmp_path / "b.npz", x=X, edge_index=EDGES, edge_weight=[0.5, 2])
    assert read_graph_rows(tmp_path / "b.npz").edge_weight.tolist() == [0.5, 2.0]


def test_files_that_hold_none_are_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", y=X, edge_index=EDGES)
    np.savez(tmp_path / "edgeless.npz", x=X)
    np.savez(tmp_path / "fractions.npz", x=X, edge_index=EDGES / 2)
    np.savez(tmp_path / "flat.npz", x=X[0], edge_index=EDGES)
    np.savez(tmp_path / "objects.npz", x=np.array([[{}]]), edge_index=EDGES)
    np.savez(tmp_path / "ids.npz", x=X, edge_index=EDGES, ids=[1])
    expected = {
        "other.npz": "holds no array x: it has y, edge_index",
        "edgeless.npz": "holds no array edge_index: it has x",
        "fractions.npz": "must hold edges of whole numbers, but holds float64: convert edge_index",
        "flat.npz": "must hold",
        "objects.npz": "does not hold rows of numbers",
        "ids.npz": "holds 1 ids for 2 rows",
    }
    for name, message in expected.items():
        with pytest.raises(GraphKDError, match=message) as caught:
            read_graph_rows(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("directed", [False, True, None])
def test_a_graph_from_a_file_has_the_edges_that_training_saw(directed: bool | None) -> None:
    edges, weight = np.array([[0, 0, 1], [1, 1, 2]]), np.array([1.0, 2.0, 5.0], np.float32)
    graph = prepared(GraphRows(np.ones((3, 2), np.float32), edges, weight), directed)
    once = {(0, 1): 3.0, (1, 2): 5.0}
    if directed is None:  # of data in memory: as they are
        assert graph.edge_index.tolist() == edges.tolist()
    else:
        found = dict(zip(map(tuple, graph.edge_index.T.tolist()), graph.edge_weight.tolist(), strict=True))
        assert found == (once if directed else once | {(1, 0): 3.0, (2, 1): 5.0})
