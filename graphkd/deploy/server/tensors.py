"""Tensors of the Open Inference Protocol, as JSON or as bytes after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.server.errors import wrong
from graphkd.deploy.server.schema import InputTensor, OutputTensor

SIZE = "binary_data_size"
"""Parameter of a tensor: its number of bytes after the JSON."""

DATATYPES = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
"""Data type → numpy's; little endian."""

NAMES = {"f": "FP32", "i": "INT64"}
"""Kind of numpy → data type, for outputs."""


def array_of(tensor: InputTensor, field: str, tail: memoryview) -> tuple[NDArray[Any], int]:
    """Returns the entries of a tensor as an array.

    Args:
        tensor: of a request.
        field: its location in the request.
        tail: bytes after the JSON that do not belong to a previous tensor.

    Returns:
        An array of the declared shape, and the number of bytes of ``tail`` that it uses.

    Raises:
        RefusedError: 422, an unknown data type, or entries that do not match the declared type or shape.
    """
    if tensor.datatype not in DATATYPES:
        raise wrong(f"{field}.datatype", f"{tensor.datatype[:20]!r} is none of {', '.join(DATATYPES)}")
    kind, count = np.dtype(DATATYPES[tensor.datatype]), math.prod(tensor.shape)
    if SIZE in tensor.parameters:
        return _from_bytes(tensor, field, tail, kind, count)
    if tensor.data is None:
        raise wrong(f"{field}.data", f"give data, or parameters.{SIZE} and bytes after the JSON")
    return _from_json(tensor, field, kind, count), 0


def output_of(name: str, values: NDArray[Any], binary: bool) -> tuple[OutputTensor, bytes]:
    """Converts an array to a tensor, and the bytes that follow the JSON."""
    shape, datatype = list(values.shape), NAMES[values.dtype.kind]
    if not binary:
        data = values.reshape(-1).tolist()
        return OutputTensor(name=name, shape=shape, datatype=datatype, data=data), b""
    content = np.ascontiguousarray(values, dtype=DATATYPES[datatype]).tobytes()
    return OutputTensor(name=name, shape=shape, datatype=datatype, parameters={SIZE: len(content)}), content


def _from_bytes(
    tensor: InputTensor, field: str, tail: memoryview, kind: np.dtype[Any], count: int
) -> tuple[NDArray[Any], int]:
    size = tensor.parameters[SIZE]
    if tensor.data is not None:
        raise wrong(f"{field}.data", f"leave it out where parameters.{SIZE} is given")
    if isinstance(size, bool) or not isinstance(size, int) or size != count * kind.itemsize:
        raise wrong(
            f"{field}.parameters.{SIZE}", f"{tensor.datatype} {tensor.shape} has {count * kind.itemsize} bytes"
        )
    if size > len(tail):
        raise wrong(f"{field}.parameters.{SIZE}", f"{size} bytes, and {len(tail)} follow the JSON")
    if kind.kind == "b":  # any byte but 0 is true
        return (np.frombuffer(tail[:size], dtype=np.uint8) != 0).reshape(tensor.shape), size
    return np.frombuffer(tail[:size], dtype=kind).reshape(tensor.shape), size


def _from_json(tensor: InputTensor, field: str, kind: np.dtype[Any], count: int) -> NDArray[Any]:
    """Converts ``data``, flat or nested as in the shape."""
    try:
        array = np.asarray(tensor.data)
    except (ValueError, OverflowError):  # lists of several lengths
        array = np.empty(0, dtype=object)
    if array.size == 0 and count == 0:
        return np.zeros(tensor.shape, dtype=kind)
    if array.dtype.kind not in {"f": "fiu", "b": "b"}.get(kind.kind, "iu"):
        raise wrong(f"{field}.data", f"holds something else than {tensor.datatype}, or lists of several lengths")
    if list(array.shape) not in ([count], tensor.shape):
        raise wrong(f"{field}.data", f"has shape {list(array.shape)}, and the tensor {tensor.shape}")
    if kind.kind in "iu" and not (
        int(array.min()) >= np.iinfo(kind).min and int(array.max()) <= np.iinfo(kind).max
    ):
        raise wrong(f"{field}.data", f"holds numbers beyond {tensor.datatype}")
    with np.errstate(over="ignore"):
        return array.astype(kind).reshape(tensor.shape)
