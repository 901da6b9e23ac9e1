from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.datasets import Preprocessing
from graphkd.methods import Propagation
from tests.deploy.bundles import make_bundle, student

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])


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
