"""``model.safetensors`` with numpy alone: a machine that only answers needs no package for a few arrays."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8"}
"""What the tensors of a student may be, by their names in the file."""


def arrays_of(content: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a file, by name.

    Eight bytes say how long the header is, which is JSON: name → ``dtype``, ``shape``, ``data_offsets``; these
    count from its end.

    Source: the format of safetensors, https://huggingface.co/docs/safetensors

    Args:
        content: of the file.

    Raises:
        ValueError: it is no such file; so are ``KeyError`` and ``TypeError``.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    return {name: _array(content, start, **entry) for name, entry in header.items()}


def _array(content: bytes, start: int, dtype: str, shape: list[int], data_offsets: list[int]) -> NDArray[Any]:
    first, last = data_offsets
    return np.frombuffer(content[start + first : start + last], TYPES[dtype]).reshape(shape)
