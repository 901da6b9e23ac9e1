from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd import GraphKDError, load_bundle
from graphkd.datasets import Preprocessing
from graphkd.deploy import Encoded, FeatureStore
from graphkd.deploy.store.settings import POOLINGS, Settings, settings_of
from graphkd.encoders import Propagated, Propagation
from tests.datasets.custom.graphs import blocks
from tests.deploy.bundles import ensemble, make_bundle, student


@pytest.mark.parametrize("pooling", POOLINGS)
def test_hops_are_pooled_entry_by_entry(pooling: str) -> None:
    hops = np.random.default_rng(0).standard_normal((4, 3, 2)).astype(np.float32)
    settings = Settings(2, 2, pooling=pooling)
    found = settings.pool(hops.copy())
    assert found.shape == (4, settings.width)
    for row, expected in zip(found, hops, strict=True):
        if pooling == "concat":
            assert row.tolist() == [entry for hop in expected for entry in hop]
        else:
            by = {"mean": lambda column: sum(column) / 3, "max": max, "min": min}[pooling]
            np.testing.assert_allclose(row, [by(column) for column in expected.T.tolist()], rtol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_of_a_bundle(pooling: str, tmp_path: Path) -> None:
    propagation = Propagation(2, 1, weighted=True, pooling=pooling)
    model = student(num_features=propagation.width(5))
    bundle = make_bundle(tmp_path, model, steps=Preprocessing("binary", True), propagation=propagation)
    for place in (bundle, tmp_path):
        assert settings_of(place, directed=True) == Settings(5, 2, 1, pooling, "binary", True, True, True)


def test_rows_of_a_store_are_those_an_ensemble_takes(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
    edges = np.array([[0, 1, 2, 1, 2, 5], [1, 2, 5, 0, 1, 2]])
    bundle = make_bundle(tmp_path, ensemble(), propagation=Propagation(2, 1))
    expected = load_bundle(bundle).predict_proba(x, edges)
    with FeatureStore.for_bundle(tmp_path / "store", bundle, x, edges) as store:
        found = load_bundle(bundle, "numpy").predict_proba(store.rows(range(6)), propagated=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_features": 0}, "num_features is 0: it must be a whole number from 1"),
        ({"hops": 1.5}, "hops is 1.5: it must be a whole number from 0"),
        ({"self_loops": True}, "self_loops is True: it must be a whole number from 0"),
        ({"features": "raw"}, "features is 'raw': choose one of stored, binary"),
        ({"weighted": 1}, "weighted is 1: choose True or False"),
    ],
)
def test_settings_that_cannot_be(changes: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        Settings(**{"num_features": 2, "hops": 2, **changes})


def test_a_store_encodes_raw_rows_by_name_as_its_student_does(tmp_path: Path) -> None:
    nodes, ties = blocks()
    nodes["kind"] = np.array(["round", "square"])[np.arange(len(nodes)) % 2]
    data = graphkd.from_frames(nodes, ties, id="id", label="label")
    run = graphkd.distill(data, encoder=Propagated(hops=1), training=graphkd.Training(max_epochs=2))
    run.save(tmp_path / "run")
    raw = nodes.drop(columns=["id", "label"])
    edges = data.edge_index.numpy()
    with FeatureStore.for_bundle(tmp_path / "store", tmp_path / "run", raw, edges) as store:
        expected = run.predictor.prepare(Encoded(data.x), data.edge_index).numpy()
        np.testing.assert_allclose(store.rows(np.arange(len(raw))), expected, atol=1e-6)
        row = raw.iloc[3].to_dict()
        found = store.row_for(row, [0, 1])
        np.testing.assert_allclose(store.row_for(raw.iloc[3], [0, 1]), found)
        np.testing.assert_allclose(store.row_for(Encoded(data.x[3]), [0, 1]), found, atol=1e-6)
        number = store.insert_node({**row, "kind": "oval"}, [0, 1])
        assert np.isfinite(store.row(number)).all()
        found = store.row_for(row, [0, 1])  # their degrees have grown
        for wrong in (raw.iloc[3].to_numpy(), data.x[3].numpy(), [1.0, 2.0]):
            with pytest.raises(GraphKDError, match=r"reads columns by name|must be one row"):
                store.row_for(wrong, [0])
    with FeatureStore(tmp_path / "store") as again:
        assert again.settings == settings_of(tmp_path / "run", False)
        np.testing.assert_allclose(again.row_for(row, [0, 1]), found)
    with pytest.raises(GraphKDError, match="reads columns by name"):
        FeatureStore.for_bundle(tmp_path / "other", tmp_path / "run", data.x, edges)
