"""The student as a model repository of NVIDIA's Triton Inference Server."""

from __future__ import annotations

from typing import Any

from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.onnx import export_onnx
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp, quoted
from graphkd.deploy.network import Network

FOLDER, NAME = "triton", "student"
"""The repository in the bundle, and the model in it: ``triton/student/config.pbtxt``."""

LABELS = "labels.txt"

LARGEST_BATCH = 4096
"""Rows that the server may put together."""

DELAY = 100
"""Microseconds that a row may wait for others: a row takes a tenth of it."""


def export_triton(network: Network, stamp: Stamp, sample: Sample, allow_loss: bool) -> Export:
    """``export_onnx`` in the layout that Triton documents, with a configuration and names of the classes.

    Source: the server's guide, "Model Repository" and "Model Configuration"

    Raises:
        GraphKDError: a package is missing, or not the same model.
    """
    made = export_onnx(network, stamp, sample, allow_loss)
    (model,) = made.files.values()
    files = {
        "config.pbtxt": _config(model, stamp).encode(),
        LABELS: "".join(f"{' '.join(name.split())}\n" for name in stamp.class_names).encode(),
        "1/model.onnx": model,
    }
    return Export({f"{FOLDER}/{NAME}/{file}": content for file, content in files.items()}, made.parity)


def _config(model: bytes, stamp: Stamp) -> str:
    """Without a name, so that the folder may be renamed: the server takes the folder's."""
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
    """The first dimension is the batch, which the server adds by itself."""
    (width,) = [size.dim_value for size in given.type.tensor_type.shape.dim][1:]
    lines = [f'    name: "{given.name}"', "    data_type: TYPE_FP32", f"    dims: [ {width} ]", *more]
    return [f"{kind} [", "  {", *lines, "  }", "]"]


def _parameter(key: str, text: str) -> str:
    return f"parameters {{ key: {quoted(key)} value {{ string_value: {quoted(text)} }} }}"
