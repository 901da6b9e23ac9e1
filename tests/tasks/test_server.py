"""The server answers with labels or numbers."""

from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd import Training
from tests.deploy.server.serving import ask, in_thread
from tests.tasks.graphs import data_of, features


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_requests_are_answered_in_the_terms_of_the_task(task: str, tmp_path: Path) -> None:
    names = {"multilabel": ["red", "old", "tall"], "regression": ["price"]}[task]
    run = graphkd.distill(data_of(task, class_names=names), training=Training(max_epochs=20), baseline=False)
    run.save(tmp_path / "run")
    model, rows = graphkd.load_bundle(tmp_path / "run", "numpy"), features()[:4].numpy()
    with in_thread(tmp_path / "run" / "bundle") as port:
        assert ask(port, "/card").json["task"] == task
        predictions = ask(port, "/predict", {"rows": rows.tolist()}).json["predictions"]
        tensor = {"name": "rows", "shape": [4, 5], "datatype": "FP32", "data": rows.ravel().tolist()}
        outputs = ask(port, "/v2/models/student/infer", {"inputs": [tensor]}).json["outputs"]
        metadata = ask(port, "/v2/models/student").json["outputs"]
    assert [each["name"] for each in outputs] == [each["name"] for each in metadata]
    expected = model.scores(rows)
    if task == "regression":
        np.testing.assert_allclose([each["values"]["price"] for each in predictions], expected[:, 0], rtol=1e-6)
        return
    np.testing.assert_allclose([each["probabilities"] for each in predictions], expected, atol=1e-6)
    assert [each["labels"] for each in predictions] == [
        [name for name, has in zip(names, row, strict=True) if has] for row in model.predict(rows)
    ]
