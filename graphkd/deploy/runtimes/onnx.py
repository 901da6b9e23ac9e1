"""The student in ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from graphkd.deploy.files import Bundle
from graphkd.deploy.network import FloatArray, network_of
from graphkd.deploy.row_predictor import Engine, with_scaling
from graphkd.deploy.runtimes.onnx_file import check_onnx
from graphkd.deploy.runtimes.plain import softmax
from graphkd.deploy.scaling import scaling_of
from graphkd.errors import GraphKDError
from graphkd.io.rows import Rows, dense

FILES = {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}
"""Runtime → its model file in the bundle."""

ROWS = "rows"
"""Name of the graph's input."""

BATCH = 4096
"""Rows per forward pass: sparse rows are converted to dense ones in batches of this size."""


def bundle_engine(bundle: Bundle, name: str) -> Engine:
    """Builds the engine of ``graphkd export RUN --to onnx`` or ``onnx-int8``.

    Raises:
        GraphKDError: the export is missing or contains anything but this student, or there is no ONNX Runtime.
    """
    record, model = bundle.exported(name), bundle.files[FILES[name]]
    scaling = scaling_of(bundle) if "columns" in record else None  # older files take encoded rows
    try:
        check_onnx(model, network_of(bundle), scaling)
    except (ValueError, IndexError) as error:
        raise GraphKDError(
            f"{bundle.folder / FILES[name]} is not this student as graphkd exports it: {error}; export it again"
        ) from None
    engine = onnx_engine(model, name)
    if scaling is not None:
        return with_scaling(engine, scaling)
    return replace(engine, preprocesses="preprocessing" in record)  # older files take preprocessed rows


def onnx_engine(model: bytes, name: str) -> Engine:
    """Builds an engine from an ONNX Runtime session with one thread: a row is too little work for two.

    Args:
        model: content of the file.
        name: of the runtime.

    Raises:
        GraphKDError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise GraphKDError(f"the {name} runtime needs onnxruntime: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if (
        name == "onnx"
    ):  # there is nothing to fuse in these few nodes, and looking for it takes 40 % of a session's start
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def logits(rows: Rows) -> FloatArray:
        if isinstance(rows, np.ndarray) and rows.shape[0] <= BATCH:
            result: FloatArray = session.run(None, {ROWS: rows})[0]
            return result
        parts = [dense(rows[start : start + BATCH]) for start in range(0, rows.shape[0], BATCH)]
        return np.concatenate([session.run(None, {ROWS: part})[0] for part in parts])

    return Engine(name, logits, softmax)
