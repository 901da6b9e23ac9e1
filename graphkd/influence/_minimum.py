"""The minimum of N × N cosines as bounds, and the time and memory limits of its search."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.outofcore import table_store


@dataclass(frozen=True)
class Minimum:
    """Bounds ``low <= min_ij S_ij <= high``, and the fraction of the N × N pairs that was computed."""

    low: float
    high: float
    share: float

    @property
    def exact(self) -> bool:
        """Whether the bounds are equal."""
        return self.low == self.high


class Means:
    """Time and memory limits of a search; the time starts at construction.

    Args:
        max_seconds: time limit of the search, or ``None`` to search until the minimum is exact.
        max_memory_gb: maximal working memory in units of 10^9 bytes; at most the budget of the run.

    Raises:
        GraphKDError: a limit is not a number or out of range.
    """

    def __init__(self, max_seconds: float | None, max_memory_gb: float) -> None:
        if max_seconds is not None and not (_is_number(max_seconds) and max_seconds >= 0):
            raise GraphKDError(
                f"influence.max_seconds is {max_seconds!r}: it must be a number from 0, or nothing for no limit"
            )
        if not (_is_number(max_memory_gb) and max_memory_gb > 0):
            raise GraphKDError(f"influence.max_memory_gb is {max_memory_gb!r}: it must be a number above 0")
        self.bytes = table_store().within(int(1e9 * max_memory_gb))
        self._end = math.inf if max_seconds is None else time.monotonic() + max_seconds

    @property
    def left(self) -> float:
        """Remaining seconds of the search; infinite without a limit."""
        return self._end - time.monotonic()

    @property
    def limited(self) -> bool:
        """Whether there is a time limit."""
        return self._end < math.inf


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
