from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError, load_bundle
from graphkd.datasets import Preprocessing
from graphkd.deploy import FeatureStore
from graphkd.deploy.store.settings import POOLINGS, Settings, settings_of
from graphkd.encoders import Propagation
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
