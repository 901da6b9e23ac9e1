"""Numbers of rows among the nodes of training, by which their positions are looked up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError
from graphkd.io.rows import array_of


def check_nodes(nodes: Any, count: int, known: int) -> NDArray[np.int64]:
    """Checks the numbers of rows among the nodes of training.

    Args:
        nodes: ``[count]`` whole numbers, −1 for a new node.
        count: of the rows.
        known: number of nodes with a position.

    Returns:
        ``[count]`` int64.

    Raises:
        GraphKDError: they are missing, not one per row, or no numbers of nodes.
    """
    if nodes is None:
        raise GraphKDError(
            f"this student reads positions: pass nodes=, the number of each row among the {known} nodes of "
            "training, −1 for a new node, or rows from prepare() with propagated=True"
        )
    try:
        numbers = array_of(nodes)
    except (TypeError, ValueError, RuntimeError):
        numbers = np.empty(0, dtype=object)
    if count == 0 and numbers.shape == (0,):  # an empty list is an array of floats
        return np.zeros(0, dtype=np.int64)
    if numbers.dtype.kind not in "iu" or numbers.shape != (count,):
        raise GraphKDError(f"nodes must be [{count}] whole numbers, but is {numbers.dtype} {list(numbers.shape)}")
    wrong = (numbers < -1) | (numbers >= known)
    if wrong.any():
        raise GraphKDError(
            f"nodes holds {int(numbers[wrong][0])}: the nodes of training are 0 to {known - 1}, and −1 is a new "
            "node"
        )
    result: NDArray[np.int64] = numbers.astype(np.int64)
    return result


def count_nodes(x: Any, nodes: Any) -> int:
    """Returns the number of rows for a student that reads positions alone, from ``x`` if it is given."""
    given = nodes if x is None else x
    if not hasattr(given, "__len__") and not hasattr(given, "shape"):
        raise GraphKDError(
            "this student reads positions alone: pass nodes=, the number of each row among the nodes"
        )
    return int(given.shape[0]) if hasattr(given, "shape") and len(given.shape) > 0 else len(given)
