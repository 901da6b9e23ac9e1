from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError, load_dataset
from graphkd.cli import main
from graphkd.commands.rows import graph_rows, read_graph_rows

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
    np.savez(tmp_path / "texts.npz", x=X.astype(str), edge_index=EDGES)
    np.savez(tmp_path / "objects.npz", x=np.array([[{}]]), edge_index=EDGES)
    np.savez(tmp_path / "ids.npz", x=X, edge_index=EDGES, ids=[1])
    expected = {
        "other.npz": "holds no array x: it has y, edge_index",
        "edgeless.npz": "holds no array edge_index: it has x",
        "fractions.npz": "must hold edges of whole numbers, but holds float64: convert edge_index",
        "texts.npz": "must hold",
        "objects.npz": "cannot be read as plain arrays",
        "ids.npz": "holds 1 ids for 2 rows",
    }
    for name, message in expected.items():
        with pytest.raises(GraphKDError, match=message) as caught:
            read_graph_rows(tmp_path / name)
        assert "\n" not in str(caught.value)


def one_way(weighted: bool) -> dict[str, np.ndarray]:
    """Edges that are listed once, twice and in both directions, with weights that float32 cannot hold."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = rng.normal(size=(60, 4))
    x[np.arange(60), y] += 1.5
    edges = rng.integers(0, 60, (2, 150))
    edges[:, 75:90], edges[:, 90:105] = edges[:, :15], edges[::-1, :15]
    weight = {"edge_weight": rng.random(150)} if weighted else {}
    return {"x": x, "y": y, "edge_index": edges, "ids": np.arange(60) + 100, **weight}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
def test_a_file_is_the_graph_that_training_makes_of_it(tmp_path: Path, directed: bool, weighted: bool) -> None:
    np.savez(tmp_path / "graph.npz", **one_way(weighted))
    data = load_dataset("custom", path=tmp_path, directed=directed)
    found = graph_rows(tmp_path, str(tmp_path / "graph.npz"), {"directed": directed}, None)
    np.testing.assert_array_equal(found.x, data.x)
    np.testing.assert_array_equal(found.edge_index, data.edge_index)
    assert found.ids == data.node_ids
    assert (found.edge_weight is not None) == weighted
    if weighted:
        np.testing.assert_array_equal(found.edge_weight, data.edge_weight)


def test_features_may_be_sparse_or_beside_the_file(tmp_path: Path) -> None:
    arrays = one_way(weighted=False)
    x = scipy.sparse.csr_array(np.maximum(arrays.pop("x"), 0))
    inside = {"x_data": x.data, "x_indices": x.indices, "x_indptr": x.indptr, "x_shape": np.array(x.shape)}
    np.savez(tmp_path / "graph.npz", **arrays, **inside)
    dense = x.toarray().astype(np.float32)
    np.testing.assert_array_equal(read_graph_rows(tmp_path / "graph.npz").x.toarray(), dense)
    np.savez(tmp_path / "graph.npz", **arrays)
    np.save(tmp_path / "features.npy", dense)
    np.testing.assert_array_equal(read_graph_rows(tmp_path / "graph.npz").x, dense)
    np.savez(tmp_path / "other.npz", **arrays, x=dense[:, :1].ravel())  # no business of a file of another name
    np.testing.assert_array_equal(read_graph_rows(tmp_path / "other.npz").x, dense[:, :1])


@pytest.mark.parametrize("method", ["infgrand", "glnn"])
def test_the_run_s_own_file_gives_what_the_word_graph_gives(
    tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    arrays = one_way(weighted=False)
    x = scipy.sparse.csr_array(arrays.pop("x"))
    sparse = {"x_data": x.data, "x_indices": x.indices, "x_indptr": x.indptr, "x_shape": np.array(x.shape)}
    np.savez(tmp_path / "data" / "graph.npz", **arrays, **sparse)
    args = ["dataset=custom", "dataset.path=data", "training.max_epochs=3", "baseline=false"]
    assert main(["distill", *args, f"method={method}", "output_dir=run"]) == 0
    for source, output in (("graph", "one.csv"), ("data/graph.npz", "two.csv")):
        assert main(["predict", "run", source, output]) == 0
    pd.testing.assert_frame_equal(pd.read_csv("one.csv"), pd.read_csv("two.csv"), check_exact=True)
    capsys.readouterr()
    assert main(["store", "run", "data/graph.npz", "rows"]) == 0
    assert "edges without a direction" in capsys.readouterr().out


def test_a_bundle_that_does_not_state_it_is_one_warning(tmp_path: Path) -> None:
    np.savez(tmp_path / "graph.npz", x=torch.eye(3).numpy(), edge_index=np.array([[0, 1], [1, 2]]))
    with pytest.warns(UserWarning, match="does not state whether it was trained on both directions") as caught:
        found = graph_rows(tmp_path, str(tmp_path / "graph.npz"), {}, None)
    assert len(caught) == 1
    np.testing.assert_array_equal(found.edge_index, [[0, 1], [1, 2]])
    (tmp_path / "config.yaml").write_text("dataset: {name: custom, directed: false}\nseeds: [0]\n")
    found = graph_rows(tmp_path, str(tmp_path / "graph.npz"), {}, None)
    np.testing.assert_array_equal(found.edge_index, [[0, 1, 1, 2], [1, 0, 2, 1]])
