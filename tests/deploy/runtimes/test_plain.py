import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from graphkd import load_bundle
from graphkd.deploy.runtimes import plain
from graphkd.deploy.runtimes.plain import softmax
from tests.deploy.bundles import make_bundle, student


def test_many_rows_are_computed_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_bundle(make_bundle(tmp_path, student("layer"), "layer"), "numpy")
    x = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    whole = model.logits(x)
    monkeypatch.setattr(plain, "BATCH", 3)
    for rows in (x, scipy.sparse.csr_matrix(x)):
        np.testing.assert_allclose(model.logits(rows), whole, rtol=1e-5)


def test_rows_stay_as_they_were(tmp_path: Path) -> None:
    """One layer alone, whose result is made in place."""
    model = load_bundle(make_bundle(tmp_path, student("none", 1), "none"), "numpy")
    x = np.ones((2, 5), np.float32)
    model.predict(x)
    assert (x == 1).all()


def test_softmax_of_large_numbers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = softmax(np.array([[1e30, 0, 1e30], [-1e30, 0, 0], [1, 2, 3]], np.float32))
        assert np.isnan(softmax(np.array([[np.inf, 0]], np.float32))).any()
    np.testing.assert_allclose(found[:2], [[0.5, 0, 0.5], [0, 0.5, 0.5]])
    exact = np.exp([1.0, 2.0, 3.0])
    np.testing.assert_allclose(found[2], exact / exact.sum(), rtol=1e-6)
