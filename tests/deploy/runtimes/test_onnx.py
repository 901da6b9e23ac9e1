import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from graphkd import GraphKDError, load_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.runtimes import onnx
from tests.deploy.bundles import make_bundle, sample_of, student


@pytest.mark.slow
def test_a_runtime_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = student()
    bundle = make_bundle(tmp_path, model)
    with pytest.raises(GraphKDError, match=r"holds no onnx \(but nothing yet\): graphkd export RUN --to onnx"):
        load_bundle(bundle, "onnx")
    export_bundle(bundle, "onnx", sample_of(model))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(GraphKDError, match="the onnx runtime needs onnxruntime: pip install onnxruntime"):
        load_bundle(bundle, "onnx")


def test_many_and_sparse_rows_are_computed_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = student()
    bundle = make_bundle(tmp_path, model)
    export_bundle(bundle, "onnx", sample_of(model))
    served, x = load_bundle(bundle, "onnx"), np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    whole = served.logits(x)
    monkeypatch.setattr(onnx, "BATCH", 3)
    for rows in (x, scipy.sparse.csr_matrix(x)):
        np.testing.assert_allclose(served.logits(rows), whole, rtol=1e-6)
