"""The student as compiled C."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.files import Bundle
from graphkd.deploy.network import FloatArray
from graphkd.deploy.row_predictor import Engine
from graphkd.deploy.rows import Rows
from graphkd.deploy.runtimes.compiler import shared_library
from graphkd.errors import GraphKDError

SOURCE, HEADER = "c/student.c", "c/student.h"


def native_engine(bundle: Bundle, int8: bool) -> Engine:
    """Compiles the C files of a bundle, or takes the library from the cache.

    Args:
        bundle: with ``graphkd export RUN --to c`` in it.
        int8: on 8-bit weights.

    Raises:
        GraphKDError: they were not exported, their 8-bit weights lost too much, or they cannot be compiled.
    """
    record = bundle.exported("c")
    if int8 and "int8" not in record["parity"]:
        raise GraphKDError(
            f"{bundle.folder} holds no 8-bit weights in C, which lost too much: use runtime='native', or "
            "graphkd export RUN --to c --allow-loss"
        )
    sources = {"student.c": bundle.files[SOURCE], "student.h": bundle.files[HEADER]}
    num_classes = int(bundle.description["student"]["arguments"]["num_classes"])
    return compiled_engine(sources, num_classes, int8)


def compiled_engine(sources: dict[str, bytes], num_classes: int, int8: bool) -> Engine:
    """``student.c`` and ``student.h`` → an engine with ``C`` classes."""
    library = ctypes.CDLL(str(shared_library(sources)))
    prefix = "graphkd_int8_logits" if int8 else "graphkd_logits"
    dense, csr, probabilities = library[prefix], library[f"{prefix}_csr"], library["graphkd_softmax"]
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    dense.argtypes = probabilities.argtypes = (pointer, number, pointer)
    csr.argtypes = (pointer, pointer, pointer, number, pointer)
    dense.restype = csr.restype = probabilities.restype = None

    def logits(rows: Rows) -> FloatArray:
        count = rows.shape[0]
        out = np.empty((count, num_classes), dtype=np.float32)
        if isinstance(rows, np.ndarray):
            dense(_address(rows), count, _address(out))
        else:
            start, column = rows.indptr.astype(np.int64), rows.indices.astype(np.int32)
            csr(_address(start), _address(column), _address(rows.data), count, _address(out))
        return out

    def softmax(given: FloatArray) -> FloatArray:
        out = np.empty_like(given)
        probabilities(_address(given), given.shape[0], _address(out))
        return out

    return Engine("native-int8" if int8 else "native", logits, softmax)


def _address(array: NDArray[Any]) -> int:
    """Of the first entry; faster than ``array.ctypes.data``."""
    address: int = array.__array_interface__["data"][0]
    return address
