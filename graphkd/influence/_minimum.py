"""The least of N × N cosines: what is known of it, and the means to look for it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.outofcore import table_store


@dataclass(frozen=True)
class Minimum:
    """``low <= min_ij S_ij <= high``, and which share of the N × N pairs was looked at for it."""

    low: float
    high: float
    share: float

    @property
    def exact(self) -> bool:
        """Whether nothing is uncertain."""
        return self.low == self.high


class Means:
    """Time and memory of a search; its clock runs from here.

    Args:
        max_seconds: until the search has to end, or nothing for one that ends when the minimum is exact.
        max_memory_gb: most working memory in units of 10^9 bytes; where the run has a smaller budget, that.

    Raises:
        GraphKDError: one of them is no number, or outside its range.
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
        """Seconds until the search has to end; infinite where there is no limit."""
        return self._end - time.monotonic()

    @property
    def limited(self) -> bool:
        """Whether there is a limit of time."""
        return self._end < math.inf


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
