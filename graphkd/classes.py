"""Class names as Python values, whose type is preserved from the data to ``predict``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError

ClassName = bool | int | str
"""Types of a class name."""


def class_name(given: Any) -> ClassName:
    """Converts a class name to Python's bool, int or str.

    Raises:
        GraphKDError: the name has another type.
    """
    name = given.item() if isinstance(given, np.generic) else given
    if not isinstance(name, bool | int | str):
        raise GraphKDError(
            f"data.class_names holds {name!r}, a {type(name).__name__}: "
            "classes are whole numbers, texts or booleans"
        )
    return name


class Classes:
    """Lookup table from class indices to class names, built once.

    Args:
        names: ``C`` names, or None: then predictions are indices.
    """

    def __init__(self, names: Sequence[ClassName] | None) -> None:
        self._array = None if names is None else class_array(names, len(names))

    def best(self, scores: NDArray[np.float32]) -> NDArray[Any]:
        """Returns the class with the largest score, ``[B]``, from ``scores [B, C]``.

        Raises:
            GraphKDError: a score is NaN or infinite; ``argmax`` would select NaN as the largest.
        """
        numbers: NDArray[Any] = scores.argmax(axis=1)
        largest = scores[0, numbers[0]] if len(scores) == 1 else scores.max(initial=-1.0)
        if not math.isfinite(largest):  # max and argmax treat NaN as the largest
            check_numbers(scores.max(axis=1))
        return numbers if self._array is None else self._array[numbers]


def check_numbers(answers: NDArray[np.float32]) -> None:
    """Checks that outputs are finite.

    Args:
        answers: ``[B]``, one value per row, which is NaN or infinite if any of the row's outputs is.

    Raises:
        GraphKDError: an output is not finite; the message names the first such row.
    """
    if not (math.isfinite(answers[0]) if len(answers) == 1 else np.isfinite(answers).all()):
        raise GraphKDError(
            f"the student's answer for row {int((~np.isfinite(answers)).argmax())} is no number: the row's values "
            "are too large; scale them as in training"
        )


def class_array(names: Sequence[ClassName] | None, num_classes: int) -> NDArray[Any]:
    """Returns the classes as an array ``[C]`` of their names, or of 0 to C − 1 where they have no names.

    The array has the names' common type; dtype object if there is none, or if integers exceed int64.
    """
    if names is None:
        return np.arange(num_classes)
    kinds = {type(name) for name in names}
    small = kinds == {int} and all(-(2**63) <= name < 2**63 for name in names if isinstance(name, int))
    if small or kinds in ({bool}, {str}):
        return np.array(names)
    array = np.empty(len(names), dtype=object)
    array[:] = list(names)
    return array
