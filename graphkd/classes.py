"""Names of classes as Python's own values: their type is kept from the data to ``predict``."""

from __future__ import annotations

import math
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
        """``scores [B, C]`` → the class with the largest one, ``[B]``.

        Raises:
            GraphKDError: a score is no number; it would count as the largest.
        """
        numbers: NDArray[Any] = scores.argmax(axis=1)
        largest = scores[0, numbers[0]] if len(scores) == 1 else scores.max(initial=-1.0)
        if not math.isfinite(largest):  # NaN counts as the largest
            check_numbers(scores.max(axis=1))
        return numbers if self._array is None else self._array[numbers]


def check_numbers(answers: NDArray[np.float32]) -> None:
    """Refuses answers that are no numbers.

    Args:
        answers: ``[B]``, one of each row that is no number if any of the row's is none.

    Raises:
        GraphKDError: the line names the first such row.
    """
    if not (math.isfinite(answers[0]) if len(answers) == 1 else np.isfinite(answers).all()):
        raise GraphKDError(
            f"the student's answer for row {int((~np.isfinite(answers)).argmax())} is no number: the row's values "
            "are too large; scale them as in training"
        )


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
