"""Names of classes as Python's own values: their type is kept from the data to ``predict``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError

ClassName = bool | int | str
"""What a class may be called."""


def class_name(given: Any) -> ClassName:
    """A class's name as Python's own bool, int or str.

    Raises:
        GraphKDError: it is something else.
    """
    name = given.item() if isinstance(given, np.generic) else given
    if not isinstance(name, bool | int | str):
        raise GraphKDError(
            f"data.class_names holds {name!r}, a {type(name).__name__}: "
            "classes are whole numbers, texts or booleans"
        )
    return name


class Classes:
    """Numbers of classes → their names, an array that is made once.

    Args:
        names: ``C`` names, or nothing: then numbers stay numbers.
    """

    def __init__(self, names: Sequence[ClassName] | None) -> None:
        self._array = None if names is None else class_array(names, len(names))

    def best(self, scores: NDArray[np.float32]) -> NDArray[Any]:
        """``scores [B, C]`` → the class with the largest one, ``[B]``."""
        numbers: NDArray[Any] = scores.argmax(axis=1)
        return numbers if self._array is None else self._array[numbers]


def class_array(names: Sequence[ClassName] | None, num_classes: int) -> NDArray[Any]:
    """``[C]`` the classes in their own values, the numbers 0 to C − 1 where they have no names.

    An array of their common type; of objects where they have none, or numbers do not fit into int64.
    """
    if names is None:
        return np.arange(num_classes)
    kinds = {type(name) for name in names}
    small = kinds == {int} and all(-(2**63) <= name < 2**63 for name in names if isinstance(name, int))
    if small or kinds in ({bool}, {str}):
        return np.array(names)
    found = np.empty(len(names), dtype=object)
    found[:] = list(names)
    return found
