"""What counts as a number among the settings that a person gives."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from graphkd.errors import GraphKDError


def is_whole(value: Any) -> bool:
    """Whether it is an integer of Python or numpy; truth values are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_real(value: Any) -> bool:
    """Whether it is a number of Python or numpy, NaN and infinity included; truth values are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """Scalars of numpy as Python's own, which JSON and YAML can hold, in lists as well; all else as it is."""
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value.item() if isinstance(value, np.generic) else value


def check_unmasked(values: Any, where: str) -> None:
    """Refuses a masked array with masked entries: what is masked is missing, and its memory holds anything.

    Raises:
        GraphKDError: an entry is masked.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise GraphKDError(f"{where} is masked: what is masked is missing; fill or drop it")
