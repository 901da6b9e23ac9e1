"""Export of a student as ONNX, in 32 and in 8 bits."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.module import LARGEST_BATCH, example, module_of
from graphkd.deploy.exports.parity import Parity, check
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.network import Network
from graphkd.deploy.runtimes.onnx import FILES, ROWS, onnx_engine
from graphkd.deploy.runtimes.onnx_file import MIXTURE
from graphkd.errors import GraphKDError
from graphkd.io.rows import dense


def export_onnx(network: Network, stamp: Stamp, sample: Sample, allow_loss: bool) -> Export:
    """Exports with torch's exporter and a dynamic batch; compares in ONNX Runtime.

    Raises:
        GraphKDError: a package is missing, or the parity check fails.
    """
    check_packages()
    model = _stamped(_model(network, stamp), stamp)
    parity = Parity.of(sample, onnx_engine(model, "onnx").logits)
    check(parity.float_fault(), "the ONNX file", allow_loss)
    return Export({FILES["onnx"]: model}, {"float32": parity})


def export_onnx_int8(network: Network, stamp: Stamp, sample: Sample, allow_loss: bool) -> Export:
    """Quantizes with ONNX Runtime: static, weights per channel, activations calibrated on training rows.

    Raises:
        GraphKDError: a package is missing, or the loss is too large.
    """
    check_packages()
    model = _stamped(_quantised(_model(network, stamp), sample), stamp)
    parity = Parity.of(sample, onnx_engine(model, "onnx-int8").logits)
    check(parity.int8_fault(), "onnx-int8", allow_loss)
    return Export({FILES["onnx-int8"]: model}, {"int8": parity})


def check_packages() -> None:
    """Checks that the packages of an export to ONNX are installed.

    Raises:
        GraphKDError: one is missing.
    """
    for package in ("onnx", "onnxruntime", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise GraphKDError(f"an export to ONNX needs {package}: pip install 'graphkd[onnx]'")


def _model(network: Network, stamp: Stamp) -> bytes:
    return exported(module_of(network, stamp), (example(network)[0],), (ROWS,), "logits")


def exported(module: nn.Module, inputs: tuple[Tensor, ...], names: tuple[str, ...], output: str) -> bytes:
    """Exports a module whose inputs have one dynamic dimension, the first.

    Args:
        module: in evaluation mode.
        inputs: examples ``[2, …]``.
        names: of the inputs.
        output: name of the output.

    Raises:
        GraphKDError: the exporter does not know this version of torch.
    """
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                inputs,
                input_names=list(names),
                output_names=[output],
                dynamic_shapes=tuple({0: batch} for _ in inputs),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("onnxscript."):
            raise
        # torch imports a module of onnxscript that is named after torch's version
        raise GraphKDError(
            f"this onnxscript does not know torch {torch.__version__}: pip install --upgrade onnxscript"
        ) from None
    if program is None:
        raise GraphKDError("torch exported nothing: install another version of onnxscript")
    proto = program.model_proto
    for part in (*proto.graph.node, *proto.graph.value_info, *proto.graph.initializer):
        part.ClearField("metadata_props")  # among them paths of this machine
    content: bytes = proto.SerializeToString()
    return content


def _stamped(model: bytes, stamp: Stamp) -> bytes:
    """Adds the stamp as the model's metadata, which viewers and ONNX Runtime show."""
    import onnx

    proto = onnx.load_from_string(model)
    onnx.helper.set_model_props(proto, stamp.metadata)
    content: bytes = proto.SerializeToString()
    return content


def _beside_the_layers(model: bytes) -> list[str]:
    """Returns the names of the nodes that preprocess rows, all before the first layer, or mix members' logits."""
    import onnx

    nodes = onnx.load_from_string(model).graph.node
    before = itertools.takewhile(lambda node: node.op_type not in ("Gemm", "MatMul"), nodes)
    return [node.name for node in (*before, *(node for node in nodes if node.op_type in MIXTURE))]


def _quantised(model: bytes, sample: Sample) -> bytes:
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches = iter([dense(sample.train)])

        def get_next(self) -> Any:
            rows = next(self.batches, None)
            return None if rows is None else {ROWS: rows}

    with tempfile.TemporaryDirectory() as name, _quiet():
        source, target = Path(name) / "before.onnx", Path(name) / "after.onnx"
        source.write_bytes(model)
        types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
        excluded = _beside_the_layers(model)  # sums of rows and of exponentials need more than 8 bits
        # Weights of 7 bits: processors without VNNI add pairs of products of 8 bits in 16, which saturates.
        quantize_static(
            source, target, Reader(), per_channel=True, reduce_range=True, nodes_to_exclude=excluded, **types
        )
        return target.read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses the lines that exporters log and print for their own developers."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
