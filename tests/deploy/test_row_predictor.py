from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.datasets import Preprocessing
from graphkd.deploy import write_bundle
from graphkd.encoders import Encoding, Propagation
from tests.deploy.bundles import make_bundle, student

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("num_layers", [1, 2, 3, 4])
def test_the_student_of_these_tests_tells_rows_apart(tmp_path: Path, norm: str, num_layers: int) -> None:
    """Else rows that are prepared wrongly, or in another order, would be answered alike."""
    x = np.random.default_rng(0).standard_normal((30, 5)).astype(np.float32)
    chosen = (
        Preprocessing(),
        Preprocessing("binary"),
        Preprocessing("stored", True),
        Preprocessing("binary", True),
    )
    bundles = ((steps, make_bundle(tmp_path, student(norm, num_layers), norm, steps)) for steps in chosen)
    answers = {steps: load_bundle(bundle).predict_proba(x) for steps, bundle in bundles}
    raw, binary, scaled, both = answers.values()
    for one, other in ((raw, binary), (raw, scaled), (raw, raw[::-1]), (raw, np.roll(raw, 1, axis=0))):
        assert np.abs(one - other).max(axis=1).mean() > 0.02
    assert np.abs(binary - both).max() > 0.01
    assert len(set(raw.argmax(axis=1).tolist())) > 1


@pytest.mark.parametrize("steps", [Preprocessing(), Preprocessing("binary"), Preprocessing("binary", True)])
def test_raw_rows_are_answered_as_by_torch(tmp_path: Path, steps: Preprocessing) -> None:
    bundle = make_bundle(tmp_path, student(), steps=steps)
    model, expected = load_bundle(bundle, "numpy"), load_bundle(bundle)
    x = np.random.RandomState(0).randn(20, 5).astype(np.float32) * (np.random.RandomState(1).rand(20, 5) < 0.5)
    for rows in (x, scipy.sparse.csr_matrix(x), torch.from_numpy(x).to_sparse_csr(), x.tolist()):
        np.testing.assert_allclose(model.predict_proba(rows), expected.predict_proba(rows), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model.predict(rows), expected.predict(rows))
    assert model.predict(x[:0]).shape == (0,)
    assert model.predict(x).dtype == np.int64
    assert (model.runtime, model.num_features, model.card) == ("numpy", 5, expected.card)


NAMES = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("order", ["edcba", "bcdea", "bacde", "abced", "abcde"])
@pytest.mark.parametrize("asked", ["predict_proba", "logits", "prepare"])
def test_columns_of_a_frame_are_taken_by_name(tmp_path: Path, order: str, asked: str) -> None:
    sizes = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "batch"}
    steps = Preprocessing(row_normalize=True)
    write_bundle(tmp_path / "bundle", student(), sizes, steps, Encoding(), None, {}, NAMES)
    ask = getattr(load_bundle(tmp_path / "bundle", "numpy"), asked)
    x = pd.DataFrame(np.random.default_rng(0).standard_normal((9, 5)), columns=NAMES).astype(np.float32)
    expected = ask(x.to_numpy())
    np.testing.assert_allclose(ask(x[list(order)]), expected, rtol=1e-6)
    if order != "abcde":
        assert not np.allclose(ask(x[list(order)].to_numpy()), expected)


def test_propagated_rows_come_from_elsewhere(tmp_path: Path) -> None:
    propagation = Propagation(2, 1, pooling="concat")
    bundle = make_bundle(tmp_path, student(num_features=15), propagation=propagation)
    model, other, x = load_bundle(bundle, "numpy"), load_bundle(bundle), torch.randn(3, 5)
    assert (model.num_features, model.width) == (5, 15)
    rows = other.prepare(x, EDGES)
    expected = other.predict_proba(x, EDGES)
    np.testing.assert_allclose(model.predict_proba(rows, propagated=True), expected, rtol=1e-5)
    for asked in (lambda: model.predict(x), lambda: other.predict(x)):
        with pytest.raises(GraphKDError, match="features propagated over 2 hops: pass edge_index="):
            asked()
    with pytest.raises(GraphKDError, match="the numpy runtime propagates nothing over a graph: take rows from"):
        model.predict(x, EDGES)
    with pytest.raises(GraphKDError, match=r"x must be \[rows, 15\], but has shape \[3, 5\]"):
        model.predict(x, propagated=True)


def test_a_runtime_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="unknown runtime 'nmpy': did you mean 'numpy'"):
        load_bundle(make_bundle(tmp_path, student()), "nmpy")
