"""What counts as a number among the settings that a user gives."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from graphkd.errors import GraphKDError

LARGEST = float(np.finfo(np.float32).max)
"""Of the numbers that single precision holds."""


def is_whole(value: Any) -> bool:
    """Whether it is an integer of Python or numpy; truth values are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_count(value: Any) -> bool:
    """Whether it is an integer from 0 that 31 bits hold: a larger one is a mistake, and an overflow somewhere."""
    return is_whole(value) and 0 <= value < 2**31


def is_real(value: Any) -> bool:
    """Whether it is a number of Python or numpy, NaN and infinity included; truth values are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """Scalars of numpy as Python's own, which JSON and YAML can hold, in lists as well; all else as it is."""
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value.item() if isinstance(value, np.generic) else value


def check_unmasked(values: Any, where: str) -> None:
    """Refuses a masked array with masked entries, by itself or in a list: what is masked is missing.

    Raises:
        GraphKDError: an entry is masked, and its memory holds anything.
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
    """Refuses numbers in floating point that are one of several whole numbers, such as those from 2^53 in double.

    Args:
        values: ``[N]`` array, or any value of numpy or Python.
        where: they come from, for the error message.

    Raises:
        GraphKDError: there is such a number.
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
