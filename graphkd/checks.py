"""Checks of numbers and arrays that a user passes."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from graphkd.errors import GraphKDError

LARGEST = float(np.finfo(np.float32).max)
"""Largest finite number in single precision."""


def is_whole(value: Any) -> bool:
    """Returns whether a value is a Python or numpy integer; booleans are not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_count(value: Any) -> bool:
    """Returns whether a value is an integer in [0, 2^31): a larger count is a mistake and would overflow."""
    return is_whole(value) and 0 <= value < 2**31


def is_real(value: Any) -> bool:
    """Returns whether a value is a real Python or numpy number, NaN and infinity included; booleans are not."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """Converts numpy scalars, also in lists, to Python's, for JSON and YAML; returns other values unchanged."""
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value.item() if isinstance(value, np.generic) else value


def check_unmasked(values: Any, where: str) -> None:
    """Checks that an array, or a list of arrays, has no masked entries: masked entries are missing values.

    Raises:
        GraphKDError: an entry is masked; its memory is undefined.
    """
    parts = values if isinstance(values, list | tuple) else [values]
    for row, part in enumerate(parts):
        if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
            if part is values:
                row = int(np.ma.getmaskarray(part).reshape(len(part), -1).any(axis=1).argmax()) if part.ndim else 0
            raise GraphKDError(
                f"{where} holds masked values, which are missing (first in row {row}): fill or drop them"
            )


def check_exact(values: Any, where: str) -> None:
    """Checks that floating-point values are below the limit of exact integers, 2^53 in double precision.

    From there on, one floating-point number stands for several integers.

    Args:
        values: ``[N]`` array, or any numpy or Python value.
        where: source of the values, for the error message.

    Raises:
        GraphKDError: a value reaches the limit.
    """
    dtype = getattr(values, "dtype", np.dtype(np.float64))
    if getattr(dtype, "kind", "") != "f":
        return
    limit = 2.0 ** (np.finfo(dtype).nmant + 1)
    table = np.abs(np.asarray(values, dtype=np.float64 if dtype.itemsize < 8 else dtype))
    if bool(((table >= limit) & np.isfinite(table)).any()):
        value = table[(table >= limit) & np.isfinite(table)].flat[0]
        raise GraphKDError(
            f"{where} holds {value:.0f} as {dtype}, which is one of several whole numbers from {limit:.0f} on: "
            "give whole numbers or texts"
        )
