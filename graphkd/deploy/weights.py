"""Reading of ``model.safetensors`` with numpy alone, so that inference needs no further package."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8"}
"""Data types of a student's tensors: name in the file → numpy's."""


def arrays_of(content: bytes) -> dict[str, NDArray[Any]]:
    """Returns the tensors of a file, by name.

    The first eight bytes are the length of the header, which is JSON: name → ``dtype``, ``shape``,
    ``data_offsets``; offsets count from the end of the header.

    Source: the format of safetensors, https://huggingface.co/docs/safetensors

    Args:
        content: of the file.

    Raises:
        ValueError: it is not a safetensors file; ``KeyError`` and ``TypeError`` are raised likewise.
    """
    header, start = _header(content)
    view = memoryview(content)[start:]
    return {name: _array(view, **entry) for name, entry in header.items()}


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    start = 8 + int.from_bytes(content[:8], "little")
    if start > len(content):
        raise ValueError("the header is cut")
    header = json.loads(content[8:start])
    if not isinstance(header, dict):
        raise TypeError("the header is no object")
    header.pop("__metadata__", None)
    return header, start


def _array(view: memoryview, dtype: str, shape: list[int], data_offsets: list[int]) -> NDArray[Any]:
    first, last = data_offsets
    if not 0 <= first <= last <= len(view) or any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("an array lies outside the file")
    return np.frombuffer(view[first:last], TYPES[dtype]).reshape(shape)
