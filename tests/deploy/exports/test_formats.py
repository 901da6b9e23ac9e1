"""Every format: made, checked, recorded, refused."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.deploy.exports import c
from graphkd.deploy.exports.formats import FORMATS, export_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.files import EXPORTS, read_bundle
from tests.deploy.bundles import make_bundle, sample_of, student

FILES = {
    "onnx": {"model.onnx"},
    "onnx-int8": {"model.int8.onnx"},
    "c": {"c/student.c", "c/student.h"},
    "torch-export": {"model.pt2"},
    "triton": {f"triton/student/{file}" for file in ("config.pbtxt", "labels.txt", "1/model.onnx")},
}


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_what_is_written_is_checked_and_on_record(tmp_path: Path, to: str, norm: str) -> None:
    model = student(norm)
    bundle = make_bundle(tmp_path, model, norm)
    made = export_bundle(bundle, to, sample_of(model), allow_loss=True)
    record = json.loads((bundle / EXPORTS).read_text())["exports"][to]
    assert record["files"].keys() == FILES[to] == made.files.keys()
    assert record["parity"] == {precision: parity.record for precision, parity in made.parity.items()}
    for precision, found in record["parity"].items():
        assert (found["rows"], found["metric"], found["score_before"]) == (60, "accuracy", 1.0)
        assert found["largest_difference"] < (1e-5 if precision == "float32" else 0.5)
    assert all(read_bundle(bundle).files.values())
    assert not [name for name, content in made.files.items() if b"site-packages" in content or b"/home" in content]


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


def test_8_bits_that_lose_too_much_are_left_out_of_the_c_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = student()
    bundle, sample = make_bundle(tmp_path, model), sample_of(model)
    monkeypatch.setattr("graphkd.deploy.exports.parity.LOSS", -1.0)
    made = export_bundle(bundle, "c", sample)
    assert made.parity.keys() == {"float32"}
    assert "the 8-bit form loses 0.00 points on validation" in made.remarks[0]
    assert "int8_t codes_0" not in made.files["c/student.c"].decode()
    with pytest.raises(GraphKDError, match="holds no 8-bit weights in C"):
        load_bundle(bundle, "native-int8")
    assert export_bundle(bundle, "c", sample, allow_loss=True).parity.keys() == {"float32", "int8"}


def test_8_bits_are_calibrated_on_training_rows_alone(tmp_path: Path) -> None:
    model = student()
    bundle, sample = make_bundle(tmp_path, model), sample_of(model)
    first = export_bundle(bundle, "onnx-int8", sample, allow_loss=True).files
    other = replace(sample, val=100 * sample.val)
    assert export_bundle(bundle, "onnx-int8", other, allow_loss=True).files == first
    wider = replace(sample, train=100 * sample.train)
    assert export_bundle(bundle, "onnx-int8", wider, allow_loss=True).files != first


def test_a_student_too_large_for_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = student()
    monkeypatch.setattr(c, "LARGEST_SOURCE", 100)
    with pytest.raises(
        GraphKDError, match="has 122 parameters, and C files are written up to 100: export to onnx"
    ):
        export_bundle(make_bundle(tmp_path, model), "c", sample_of(model))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package(tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = student()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else name)
    with pytest.raises(GraphKDError, match=rf"needs {package}: pip install 'graphkd\[onnx\]'"):
        export_bundle(make_bundle(tmp_path, model), "onnx", sample_of(model))


def test_a_runtime_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = student()
    bundle = make_bundle(tmp_path, model)
    with pytest.raises(GraphKDError, match=r"holds no onnx \(but nothing yet\): graphkd export RUN --to onnx"):
        load_bundle(bundle, "onnx")
    export_bundle(bundle, "onnx", sample_of(model))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(GraphKDError, match="the onnx runtime needs onnxruntime: pip install onnxruntime"):
        load_bundle(bundle, "onnx")


def test_the_batch_is_free_and_batch_normalisation_gone(tmp_path: Path) -> None:
    model = student()
    made = export_bundle(make_bundle(tmp_path, model), "onnx", sample_of(model))
    graph = onnx.load_from_string(made.files["model.onnx"]).graph
    assert [node.op_type for node in graph.node] == ["Gemm", "Relu", "Gemm", "Relu", "Gemm"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_the_program_of_torch_takes_any_batch(tmp_path: Path) -> None:
    model = student("layer")
    made = export_bundle(make_bundle(tmp_path, model, "layer"), "torch-export", sample_of(model))
    program = torch.export.load(io.BytesIO(made.files["model.pt2"])).module()
    for rows in (1, 5):
        x = torch.randn(rows, 5)
        torch.testing.assert_close(program(x), model(x).logits)


def test_a_format_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="unknown format 'onx': did you mean 'onnx'"):
        export_bundle(make_bundle(tmp_path, student()), "onx", sample_of(student()))
