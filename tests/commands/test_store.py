import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.commands.rows import graph_rows
from graphkd.commands.store import store
from graphkd.deploy import FeatureStore
from graphkd.deploy.files import read_bundle
from graphkd.encoders import Propagation
from graphkd.run_data import load_run_data
from graphkd.sparse import as_features
from tests.commands.runs import SHORT
from tests.conftest import make_data
from tests.datasets.planetoid_files import NUM_NODES, write_planetoid
from tests.deploy.bundles import make_bundle, student

ONE_WAY = np.array([[0, 1, 2], [1, 2, 3]])
BOTH = np.concatenate([ONE_WAY, ONE_WAY[::-1]], axis=1)


def test_rows_of_the_run_s_own_graph(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", str(run), "graph", str(tmp_path / "rows")]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{NUM_NODES} nodes (ids 0 to {NUM_NODES - 1}), 2 hops, edges without a direction: ")
    model = graphkd.load_bundle(run)
    data = load_run_data(run, model.card["seed"], None)
    with FeatureStore(tmp_path / "rows", write=True) as rows:
        np.testing.assert_allclose(rows.rows(rows.nodes), model.prepare(data.x, data.edge_index), atol=1e-6)
        rows.delete_node(0)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Of a student with hops on edges with weights; nothing else of its run is there."""
    return make_bundle(tmp_path, student(), propagation=Propagation(2, 1, weighted=True))


@pytest.mark.parametrize(("edges", "kind"), [(BOTH, "without"), (ONE_WAY, "with")])
def test_a_graph_in_a_file_needs_no_torch(bundle: Path, tmp_path: Path, edges: np.ndarray, kind: str) -> None:
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    weight = np.tile([0.5, 1.0, 2.0], edges.shape[1] // 3)
    np.savez(tmp_path / "graph.npz", x=x, edge_index=edges, edge_weight=weight)
    code = "import sys; sys.modules['torch'] = None; from graphkd.cli import main; sys.exit(main(sys.argv[1:]))"
    asked = [sys.executable, "-c", code, "store", "bundle", "graph.npz", "rows"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    # A bundle by itself, as version 0.1 wrote it, does not state what was done with the run's edges.
    assert done.stderr.count("does not state whether it was trained on both directions") == (kind == "with")
    assert done.stderr.count("\n") == (kind == "with")
    assert f"4 nodes (ids 0 to 3), 2 hops, edges {kind} a direction: rows (" in done.stdout
    rows = FeatureStore(tmp_path / "rows")
    assert rows.settings.directed is (kind == "with")
    expected = graphkd.load_bundle(bundle).prepare(x, edges, weight.astype(np.float32))
    np.testing.assert_allclose(rows.rows(range(4)), expected, atol=1e-6)


def test_mistakes_end_in_one_line_and_leave_nothing(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graphkd.distill(make_data(), training=SHORT).save(tmp_path / "mine")
    whole = {"x": np.ones((4, 5)), "edge_index": BOTH, "edge_weight": np.ones(6)}
    broken = {
        "narrow": whole | {"x": np.ones((4, 3))},
        "outside": whole | {"edge_index": BOTH + 1},
        "plain": {name: whole[name] for name in ("x", "edge_index")},
        "few": whole | {"edge_weight": np.ones(2)},
        "rows": {"x": whole["x"]},
        "whole": whole,
    }
    for name, arrays in broken.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
    there, new = sorted(tmp_path.iterdir()), str(tmp_path / "new")
    mistakes = {
        ("nowhere", "graph", new): "nowhere is not a run: it holds no config.yaml",
        (str(tmp_path / "mine"), "graph", new): "was trained on data in memory",
        (str(bundle), str(tmp_path / "whole.npz"), str(bundle)): "is there already: delete it, or choose another",
        (str(bundle), str(tmp_path / "narrow.npz"), new): "x must be [rows, 5], but has shape [4, 3]",
        (str(bundle), str(tmp_path / "outside.npz"), new): "outside.npz array edge_index must name rows 0 to 3",
        (str(bundle), str(tmp_path / "plain.npz"), new): "trained on a graph with edge weights: give one with",
        (str(bundle), str(tmp_path / "few.npz"), new): "array edge_weight has shape [2] for 6 edges",
        (str(bundle), str(tmp_path / "rows.npz"), new): "rows.npz holds no array edge_index: it has x",
        (str(bundle), str(tmp_path / "gone.npz"), new): "gone.npz cannot be read as plain arrays",
        (str(bundle), "graph"): "the following arguments are required: DIR",
    }
    capsys.readouterr()
    for args, message in mistakes.items():
        assert main(["store", *args]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert message in said.err
    assert sorted(tmp_path.iterdir()) == there


def test_a_changed_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    (bundle / "model.safetensors").write_bytes(b"")
    with pytest.raises(GraphKDError, match="is truncated or was changed"):
        store(str(bundle), "graph", str(tmp_path / "new"))


def test_the_ids_of_a_graph_s_nodes_go_into_the_store(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = {"x": np.eye(4, 5), "edge_index": BOTH, "edge_weight": np.ones(6, dtype=np.float32)}
    for name, ids in {
        "texts": ["u-1", "007", "é", "7"],
        "numbers": [70, 7, 0, 2**40],
        "twice": list("abba"),
    }.items():
        np.savez(tmp_path / f"{name}.npz", **graph, ids=np.array(ids))
        code = main(["store", str(bundle), str(tmp_path / f"{name}.npz"), str(tmp_path / name)])
        said = capsys.readouterr()
        if name == "twice":
            assert code == 2
            assert "node_ids holds 'b' twice: give each node one text or whole number of its own" in said.err
            assert not (tmp_path / name).exists()
            continue
        assert said.out.startswith(f"4 nodes (by their ids in the data, such as {ids[0]!r}), 2 hops")
        with FeatureStore(tmp_path / name) as store:
            assert store.numbers_of(ids[::-1]).tolist() == [3, 2, 1, 0]


@pytest.mark.slow
def test_a_student_with_positions_has_its_own_and_those_of_hidden_nodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_planetoid(tmp_path / "data" / "Cora" / "raw")
    run, positions = tmp_path / "run", ["encoder=positions", "encoder.kind=laplacian", "encoder.dim=3"]
    args = [f"data_dir={tmp_path}/data", f"output_dir={run}", "training.max_epochs=2", "setting=inductive"]
    assert main(["distill", "dataset=cora", "method=mlp", *positions, *args]) == 0
    capsys.readouterr()
    assert main(["store", str(run), "graph", str(tmp_path / "rows")]) == 0
    assert f"{NUM_NODES - 1}), 0 hops, positions of 3 numbers, edges without" in capsys.readouterr().out
    model, graph = graphkd.load_bundle(run), graph_rows(run, "graph", read_bundle(run).description["card"], None)
    assert (graph.nodes < 0).any()
    with FeatureStore(tmp_path / "rows") as rows:
        expected = model.prepare(graph.x, graph.edge_index, nodes=graph.nodes)
        np.testing.assert_allclose(rows.rows(rows.nodes), as_features(expected).to_dense(), atol=1e-6)
    np.savez(tmp_path / "other.npz", x=np.ones((4, model.num_features)), edge_index=BOTH)
    assert main(["store", str(run), str(tmp_path / "other.npz"), str(tmp_path / "new")]) == 2
    error = capsys.readouterr().err
    assert "does not state which of its nodes those of training are: give the word graph" in error
    assert error.count("\n") == 1
