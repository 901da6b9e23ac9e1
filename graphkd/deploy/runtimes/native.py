"""The student as compiled C code."""

from __future__ import annotations

import ctypes
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.exports.c_source import c_sources, code_of_the_export
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.files import Bundle
from graphkd.deploy.network import FloatArray, network_of
from graphkd.deploy.row_predictor import Engine
from graphkd.deploy.runtimes.compiler import shared_library
from graphkd.errors import GraphKDError
from graphkd.io.rows import Rows


def native_engine(bundle: Bundle, int8: bool) -> Engine:
    """Compiles the student of a bundle, or loads the library from the cache.

    The compiled source is generated from the weights, as by ``graphkd export RUN --to c``, and not taken from the
    bundle: a bundle may be from an untrusted source, and no code in it is executed. It takes
    features: the scaling of raw numbers, which the exported file contains, is not in it.

    Args:
        bundle: contains the C export, whose record shows that it passed the parity check.
        int8: whether to use 8-bit weights.

    Raises:
        GraphKDError: there is no C export, it has no 8-bit weights, or it cannot be compiled.
    """
    both = "int8" in bundle.exported("c")["parity"]
    if int8 and not both:
        raise GraphKDError(
            f"{bundle.folder} holds no 8-bit weights in C, which lost too much: use runtime='native', or "
            "graphkd export RUN --to c --allow-loss"
        )
    # Rows are read by name and scaled in double precision before; rows of a graph or a store are scaled already.
    student, stamp = bundle.description["student"], replace(Stamp.of(bundle), scaling=None)
    description = [bundle.description["weights_sha256"], student, both, asdict(stamp)]
    identity = [json.dumps(description).encode(), code_of_the_export()]
    library = shared_library(b"\0".join(identity), lambda: c_sources(network_of(bundle), stamp, both))
    engine = compiled_engine(library, int(student["arguments"]["num_classes"]), int8)
    return replace(engine, preprocesses=stamp.folded)


def compiled_engine(path: Path, num_classes: int, int8: bool) -> Engine:
    """Loads a library compiled from ``student.c`` as an engine with ``C`` classes.

    Raises:
        GraphKDError: the library cannot be loaded, e.g. from a file system mounted ``noexec``.
    """
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise GraphKDError(
            f"{path} cannot be loaded ({error}): set GRAPHKD_CACHE to a folder from which programs may run"
        ) from None
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
    """Returns the address of the first entry; faster than ``array.ctypes.data``."""
    address: int = array.__array_interface__["data"][0]
    return address
