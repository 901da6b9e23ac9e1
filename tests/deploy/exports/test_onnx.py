"""The ONNX file, in 32 and 8 bits."""

import re
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch

from graphkd import GraphKDError
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.runtimes.onnx_file import MIXTURE
from tests.deploy.bundles import ensemble, make_bundle, sample_of, student


@pytest.mark.slow
def test_members_logits_are_mixed_in_more_than_8_bits(tmp_path: Path) -> None:
    model = ensemble()
    made = export_bundle(make_bundle(tmp_path, model), "onnx-int8", sample_of(model), allow_loss=True)
    nodes = onnx.load_from_string(made.files["model.int8.onnx"]).graph.node
    written = {name: node.op_type for node in nodes for name in node.output}
    mixing = [node for node in nodes if node.op_type in MIXTURE]
    assert {"LogSoftmax", "Exp", "Log"} <= {node.op_type for node in mixing}
    read = {written[name] for node in mixing for name in node.input if name in written}
    assert read <= {"DequantizeLinear", *MIXTURE}
    assert "QuantizeLinear" not in [node.op_type for node in nodes if set(node.input) & _results(mixing)]


def _results(nodes: list[onnx.NodeProto]) -> set[str]:
    return {name for node in nodes for name in node.output}


def test_8_bits_are_calibrated_on_training_rows_alone(tmp_path: Path) -> None:
    model = student()
    bundle, sample = make_bundle(tmp_path, model), sample_of(model)
    first = export_bundle(bundle, "onnx-int8", sample, allow_loss=True).files
    other = replace(sample, val=100 * sample.val)
    assert export_bundle(bundle, "onnx-int8", other, allow_loss=True).files == first
    wider = replace(sample, train=100 * sample.train)
    assert export_bundle(bundle, "onnx-int8", wider, allow_loss=True).files != first


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package(tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = student()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else name)
    with pytest.raises(GraphKDError, match=rf"needs {package}: pip install 'graphkd\[onnx\]'"):
        export_bundle(make_bundle(tmp_path, model), "onnx", sample_of(model))


def test_an_onnxscript_that_is_older_than_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def export(*given: object, **named: object) -> None:
        name = "onnxscript._framework_apis.torch_2_11"
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    model = student(hidden_dim=9)  # no other test's, which is exported once for all
    monkeypatch.setattr(torch.onnx, "export", export)
    with pytest.raises(
        GraphKDError, match=rf"does not know torch {re.escape(torch.__version__)}: pip install --upg"
    ):
        export_bundle(make_bundle(tmp_path, model), "onnx", sample_of(model))


def test_the_batch_is_free_and_batch_normalisation_gone(tmp_path: Path) -> None:
    model = student()
    made = export_bundle(make_bundle(tmp_path, model), "onnx", sample_of(model))
    graph = onnx.load_from_string(made.files["model.onnx"]).graph
    assert [node.op_type for node in graph.node] == ["Gemm", "Relu", "Gemm", "Relu", "Gemm"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
