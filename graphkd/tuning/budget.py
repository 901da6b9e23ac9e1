"""How much a search may try."""

from __future__ import annotations

import time

TEACHERS = 0.3
"""Share of the time after which no further round of teachers begins."""
TEACHERS_END = 0.4
"""Share of the time at which teachers that are still in training are given up."""
LAST = 0.3
"""Share of the time that is kept for the finalists and for the winner's run on new seeds."""
TEACHERS_PER_STUDENT = 4
"""With a number of trials, one teacher is tried for as many students."""


class Budget:
    """Time, and a number of candidates.

    Args:
        minutes: for the whole search, the winner's run included.
        trials: students that are tried at most; None for as many as the time allows.
        elapsed: seconds that were used before, by a search that goes on.
    """

    def __init__(self, minutes: float, trials: int | None = None, elapsed: float = 0.0) -> None:
        self.seconds, self.trials = 60 * minutes, trials
        self._start = time.time() - elapsed
        self._share = 1 - LAST

    @property
    def elapsed(self) -> float:
        """Seconds of the search so far."""
        return time.time() - self._start

    @property
    def end(self) -> float:
        """Time, as of ``time.time``, at which candidates stop."""
        return self._start + self._share * self.seconds

    @property
    def teachers_end(self) -> float:
        """Time at which teachers stop."""
        return self._start + TEACHERS_END * self.seconds

    def teachers(self, tried: int) -> bool:
        """Returns whether another round of teachers fits."""
        most = None if self.trials is None else max(1, self.trials // TEACHERS_PER_STUDENT)
        return self.elapsed < TEACHERS * self.seconds and (most is None or tried < most)

    def students(self, tried: int) -> bool:
        """Returns whether another round of students fits."""
        return time.time() < self.end and (self.trials is None or tried < self.trials)

    def extend(self) -> None:
        """Lets the finalists use half of the time that was kept."""
        self._share = 1 - LAST / 2
