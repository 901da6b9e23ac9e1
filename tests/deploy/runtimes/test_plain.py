import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from graphkd import load_bundle
from graphkd.deploy.runtimes import plain
from graphkd.deploy.runtimes.plain import softmax
from graphkd.students import MLP, Ensemble
from tests.deploy.bundles import ensemble, make_bundle, progressive, student


@pytest.mark.parametrize("make", [student, ensemble, progressive])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("num_layers", [1, 2, 3, 5])
def test_every_network_says_what_torch_says(
    make: Callable[..., MLP | Ensemble], norm: str, num_layers: int, tmp_path: Path
) -> None:
    """Rows of many sizes, among them rows whose layers hardly vary; dense and sparse."""
    bundle = make_bundle(tmp_path, make(norm, num_layers), norm)
    model, expected = load_bundle(bundle, "numpy"), load_bundle(bundle)
    scale = np.float32([[1e-4], [0.01], [1.0], [30.0]])
    x = (np.random.default_rng(1).standard_normal((50, 4, 5)) * scale).astype(np.float32).reshape(-1, 5)
    with torch.no_grad():
        logits = expected.student(torch.from_numpy(x)).logits.numpy()
    for rows in (x, scipy.sparse.csr_matrix(x)):
        np.testing.assert_allclose(model.logits(rows), logits, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(model.predict_proba(rows), expected.predict_proba(x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", [student, ensemble, progressive])
def test_many_rows_are_computed_in_parts(
    make: Callable[..., MLP | Ensemble], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_bundle(make_bundle(tmp_path, make("layer"), "layer"), "numpy")
    x = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    whole = model.logits(x)
    monkeypatch.setattr(plain, "BATCH", 3)
    for rows in (x, scipy.sparse.csr_matrix(x)):
        np.testing.assert_allclose(model.logits(rows), whole, rtol=1e-5)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_rows_stop_where_they_stop_in_torch(norm: str, threshold: float, tmp_path: Path) -> None:
    model = progressive(norm, threshold=threshold)
    bundle = make_bundle(tmp_path, model, norm)
    x = np.random.default_rng(1).standard_normal((200, 5)).astype(np.float32)
    expected = load_bundle(bundle).predict_proba(x)
    for rows in (x, scipy.sparse.csr_matrix(x)):
        np.testing.assert_allclose(load_bundle(bundle, "numpy").predict_proba(rows), expected, atol=1e-5)
    model.threshold = 1.0
    with torch.no_grad():
        whole = torch.softmax(model(torch.from_numpy(x)).logits, dim=1).numpy()
    assert 20 < (np.abs(whole - expected).max(axis=1) > 1e-3).sum() < 200


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
