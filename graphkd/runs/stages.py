"""A line for every stage that is over, for logs."""

from __future__ import annotations

import time
from collections.abc import Callable

from graphkd.training.stages.stage_cache import StageCache


class Stages:
    """The stages of one seed as they end.

    Args:
        seed: of the run.
        cache: where finished stages are kept and found.
        tell: called with the line, or nothing.
    """

    def __init__(self, seed: int, cache: StageCache, tell: Callable[[str], None] | None) -> None:
        self.seed, self.cache, self.tell = seed, cache, tell
        self._begin()

    def over(self, stage: str, name: str, kept_as: str, compiled: float = 0.0) -> None:
        """Tells of a stage, and begins the next one.

        Args:
            stage: what it is.
            name: of the part.
            kept_as: its name in the cache; where none was kept since the last stage, it was found there.
            compiled: seconds of it in which targets were compiled, a stage of its own.
        """
        seconds = time.perf_counter() - self._start
        if self.tell is not None:
            found = self.cache.folder is not None and kept_as not in self.cache.made[self._made :]
            if compiled:
                self.tell(f"seed {self.seed}: targets {name}, {compiled:.1f} s")
            took = f"{'found, ' if found else ''}{seconds - compiled:.1f} s"
            self.tell(f"seed {self.seed}: {stage} {name}, {took}")
        self._begin()

    def _begin(self) -> None:
        self._start, self._made = time.perf_counter(), len(self.cache.made)
