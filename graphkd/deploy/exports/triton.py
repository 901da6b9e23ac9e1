"""Export of a student as a model repository of NVIDIA's Triton Inference Server."""

from __future__ import annotations

from typing import Any

from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.onnx import export_onnx
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp, quoted
from graphkd.deploy.network import Network

FOLDER, NAME = "triton", "student"
"""Folder of the repository in the bundle, and name of its model: ``triton/student/config.pbtxt``."""

LABELS = "labels.txt"

LARGEST_BATCH = 4096
"""Largest batch that the server may form."""

DELAY = 100
"""Queue delay in microseconds to form a batch: a row is scored in a tenth of it."""


def export_triton(network: Network, stamp: Stamp, sample: Sample, allow_loss: bool) -> Export:
    """Exports as ONNX in the layout that Triton documents, with a configuration and the class names.

    Source: the server's guide, "Model Repository" and "Model Configuration"

    Raises:
        GraphKDError: a package is missing, or the parity check fails.
    """
    export = export_onnx(network, stamp, sample, allow_loss)
    (model,) = export.files.values()
    files = {
        "config.pbtxt": _config(model, stamp).encode(),
        LABELS: "".join(f"{' '.join(name.split())}\n" for name in stamp.class_names).encode(),
        "1/model.onnx": model,
    }
    return Export({f"{FOLDER}/{NAME}/{file}": content for file, content in files.items()}, export.parity)


def _config(model: bytes, stamp: Stamp) -> str:
    """Writes the configuration without a name, so that the folder can be renamed: the server uses the folder's."""
    import onnx

    graph = onnx.load_from_string(model).graph
    (rows,), (logits,) = graph.input, graph.output
    return "\n".join(
        [
            'platform: "onnxruntime_onnx"',
            f"max_batch_size: {LARGEST_BATCH}",
            *_tensor("input", rows),
            *_tensor("output", logits, f'    label_filename: "{LABELS}"'),
            f"dynamic_batching {{ max_queue_delay_microseconds: {DELAY} }}",
            *(_parameter(key, text) for key, text in stamp.metadata.items()),
            "",
        ]
    )


def _tensor(kind: str, given: Any, *more: str) -> list[str]:
    """Writes a tensor's entry without the first dimension, the batch, which the server adds."""
    (width,) = [size.dim_value for size in given.type.tensor_type.shape.dim][1:]
    lines = [f'    name: "{given.name}"', "    data_type: TYPE_FP32", f"    dims: [ {width} ]", *more]
    return [f"{kind} [", "  {", *lines, "  }", "]"]


def _parameter(key: str, text: str) -> str:
    return f"parameters {{ key: {quoted(key)} value {{ string_value: {quoted(text)} }} }}"
