"""What goes from a reader to the student, and from there to a writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.batch.ids import Ids, take

BLOCK_BYTES, MOST_ROWS, LEAST_ROWS = 2**25, 2**16, 2**10
"""Of the numbers of a block, features and probabilities, as they would be dense; rows of a block."""


def rows_of_a_block(num_features: int, num_classes: int) -> int:
    """A power of two, the same for the same student: a job that was killed goes on with the same blocks."""
    fit = BLOCK_BYTES // (4 * (num_features + num_classes))
    return int(min(MOST_ROWS, max(LEAST_ROWS, 2 ** (max(fit, 1).bit_length() - 1))))


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a file.

    Args:
        start: number of its first row in the file, from 0.
        x: ``[B, D]`` float32, an array or a scipy CSR matrix.
        ids: ``[B]``, or nothing.
        faults: row in the block → why it cannot be read; such a row of ``x`` says nothing.
    """

    start: int
    x: Any
    ids: Ids | None = None
    faults: dict[int, str] = field(default_factory=dict)


def by_number(row: int) -> str:
    """Where a row is in a file that has no lines."""
    return f"row {row} (from 0)"


@dataclass(frozen=True)
class Scored:
    """A block's answers.

    Args:
        start: number of its first row in the file.
        count: ``B``.
        proba: ``[G, C]`` of the rows that were not rejected, in their order.
        ids: ``[B]``, or nothing.
        rejects: row in the block → reason, ascending.
    """

    start: int
    count: int
    proba: NDArray[np.float32]
    ids: Ids | None = None
    rejects: dict[int, str] = field(default_factory=dict)

    @property
    def good(self) -> NDArray[np.int64]:
        """``[G]`` rows in the block that were not rejected."""
        return np.delete(np.arange(self.count), list(self.rejects))

    @property
    def good_ids(self) -> Ids | None:
        """``[G]`` of these rows."""
        return take(self.ids, self.good) if self.ids is not None and self.rejects else self.ids

    def best(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """``[G]`` the most probable class of each of these rows, and its probability."""
        best = self.proba.argmax(axis=1)
        return best, np.take_along_axis(self.proba, best[:, None], axis=1)[:, 0]


class Source(Protocol):
    """A file of rows that is read from any block on."""

    @property
    def total(self) -> int | None:
        """Rows, where the file says so."""

    @property
    def columns(self) -> list[str] | None:
        """``D`` names of the features in the order of ``x``, where there are such."""

    def where(self, row: int) -> str:
        """Where a row is, as a user finds it in the file."""

    def blocks(self, rows: int, skip: int) -> Iterator[Block]:
        """All blocks of ``rows`` rows after the first ``skip`` of them; an empty file has one block, an empty one.

        Raises:
            GraphKDError: the file does not hold what it should.
        """
