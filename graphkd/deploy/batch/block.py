"""Blocks of rows, passed from a reader to the student, and of predictions, passed to a writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.batch.ids import Ids, take

BLOCK_BYTES, MOST_ROWS, LEAST_ROWS = 2**25, 2**16, 2**10
"""Size of a block, features and probabilities as dense arrays, in bytes; bounds of its number of rows."""


def rows_of_a_block(num_features: int, num_classes: int) -> int:
    """Returns a power of two that depends only on the student, so that a resumed job has the same blocks."""
    fit = BLOCK_BYTES // (4 * (num_features + num_classes))
    return int(min(MOST_ROWS, max(LEAST_ROWS, 2 ** (max(fit, 1).bit_length() - 1))))


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a file.

    Args:
        start: index of its first row in the file.
        x: ``[B, D]`` float32, an array or a scipy CSR matrix.
        ids: ``[B]``, or None.
        faults: row in the block → why it cannot be read; such a row of ``x`` is meaningless.
    """

    start: int
    x: Any
    ids: Ids | None = None
    faults: dict[int, str] = field(default_factory=dict)


def by_number(row: int) -> str:
    """Returns the location of a row in a file without lines."""
    return f"row {row} (from 0)"


@dataclass(frozen=True)
class Scored:
    """Predictions for a block.

    Args:
        start: index of its first row in the file.
        count: ``B``.
        proba: ``[G, C]`` probabilities, or predicted numbers, of the rows that were not rejected, in order.
        ids: ``[B]``, or None.
        rejects: row in the block → reason, ascending.
    """

    start: int
    count: int
    proba: NDArray[np.float32]
    ids: Ids | None = None
    rejects: dict[int, str] = field(default_factory=dict)

    @property
    def good(self) -> NDArray[np.int64]:
        """Indices ``[G]`` of the rows in the block that were not rejected."""
        return np.delete(np.arange(self.count), list(self.rejects))

    @property
    def good_ids(self) -> Ids | None:
        """Ids ``[G]`` of these rows, or None."""
        return take(self.ids, self.good) if self.ids is not None and self.rejects else self.ids


class Source(Protocol):
    """A file of rows that can be read from any block on."""

    @property
    def total(self) -> int | None:
        """Number of rows, or None if unknown."""

    @property
    def columns(self) -> list[str] | None:
        """Names of the ``D`` features in the order of ``x``, or None."""

    def where(self, row: int) -> str:
        """Returns the location of a row in the file, for error messages."""

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """Yields blocks of ``rows`` rows after the first ``skip``; an empty file has one empty block.

        Raises:
            GraphKDError: the content of the file is invalid.
        """
