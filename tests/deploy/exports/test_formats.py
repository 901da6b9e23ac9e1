"""Every format: made, checked, recorded, refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd import GraphKDError
from graphkd.deploy.exports.formats import FORMATS, export_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.files import EXPORTS, read_bundle
from graphkd.students import MLP, Ensemble
from tests.deploy.bundles import ensemble, make_bundle, progressive, sample_of, student

FILES = {
    "onnx": {"model.onnx"},
    "onnx-int8": {"model.int8.onnx"},
    "c": {"c/student.c", "c/student.h"},
    "torch-export": {"model.pt2"},
    "triton": {f"triton/student/{file}" for file in ("config.pbtxt", "labels.txt", "1/model.onnx")},
}


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize(
    ("make", "norm"),
    [(student, "batch"), *(pytest.param(make, "layer", marks=pytest.mark.slow) for make in (student, ensemble))],
)
def test_what_is_written_is_checked_and_on_record(
    tmp_path: Path, to: str, make: Callable[[str], MLP | Ensemble], norm: str
) -> None:
    model = make(norm)
    bundle = make_bundle(tmp_path, model, norm)
    made = export_bundle(bundle, to, sample_of(model), allow_loss=True)
    spread = float(np.ptp(sample_of(model).logits))
    record = json.loads((bundle / EXPORTS).read_text())["exports"][to]
    assert record["files"].keys() == FILES[to] == made.files.keys()
    assert record["parity"] == {precision: parity.record for precision, parity in made.parity.items()}
    for precision, found in record["parity"].items():
        assert (found["rows"], found["metric"], found["score_before"]) == (60, "accuracy", 1.0)
        assert found["largest_difference"] < (1e-6 if precision == "float32" else 0.3) * spread
    assert all(read_bundle(bundle).files.values())
    assert not [name for name, content in made.files.items() if b"site-packages" in content or b"/home" in content]


@pytest.mark.parametrize("to", FORMATS)
def test_a_sequence_whose_rows_stop_early_is_refused(tmp_path: Path, to: str) -> None:
    model = progressive("layer", threshold=0.9)
    bundle = make_bundle(tmp_path, model, "layer")
    with pytest.raises(GraphKDError, match=f"the format {to} has no early exit.*use runtime='torch' or 'numpy'"):
        export_bundle(bundle, to, sample_of(model), allow_loss=True)
    assert sorted(file.name for file in bundle.iterdir()) == ["README.md", "bundle.json", "model.safetensors"]


def wrong(sample: Sample) -> Sample:
    """As if the student had said something else: another class on one row."""
    logits = sample.logits.copy()
    logits[-1] = np.roll(logits[-1], 1)
    return replace(sample, logits=logits, labels=torch.from_numpy(logits.argmax(1)[-sample.labels.numel() :]))


@pytest.mark.parametrize("to", FORMATS)
def test_another_model_is_refused_unless_that_is_allowed(tmp_path: Path, to: str) -> None:
    model = student()
    bundle, sample = make_bundle(tmp_path, model), wrong(sample_of(model))
    with pytest.raises(GraphKDError, match="nothing was written; --allow-loss writes it all the same") as caught:
        export_bundle(bundle, to, sample)
    assert "\n" not in str(caught.value)
    assert not (bundle / EXPORTS).exists()
    export_bundle(bundle, to, sample, allow_loss=True)
    assert read_bundle(bundle).exported(to)["allow_loss"] is True


def test_a_format_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="unknown format 'onx': did you mean 'onnx'"):
        export_bundle(make_bundle(tmp_path, student()), "onx", sample_of(student()))
