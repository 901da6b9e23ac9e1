"""Reads that never see half an update."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from graphkd.deploy.store.arrays import Arrays, open_arrays
from graphkd.deploy.store.disk import BusyError, ClosedError
from graphkd.deploy.store.layout import JOURNAL, LAYOUT, LOCK, SEQUENCE
from graphkd.deploy.store.writer import Writer
from graphkd.errors import GraphKDError
from graphkd.locks import is_locked

T = TypeVar("T")

PATIENCE = 0.05
"""Seconds of an update in progress after which a reader looks whether its writer is alive."""


class Reader:
    """A store that another process may be changing.

    The writer makes ``header[SEQUENCE]`` odd before it changes arrays and even afterwards. A read counts only if
    the number was even before it and the same after it; else it is done again. Longer files are seen by the number
    of the layout.

    Args:
        folder: of the store.

    Raises:
        GraphKDError: there is no store, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        journal = folder / JOURNAL
        if journal.exists() and journal.stat().st_size:
            self._complete()
        self.arrays = open_arrays(folder)

    def read(self, take: Callable[[Arrays], T]) -> T:
        """What ``take`` copies out of one version of the store; an error that it raises counts likewise."""
        while True:
            arrays = self.arrays
            header = arrays.header
            before = header[SEQUENCE]
            if before & 1:
                self._wait()
            elif header[LAYOUT] > arrays.layout.number:
                self.arrays = open_arrays(self.folder)
            else:
                try:
                    found = take(arrays)
                except Exception:
                    if header[SEQUENCE] == before:
                        raise
                else:
                    if header[SEQUENCE] == before:
                        return found

    def _wait(self) -> None:
        """Until the update in progress is done; one whose writer has died is completed from the journal."""
        begin, header = time.monotonic(), self.arrays.header
        stuck = header[SEQUENCE]
        while header[SEQUENCE] == stuck:
            time.sleep(1e-4)
            if time.monotonic() - begin > PATIENCE:
                self._complete()
                begin = time.monotonic()

    def _complete(self) -> None:
        """Does what a writer left in the journal that did not close the store, unless it is alive and at work.

        A killed one has half an update in the arrays at most; after a loss of power they may lack any part of what
        is in the journal, without a sign of it.
        """
        try:
            Writer(self.folder).close()
        except BusyError:
            return
        except ClosedError:
            if not self._is_written():
                raise GraphKDError(
                    f"{self.folder} holds an update that a killed process did not finish, and cannot be written: "
                    "open it once as a user who may write it"
                ) from None

    def _is_written(self) -> bool:
        """Whether a writer is alive, seen by one who may not write."""
        try:
            return is_locked(self.folder / LOCK)
        except OSError:
            return False
