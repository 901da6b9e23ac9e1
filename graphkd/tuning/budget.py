"""How much a search may try."""

from __future__ import annotations

import time

TEACHERS = 0.25
"""Share of the time after which no further round of teachers begins."""
TEACHERS_END = 0.35
"""Share of the time at which teachers that are still in training are given up."""
LEAST, MOST = 0.15, 0.5
"""Bounds on the share of the time that is kept for the last runs."""
CONFIRMING = 0.15
"""Share of the time that is kept for the finalists, before the last runs."""
TEACHERS_PER_STUDENT = 4
"""With a number of trials, one teacher is tried for as many students."""


class Budget:
    """Time, and a number of candidates.

    Args:
        minutes: for the whole search, the last runs included.
        trials: students that are tried at most; None for as many as the time allows.
        elapsed: seconds that were used before, by a search that goes on.
    """

    def __init__(self, minutes: float, trials: int | None = None, elapsed: float = 0.0) -> None:
        self.seconds, self.trials = 60 * minutes, trials
        self._start = time.time() - elapsed
        self._last = LEAST * self.seconds

    @property
    def elapsed(self) -> float:
        """Seconds of the search so far."""
        return time.time() - self._start

    @property
    def end(self) -> float:
        """Time, as of ``time.time``, at which candidates stop."""
        return self.last_runs - CONFIRMING * self.seconds

    @property
    def last_runs(self) -> float:
        """Time at which finalists stop, and the last runs begin."""
        return self._start + self.seconds - self._last

    @property
    def teachers_end(self) -> float:
        """Time at which teachers stop."""
        return self._start + TEACHERS_END * self.seconds

    def keep(self, seconds: float) -> None:
        """Keeps time for the last runs, as far as their length is known; at most half of all."""
        self._last = min(MOST * self.seconds, max(LEAST * self.seconds, seconds))

    def teachers(self, tried: int) -> bool:
        """Returns whether another round of teachers fits."""
        most = None if self.trials is None else max(1, self.trials // TEACHERS_PER_STUDENT)
        return self.elapsed < TEACHERS * self.seconds and (most is None or tried < most)

    def students(self, tried: int) -> bool:
        """Returns whether another round of students fits."""
        return time.time() < self.end and (self.trials is None or tried < self.trials)
