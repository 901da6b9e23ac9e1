"""The student in ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from graphkd.deploy.files import Bundle
from graphkd.deploy.network import FloatArray, network_of
from graphkd.deploy.row_predictor import Engine
from graphkd.deploy.runtimes.onnx_file import check_onnx
from graphkd.deploy.runtimes.plain import softmax
from graphkd.errors import GraphKDError
from graphkd.io.rows import Rows, dense

FILES = {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}
"""Of each precision, in the bundle."""

ROWS = "rows"
"""The graph's input."""

BATCH = 4096
"""Rows per forward pass: sparse ones are made dense, as many at a time."""


def bundle_engine(bundle: Bundle, name: str) -> Engine:
    """The engine of ``graphkd export RUN --to onnx`` or ``onnx-int8``.

    Raises:
        GraphKDError: it was not exported, it holds anything but this student, or there is no ONNX Runtime.
    """
    record, model = bundle.exported(name), bundle.files[FILES[name]]
    try:
        check_onnx(model, network_of(bundle))
    except (ValueError, IndexError) as error:
        raise GraphKDError(
            f"{bundle.folder / FILES[name]} is not this student as graphkd exports it: {error}; export it again"
        ) from None
    engine = onnx_engine(model, name)
    return replace(engine, preprocesses="preprocessing" in record)  # older files take prepared rows


def onnx_engine(model: bytes, name: str) -> Engine:
    """A session on one thread: a row is too little work for two.

    Args:
        model: content of the file.
        name: of the runtime.

    Raises:
        GraphKDError: there is no ONNX Runtime.
    """
    try:
        import onnxruntime
    except ImportError:
        raise GraphKDError(f"the {name} runtime needs onnxruntime: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def logits(rows: Rows) -> FloatArray:
        if isinstance(rows, np.ndarray) and rows.shape[0] <= BATCH:
            found: FloatArray = session.run(None, {ROWS: rows})[0]
            return found
        parts = [dense(rows[start : start + BATCH]) for start in range(0, rows.shape[0], BATCH)]
        return np.concatenate([session.run(None, {ROWS: part})[0] for part in parts])

    return Engine(name, logits, softmax)
