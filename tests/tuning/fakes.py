"""Candidates that are scored by a formula, in place of being trained."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from graphkd.tuning.candidate import Candidate, Result
from graphkd.tuning.scoring import STOPPED
from graphkd.tuning.workers import Task, Workers


class FakeWorkers(Workers):
    """Scores candidates by a function; counts them, and is interrupted after some."""

    def __init__(self, score: Callable[[Candidate, int], float | None], most: int = 10**9) -> None:
        super().__init__(None, None)
        self.score, self.most = score, most
        self.scored: list[tuple[int, int]] = []

    def results(self, tasks: Sequence[Task], end: float) -> Iterator[list[Result]]:
        for candidates, seed in tasks:
            found = []
            for candidate in candidates:
                if time.time() > end:
                    found.append(Result(candidate.number, seed, None, 0.0, STOPPED))
                    continue
                if candidate.number >= 0:
                    self.scored.append((candidate.number, seed))
                if len(self.scored) > self.most:
                    raise KeyboardInterrupt
                value = self.score(candidate, seed)
                error = "" if value is not None else "it failed"
                found.append(Result(candidate.number, seed, value, 1.0, error))
            yield found


def settings_of(candidate: Candidate) -> dict[str, str]:
    return dict(override.split("=", 1) for override in candidate.overrides)
