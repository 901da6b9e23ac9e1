import numpy as np
import pytest
import scipy.sparse
import torch

import graphkd
from graphkd.datasets import Graph
from graphkd.deploy.exports import sample
from graphkd.deploy.exports.sample import Sample, numpy_rows
from graphkd.sparse import SparseMatrix, as_features
from tests.commands.runs import SHORT
from tests.conftest import make_data


def test_no_row_for_testing_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_data()
    model = graphkd.distill(data, method="infgrand", training=SHORT).predictor
    graph = Graph.from_data(data, model.preprocessing)
    found, rows = Sample.of(model, graph), model.prepare(data.x, data.edge_index)
    np.testing.assert_allclose(found.train, rows[data.train_mask], atol=1e-6)
    np.testing.assert_allclose(found.val, rows[data.val_mask], atol=1e-6)
    assert found.labels.tolist() == data.y[data.val_mask].tolist()
    hits = model.predict(found.val, propagated=True) == found.labels.numpy()
    assert found.score(found.logits) == pytest.approx(hits.mean())
    monkeypatch.setattr(sample, "CALIBRATION", 3)
    few = Sample.of(model, graph)
    assert 3 <= len(few.train) < len(found.train)
    np.testing.assert_array_equal(few.train[:2], found.train[:: len(found.train) // 3][:2])


def test_rows_keep_their_form() -> None:
    x = torch.tensor([[1.0, 0, 2], [0, 0, 0], [0, 3, 0]])
    sparse = as_features(x.to_sparse_csr())
    assert isinstance(sparse, SparseMatrix)
    found = numpy_rows(sparse, torch.tensor([2, 0]))
    assert scipy.sparse.issparse(found)
    np.testing.assert_array_equal(found.toarray(), x[[2, 0]])
    np.testing.assert_array_equal(numpy_rows(x, torch.tensor([1, 1])), x[[1, 1]])
