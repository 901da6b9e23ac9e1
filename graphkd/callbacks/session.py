"""Delivery of what is computed to the callbacks of the run in progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from graphkd.callbacks.base import Callback
from graphkd.errors import GraphKDError

Records = Sequence[dict[str, Any]]
"""Lines of ``log.jsonl``: ``stage``, ``epoch``, and values by name."""


class Session:
    """The callbacks of one seed of a run.

    Args:
        callbacks: to call, in order.
        seed: of the run.
    """

    def __init__(self, callbacks: Sequence[Callback], seed: int) -> None:
        self.callbacks, self.seed = callbacks, seed
        self._delivered: Counter[str] = Counter()

    def epochs(self, stage: str, records: Callable[[int], Records]) -> None:
        """Delivers the epochs of a stage that were not delivered yet.

        Args:
            stage: its name.
            records: function from a number of epochs to the records after them.
        """
        for record in records(self._delivered[stage]):
            values = {name: value for name, value in record.items() if name not in ("stage", "epoch", "seed")}
            for callback in self.callbacks:
                callback.on_epoch_end(self.seed, stage, record["epoch"], dict(values))
            self._delivered[stage] += 1

    def stage_over(self, stage: str, log: Records, summary: dict[str, float]) -> None:
        """Delivers what is missing of a stage, such as one that was loaded from the cache, and its end.

        Args:
            stage: its name; its earlier phases are named ``stage-…``.
            log: records of all stages so far.
            summary: of the stage.
        """
        for name in dict.fromkeys(record["stage"] for record in log):
            if name == stage or name.startswith(f"{stage}-"):
                rows = [record for record in log if record["stage"] == name]
                self.epochs(name, lambda done, rows=rows: rows[done:])  # type: ignore[misc]
        for callback in self.callbacks:
            callback.on_stage_end(self.seed, stage, dict(summary))


_CURRENT: ContextVar[Session | None] = ContextVar("graphkd-callbacks", default=None)


def current_session() -> Session | None:
    """Returns the session of the seed in training, or None without callbacks."""
    return _CURRENT.get()


@contextmanager
def session_of(callbacks: Sequence[Callback], seed: int) -> Iterator[Session | None]:
    """Makes the callbacks receive what is trained inside."""
    token = _CURRENT.set(Session(callbacks, seed) if callbacks else None)
    try:
        yield _CURRENT.get()
    finally:
        _CURRENT.reset(token)


def checked_callbacks(callbacks: Iterable[Any]) -> list[Callback]:
    """Returns the callbacks as a list.

    Raises:
        GraphKDError: one of them is none.
    """
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        raise GraphKDError("callbacks must be a list: give [callback]")
    found = list(callbacks)
    for callback in found:
        if not isinstance(callback, Callback):
            raise GraphKDError(
                f"callbacks holds {type(callback).__name__}, which is none: derive it from "
                "graphkd.callbacks.Callback, and give an object of it"
            )
    return found
