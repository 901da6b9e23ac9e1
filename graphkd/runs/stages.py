"""Log lines for finished stages."""

from __future__ import annotations

import time
from collections.abc import Callable

from graphkd.training.stages.stage_cache import StageCache


class Stages:
    """Timer and logger of the stages of one seed.

    Args:
        seed: of the run.
        cache: of finished stages.
        tell: called with the line, or None.
    """

    def __init__(self, seed: int, cache: StageCache, tell: Callable[[str], None] | None) -> None:
        self.seed, self.cache, self.tell = seed, cache, tell
        self._begin()

    def over(self, stage: str, name: str, kept_as: str, compiled: float = 0.0) -> None:
        """Logs a finished stage, and starts the timer of the next one.

        Args:
            stage: its kind.
            name: of the part.
            kept_as: its name in the cache; if none was stored since the last stage, it was loaded from the cache.
            compiled: seconds of it in which targets were compiled, logged as a separate stage.
        """
        seconds = time.perf_counter() - self._start
        if self.tell is not None:
            cached = self.cache.folder is not None and kept_as not in self.cache.made[self._made :]
            if compiled:
                self.tell(f"seed {self.seed}: targets {name}, {compiled:.1f} s")
            duration = f"{'found, ' if cached else ''}{seconds - compiled:.1f} s"
            self.tell(f"seed {self.seed}: {stage} {name}, {duration}")
        self._begin()

    def _begin(self) -> None:
        self._start, self._made = time.perf_counter(), len(self.cache.made)
