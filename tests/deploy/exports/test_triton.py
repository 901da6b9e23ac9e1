"""The repository against what Triton documents: its layout, and the message that ``config.pbtxt`` is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from graphkd.deploy import load_bundle, write_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.encoders import Encoding
from tests.deploy.bundles import STEPS, make_bundle, sample_of, student

Field = descriptor_pb2.FieldDescriptorProto
WHOLE, TEXT, ENUM, MESSAGE = Field.TYPE_INT64, Field.TYPE_STRING, Field.TYPE_ENUM, Field.TYPE_MESSAGE
FP32 = 11
"""TYPE_FP32 of model_config.proto."""

DOCUMENTED: dict[str, dict[str, tuple[int, int, bool, str]]] = {
    "ModelInput": {
        "name": (1, TEXT, False, ""),
        "data_type": (2, ENUM, False, "DataType"),
        "dims": (4, WHOLE, True, ""),
    },
    "ModelOutput": {
        "name": (1, TEXT, False, ""),
        "data_type": (2, ENUM, False, "DataType"),
        "dims": (3, WHOLE, True, ""),
        "label_filename": (4, TEXT, False, ""),
    },
    "ModelDynamicBatching": {"max_queue_delay_microseconds": (2, WHOLE, False, "")},
    "ModelParameter": {"string_value": (1, TEXT, False, "")},
    "ParametersEntry": {"key": (1, TEXT, False, ""), "value": (2, MESSAGE, False, "ModelParameter")},
    "ModelConfig": {
        "name": (1, TEXT, False, ""),
        "platform": (2, TEXT, False, ""),
        "max_batch_size": (4, WHOLE, False, ""),
        "input": (5, MESSAGE, True, "ModelInput"),
        "output": (6, MESSAGE, True, "ModelOutput"),
        "parameters": (14, MESSAGE, True, "ParametersEntry"),
        "dynamic_batching": (11, MESSAGE, False, "ModelDynamicBatching"),
    },
}
"""Number, type, repeated, the type's name: what is used of model_config.proto. Any other field does not parse."""


def config_message() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="config.proto", package="inference", syntax="proto3")
    kind = file.enum_type.add(name="DataType")
    kind.value.add(name="TYPE_INVALID", number=0)
    kind.value.add(name="TYPE_FP32", number=FP32)
    for name, fields in DOCUMENTED.items():
        message = file.message_type.add(name=name)
        for field, (number, of, repeated, named) in fields.items():
            label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            entry = message.field.add(name=field, number=number, type=of, label=label)
            if named:
                entry.type_name = f".inference.{named}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("inference.ModelConfig"))()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    model = student("layer")
    arguments = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "layer"}
    names = ["oak", "elm,\nwhite", "fir"]
    write_bundle(tmp_path / "bundle", model, arguments, STEPS, Encoding(), names, {})
    export_bundle(tmp_path / "bundle", "triton", sample_of(model))
    return tmp_path / "bundle" / "triton"


def test_the_layout(repository: Path) -> None:
    (model,) = repository.iterdir()
    assert sorted(file.name for file in model.iterdir()) == ["1", "config.pbtxt", "labels.txt"]
    assert [
        folder.name for folder in model.iterdir() if folder.is_dir() and re.fullmatch("[1-9][0-9]*", folder.name)
    ]
    assert [file.name for file in (model / "1").iterdir()] == ["model.onnx"], (
        "what onnxruntime looks for by default"
    )


def check(config: Any, model: Path) -> None:
    session = onnxruntime.InferenceSession(model / "1" / "model.onnx")
    for told, found in ((config.input, session.get_inputs()), (config.output, session.get_outputs())):
        assert [each.name for each in told] == [each.name for each in found]
        assert [(each.data_type, each.dims) for each in told] == [(FP32, each.shape[1:]) for each in found]
        assert {each.type for each in found} == {"tensor(float)"}
        assert all(isinstance(each.shape[0], str) for each in found), "the batch is free"
    assert config.platform == "onnxruntime_onnx"
    assert config.name == "", "of the folder"
    assert config.max_batch_size == 4096
    told = config.parameters
    values = {key: told[key] for key in told} if hasattr(told, "keys") else {each.key: each.value for each in told}
    assert json.loads(values["class_names"].string_value) == ["oak", "elm,\nwhite", "fir"]
    assert values["rows"].string_value == "raw"
    assert config.dynamic_batching.max_queue_delay_microseconds == 100
    labels = (model / config.output[0].label_filename).read_text().splitlines()
    assert labels == ["oak", "elm, white", "fir"]
    assert len(labels) == config.output[0].dims[0]


def test_the_configuration_is_the_model_s(repository: Path) -> None:
    text = (repository / "student" / "config.pbtxt").read_text()
    check(text_format.Parse(text, config_message()), repository / "student")


def test_by_the_client_s_own_message(repository: Path) -> None:
    grpc = pytest.importorskip("tritonclient.grpc")
    text = (repository / "student" / "config.pbtxt").read_text()
    check(text_format.Parse(text, grpc.model_config_pb2.ModelConfig()), repository / "student")


def test_it_answers_as_the_student_does_up_to_the_largest_batch(repository: Path) -> None:
    onnx.checker.check_model(repository / "student" / "1" / "model.onnx")
    session = onnxruntime.InferenceSession(repository / "student" / "1" / "model.onnx")
    x = np.random.default_rng(0).standard_normal((4096, 5)).astype(np.float32)
    (found,) = session.run(["logits"], {"rows": x})
    expected = load_bundle(repository.parent, "numpy").logits(x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_classes_without_names_are_numbers(tmp_path: Path) -> None:
    model = student("layer")
    made = export_bundle(make_bundle(tmp_path, model, "layer"), "triton", sample_of(model))
    assert made.files["triton/student/labels.txt"] == b"0\n1\n2\n"
