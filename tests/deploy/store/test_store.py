import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import graphkd
from graphkd.deploy import FeatureStore, load_bundle
from graphkd.deploy.store import disk
from graphkd.deploy.store.arrays import open_arrays
from graphkd.deploy.store.settings import POOLINGS, Settings
from graphkd.methods import InfGraND
from graphkd.sparse import POOLINGS as KNOWN
from graphkd.sparse import Adjacency, propagate
from tests.conftest import make_data
from tests.deploy.store import graphs

TOLERANCE = {"rtol": 0, "atol": 2e-6}
"""Rows are kept in float32 at every hop, and sums are made in float64."""


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)


@settings(max_examples=20)
@given(
    graphs.settings(),
    st.integers(1, 9),
    st.integers(0, 2**31),
    st.lists(st.tuples(st.sampled_from(graphs.KINDS), st.integers(0, 2**31)), max_size=12),
)
def test_updates_leave_what_a_full_recompute_gives(
    chosen: dict, size: int, seed: int, steps: list[tuple[str, int]]
) -> None:
    twin = graphs.Twin(size, chosen, seed)
    with TemporaryDirectory() as folder, twin.build(Path(folder) / "store") as store:
        np.testing.assert_allclose(store.rows(store.nodes), twin.rows(), **TOLERANCE)
        for kind, drawn in steps:
            graphs.step(store, twin, kind, drawn)
            assert store.nodes.tolist() == twin.ids
            np.testing.assert_allclose(store.rows(store.nodes), twin.rows(), **TOLERANCE)
        store.verify()
        with twin.build(Path(folder) / "anew") as anew:  # not only close: the same bits
            np.testing.assert_array_equal(store.rows(store.nodes), anew.rows(anew.nodes))
        with pytest.raises(graphkd.GraphKDError, match="is being written by another process"):
            FeatureStore(Path(folder) / "store", write=True)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("self_loops", [0, 1, 2])
def test_it_agrees_with_the_propagation_of_training(
    pooling: str, weighted: bool, self_loops: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    edges, x = rng.integers(0, 20, (2, 60)), rng.standard_normal((20, 5)).astype(np.float32)
    weight = rng.random(60) if weighted else None
    store = FeatureStore.build(
        tmp_path / "s", x, edges, weight, hops=3, self_loops=self_loops, pooling=pooling, directed=True
    )
    adj = Adjacency(torch.from_numpy(edges), 20, None if weight is None else torch.from_numpy(weight))
    expected = propagate(torch.from_numpy(x), adj, 3, self_loops, pooling).numpy()
    np.testing.assert_allclose(store.rows(range(20)), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(store.row(7), store.rows([7])[0])


def test_every_form_of_features_gives_the_same_rows(tmp_path: Path) -> None:
    x, edges = np.eye(4, dtype=np.float32), [[0, 1], [1, 0]]
    forms = [x, x.tolist(), torch.eye(4), torch.eye(4).to_sparse_csr(), scipy.sparse.csr_matrix(x)]
    stores = [FeatureStore.build(tmp_path / str(at), form, edges, hops=1) for at, form in enumerate(forms)]
    for store in stores:
        np.testing.assert_array_equal(store.rows(range(4)), stores[0].rows(range(4)))
    assert len(stores[0]) == 4
    assert [part.tolist() for part in stores[0].neighbours(1)] == [[0], [1.0]]


@pytest.mark.parametrize("pooling", ["mean", "concat"])
def test_a_student_predicts_the_same_from_its_rows(pooling: str, tmp_path: Path) -> None:
    data = make_data()
    method = InfGraND(hops=2, pooling=pooling)
    graphkd.distill(data, method=method, training=graphkd.Training(max_epochs=3)).save(tmp_path / "run")
    model = load_bundle(tmp_path / "run")
    with FeatureStore.for_bundle(tmp_path / "s", tmp_path / "run", data.x, data.edge_index) as store:
        proba = model.predict_proba(store.rows(store.nodes), propagated=True)
    np.testing.assert_allclose(proba, model.predict_proba(data.x, data.edge_index), rtol=1e-4, atol=1e-6)


def test_what_is_written_is_read_by_the_next_one(tmp_path: Path) -> None:
    twin = graphs.Twin(6, dict(CHOSEN, hops=2), seed=1)
    with twin.build(tmp_path / "s") as store:
        for at, kind in enumerate(graphs.KINDS * 12):  # through several growths
            graphs.step(store, twin, kind, at)
        assert json.loads((tmp_path / "s/manifest.json").read_text())["number"] > 2
    again = FeatureStore(tmp_path / "s")
    np.testing.assert_allclose(again.rows(again.nodes), twin.rows(), **TOLERANCE)
    again.verify()
    assert again.settings == Settings(graphs.WIDTH, 2)


CHOSEN = {
    "hops": 2,
    "self_loops": 1,
    "pooling": "mean",
    "features": "stored",
    "row_normalize": False,
    "directed": False,
    "weighted": False,
}


def test_only_rows_that_depend_on_a_change_are_written(tmp_path: Path) -> None:
    """A path of nodes: two hops reach two nodes to either side, and degrees one more."""
    ends = np.arange(19)
    edges = np.stack([np.concatenate([ends, ends + 1]), np.concatenate([ends + 1, ends])])
    store = FeatureStore.build(tmp_path / "s", np.eye(20), edges, hops=2)
    before = store.rows(range(20))
    store.update_features(10, np.full(20, 2.0))
    assert np.flatnonzero((store.rows(range(20)) != before).any(axis=1)).tolist() == [8, 9, 10, 11, 12]
    before = store.rows(range(20))
    store.delete_edges([[10], [11]])
    assert np.flatnonzero((store.rows(range(20)) != before).any(axis=1)).tolist() == [8, 9, 10, 11, 12, 13]


def test_it_needs_numpy_alone(tmp_path: Path) -> None:
    code = f"""
import sys
for name in ("torch", "torch_geometric", "scipy", "sklearn", "pandas", "networkx", "safetensors", "hydra"):
    sys.modules[name] = None
import numpy
from graphkd.deploy import FeatureStore
with FeatureStore.build({str(tmp_path / "s")!r}, numpy.eye(3), [[0, 1], [1, 0]], hops=2) as store:
    print(store.insert_node([1.0, 0.0, 0.0], [0]), store.row_for([0.0, 1.0, 0.0], [0, 1]).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("3 (3,)\n", 0), done.stderr


def test_poolings_are_those_of_training() -> None:
    assert POOLINGS == KNOWN


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cora"])
def test_an_infgrand_student_on_real_data(name: str, data_dir: Path, tmp_path: Path) -> None:
    data = graphkd.load_dataset(name, data_dir=data_dir)
    run = graphkd.distill(data, teacher="gcn", method="infgrand", training=graphkd.Training(max_epochs=60))
    run.save(tmp_path / "run")
    model = load_bundle(tmp_path / "run")
    assert model.encoding.hops > 0
    with FeatureStore.for_bundle(tmp_path / "s", tmp_path / "run", data.x, data.edge_index) as store:
        rows, expected = store.rows(store.nodes), model.prepare(data.x, data.edge_index)
        np.testing.assert_allclose(rows, expected.numpy(), atol=1e-7)
        np.testing.assert_array_equal(model.predict(rows, propagated=True), model.predict(data.x, data.edge_index))
        edge = data.edge_index[:, :1].numpy()
        store.delete_edges(edge)
        store.insert_edges(edge)
        np.testing.assert_array_equal(store.rows(store.nodes), rows)
        store.verify()


def test_rows_are_taken_by_name(tmp_path: Path) -> None:
    x = pd.DataFrame(np.random.default_rng(0).random((3, 2), dtype=np.float32), columns=["a", "b"])
    edges = np.array([[0, 1], [1, 0]])
    with FeatureStore.build(tmp_path / "named", x, edges, hops=1) as store:
        assert store.settings.feature_names == ("a", "b")
        assert FeatureStore(tmp_path / "named").settings.feature_names == ("a", "b")
        wanted = store.row_for([1.0, 2.0], [0])
        for row in (pd.Series([2.0, 1.0], index=["b", "a"]), {"b": 2.0, "a": 1.0}):
            np.testing.assert_array_equal(store.row_for(row, [0]), wanted)
        store.update_features([0, 1, 2], x[["b", "a"]])
        with FeatureStore.build(tmp_path / "plain", x.to_numpy(), edges, hops=1) as plain:
            np.testing.assert_array_equal(store.rows([0, 1, 2]), plain.rows([0, 1, 2]))
            assert plain.settings == store.settings
        masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
        for row, message in (({"a": 1.0}, "x has no column 'b'"), (masked, "x holds masked values")):
            with pytest.raises(graphkd.GraphKDError, match=message):
                store.row_for(row, [0])


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("hops", [0, 1, 2])
def test_nothing_of_a_deleted_node_s_features_stays_in_files(tmp_path: Path, hops: int, directed: bool) -> None:
    """Its neighbours' rows, which held a share of it, are made anew; and the journal is empty after closing."""
    x = np.arange(1.0, 25.0, dtype=np.float32).reshape(8, 3)
    x[3] = [1234.5, -987.25, 4321.0]
    edges = np.array([[0, 3, 3, 4, 5], [3, 1, 4, 3, 6]])
    edges = edges if directed else np.unique(np.concatenate([edges, edges[::-1]], axis=1), axis=1)
    store = FeatureStore.build(tmp_path / "store", x, edges, hops=hops, directed=directed)
    store.delete_node(3)
    store.close()
    for file in (tmp_path / "store").rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not any(value.tobytes() in content for value in x[3]), file.name
    assert not open_arrays(tmp_path / "store").hops[3].any()
