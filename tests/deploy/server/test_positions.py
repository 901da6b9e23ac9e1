"""A student that reads positions is asked by node id, or by rows with their neighbours."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import graphkd
from graphkd import GraphKDError
from graphkd.deploy import FeatureStore
from graphkd.deploy.server.model_state import ModelState
from graphkd.deploy.server.settings import Settings
from graphkd.encoders import Encoding, NodeVectors, Propagation
from tests.deploy.bundles import make_bundle, student
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask, in_thread

EDGES = np.array([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
NODES = [1, -1, 0, -1]


def bundle_of(folder: Path, scale: float = 1.0) -> Path:
    """Two features and two numbers of a position."""
    encoding = Encoding((Propagation(), NodeVectors(scale * torch.tensor([[1.0, 3.0], [-2.0, 5.0]]))))
    return make_bundle(folder, student(num_features=4), encoding=encoding)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("positions")
    bundle, rows = bundle_of(folder), np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32)
    FeatureStore.for_bundle(folder / "store", bundle, rows, EDGES, nodes=NODES).close()
    with in_thread(bundle, store=str(folder / "store")) as port:
        yield Target(port, bundle, graphkd.load_bundle(bundle, "numpy"), rows, FeatureStore(folder / "store"))


def probabilities(target: Target, body: dict) -> np.ndarray:
    answer = ask(target.port, "/predict", body)
    assert answer.status == 200, answer.body
    return np.array([each["probabilities"] for each in answer.json["predictions"]])


def test_nodes_are_answered_as_by_the_bundle(target: Target) -> None:
    expected = graphkd.load_bundle(target.bundle).predict_proba(target.rows, EDGES, nodes=NODES)
    np.testing.assert_allclose(probabilities(target, {"nodes": [0, 1, 2, 3]}), expected, atol=1e-6)
    assert target.store is not None
    rows = {"rows": target.store.rows([0, 1, 2, 3]).tolist(), "propagated": True}
    np.testing.assert_allclose(probabilities(target, rows), expected, atol=1e-6)


def test_a_newcomer_s_position_comes_from_its_neighbours(target: Target) -> None:
    body = {"rows": [[0.5, -1.0], [0.5, -1.0], [0.5, -1.0]], "neighbours": [[0, 2], [1], []]}
    prepared = np.array([[0.5, -1.0, -0.5, 4.0], [0.5, -1.0, 0, 0], [0.5, -1.0, 0, 0]], dtype=np.float32)
    expected = target.model.predict_proba(prepared, propagated=True)
    np.testing.assert_allclose(probabilities(target, body), expected, atol=1e-6)


def test_rows_without_neighbours_are_refused_in_one_line(target: Target) -> None:
    answer = ask(target.port, "/predict", {"rows": [[0.5, -1.0]]})
    assert (answer.status, answer.json["field"]) == (422, "rows")
    assert "reads positions of nodes: send nodes, raw rows with their neighbours, or" in answer.json["error"]
    assert ask(target.port, "/card").json["positions"] == 2
    metadata = ask(target.port, "/v2/models/student").json
    assert metadata["inputs"] == [{"name": "propagated", "datatype": "FP32", "shape": [-1, 4]}]


def test_a_store_of_other_positions_is_refused(target: Target, tmp_path: Path) -> None:
    """Of the same sizes, from another training: its axes mean something else."""
    assert target.store is not None
    with pytest.raises(GraphKDError, match="another preprocessing, propagation, width or other positions"):
        ModelState(Settings(bundle_of(tmp_path, 2.0), "numpy", "student", {}, str(target.store.path)))
