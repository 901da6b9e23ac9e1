"""Consistent reads of a store: no read sees a partial update."""

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
"""Seconds of an update in progress after which a reader checks whether the writer is alive."""


class Reader:
    """Reader of a store that another process may be changing.

    The writer makes ``header[SEQUENCE]`` odd before it changes arrays and even afterwards (a seqlock). A read is
    valid only if the number was even before it and is the same after it; otherwise it is repeated. Files that have
    grown are detected by the number of the layout.

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
        """Returns what ``take`` copies from one version of the store; its exceptions are validated likewise."""
        while True:
            arrays = self.arrays
            header = arrays.header
            sequence = header[SEQUENCE]
            if sequence & 1:
                self._wait()
            elif header[LAYOUT] > arrays.layout.number:
                self.arrays = open_arrays(self.folder)
            else:
                try:
                    result = take(arrays)
                except Exception:
                    if header[SEQUENCE] == sequence:
                        raise
                else:
                    if header[SEQUENCE] == sequence:
                        return result

    def _wait(self) -> None:
        """Waits until the update in progress ends; completes it from the journal if its writer has died."""
        begin, header = time.monotonic(), self.arrays.header
        sequence = header[SEQUENCE]
        while header[SEQUENCE] == sequence:
            time.sleep(1e-4)
            if time.monotonic() - begin > PATIENCE:
                self._complete()
                begin = time.monotonic()

    def _complete(self) -> None:
        """Completes the updates in the journal of a writer that did not close the store, unless it is alive.

        A killed writer leaves at most one partial update in the arrays; after a power failure they may lack any
        part of what is in the journal, undetectably.
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
        """Returns whether a writer is alive, without write permission."""
        try:
            return is_locked(self.folder / LOCK)
        except OSError:
            return False
