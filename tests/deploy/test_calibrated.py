"""Calibrated probabilities are the softmax of logits divided by the temperature, in every runtime and export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import graphkd
from graphkd import GraphKDError, Training, load_bundle
from graphkd.deploy.files import read_bundle
from tests.conftest import make_data
from tests.deploy.server.serving import ask, in_thread

EXPORTS = {"onnx": "onnx", "native": "c", "onnx-int8": "onnx-int8", "native-int8": "c"}
"""Runtime → its export."""

EXACT, OF_8_BITS = 1e-6, 0.02
"""Largest difference of a probability."""


def distilled(calibrate: bool) -> graphkd.runs.Run:
    training = Training(max_epochs=20)
    return graphkd.distill(make_data(), training=training, device="cpu", baseline=False, calibrate=calibrate)


@pytest.fixture(scope="module")
def run() -> graphkd.runs.Run:
    return distilled(True)


@pytest.fixture(scope="module")
def plain() -> graphkd.runs.Run:
    return distilled(False)


@pytest.fixture(scope="module")
def expected(run: graphkd.runs.Run, plain: graphkd.runs.Run) -> np.ndarray:
    """``softmax(z / T)`` of the student that was not calibrated, as a loop in float64."""
    with torch.no_grad():
        logits = plain.student(make_data().x).logits.double().numpy()
    temperature = run.metrics["seeds"][0]["temperature"]
    rows = [np.exp(row / temperature - max(row / temperature)) for row in logits]
    return np.array([row / sum(row) for row in rows])


def test_torch_numpy_and_a_server_answer_alike(
    run: graphkd.runs.Run, expected: np.ndarray, tmp_path: Path
) -> None:
    run.save(tmp_path / "run")
    rows = make_data().x.numpy()
    answers = [load_bundle(tmp_path / "run", runtime).predict_proba(rows) for runtime in ("torch", "numpy")]
    with in_thread(tmp_path / "run" / "bundle") as port:
        predictions = ask(port, "/predict", {"rows": rows.tolist()}).json["predictions"]
        answers.append(np.array([each["probabilities"] for each in predictions]))
    for found in (run.predictor.predict_proba(rows), *answers):
        assert np.abs(found - expected).max() < EXACT


@pytest.mark.slow
@pytest.mark.parametrize("runtime", EXPORTS)
def test_every_export_answers_alike(
    run: graphkd.runs.Run, expected: np.ndarray, runtime: str, tmp_path: Path
) -> None:
    run.save(tmp_path / "run")
    run.export(tmp_path / "run", EXPORTS[runtime], allow_loss=True)
    found = load_bundle(tmp_path / "run", runtime).predict_proba(make_data().x.numpy())
    assert np.abs(found - expected).max() < (OF_8_BITS if "int8" in runtime else EXACT)


def test_classes_stay_and_the_card_has_the_temperature(
    run: graphkd.runs.Run, plain: graphkd.runs.Run, tmp_path: Path
) -> None:
    (seed,), (other,) = run.metrics["seeds"], plain.metrics["seeds"]
    assert (seed["student"]["val"], seed["student"]["test"]) == (other["student"]["val"], other["student"]["test"])
    assert seed["temperature"] != 1
    assert seed["uncalibrated"] == {name: other["student"][name] for name in ("test_ece", "test_brier")}
    assert seed["student"]["test_ece"] != other["student"]["test_ece"]
    assert "temperature" not in other
    run.save(tmp_path / "run")
    card = read_bundle(tmp_path / "run").description["card"]
    assert (card["temperature"], card["uncalibrated"]) == (seed["temperature"], seed["uncalibrated"])


@pytest.mark.parametrize(("method", "student"), [("adagmlp", "ensemble"), ("progmlp", "progressive")])
def test_several_last_layers_are_refused(method: str, student: str) -> None:
    with pytest.raises(GraphKDError, match=rf"student={student} of method={method} has several last layers"):
        graphkd.distill(make_data(), method=method, training=Training(max_epochs=1), calibrate=True)
