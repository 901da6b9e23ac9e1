"""The single writer of a store: updates go to the journal first, then to the arrays."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from graphkd.deploy.store import disk
from graphkd.deploy.store.arrays import Arrays, open_arrays
from graphkd.deploy.store.files import make, sweep, write_lists
from graphkd.deploy.store.journal import STEP, Journal, Patch, Record
from graphkd.deploy.store.layout import BY_NODE, JOURNAL, LAYOUT, LOCK, SEQUENCE, read_layout
from graphkd.deploy.store.new_ids import append_id, cut_ids
from graphkd.deploy.store.recovery import (
    APPLYING,
    REPLAYED,
    REPLAYING,
    check_journal,
    next_version,
    replayed_version,
)
from graphkd.deploy.store.transaction import Transaction
from graphkd.deploy.store.update import Update, compute_update
from graphkd.errors import GraphKDError

CHECKPOINT_BYTES = 2**26
"""Size of the journal in bytes at which the arrays are flushed to disk and it is truncated."""


class Writer:
    """Writer that holds the store's lock, and replays the journal of a previous writer that was killed.

    An update is computed in memory, appended to the journal and flushed to disk, and then written to the arrays
    while ``header[SEQUENCE]`` is odd. It is committed once its record is complete.

    Args:
        folder: of the store.

    Raises:
        GraphKDError: there is no store, another process writes to it, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mutex, self._process = threading.Lock(), os.getpid()
        read_layout(folder)
        try:
            self._lock = disk.lock(folder / LOCK)
        except OSError as error:
            raise disk.ClosedError(
                f"{folder} cannot be written ({error.strerror}): choose a store that can be"
            ) from None
        self._open: list[int] = []
        try:
            self._journal = Journal(folder / JOURNAL)
            self._open.append(self._journal.handle)
            self._recover()
        except BaseException:
            self._release()
            raise

    def update(self, plan: Callable[[Arrays], Transaction]) -> Transaction:
        """Applies an update atomically.

        Args:
            plan: returns the transaction, or raises an error.

        Raises:
            GraphKDError: the update is invalid, and nothing has changed; or a previous update was interrupted.
        """
        self._check_open()  # before the mutex, which a thread may have held when this process was forked
        with self._mutex:
            self._check_open()
            draft = plan(self.arrays)
            try:
                self._make_room(draft)
                if draft.node_id is not None:
                    append_id(self.folder, self.arrays.next_id, draft.node_id)
                self._commit(compute_update(draft, self.arrays, self._used))
            except OSError as error:
                self._release()
                raise GraphKDError(
                    f"{self.folder} could not be written ({error.strerror or error}): make room, open it again, "
                    "it will be as before the update or as after it"
                ) from error
            except BaseException:
                self._release()
                raise
            return draft

    def close(self) -> None:
        """Truncates the journal and releases the lock; does nothing in a forked process."""
        if self._lock.held:
            with self._mutex:
                if self._lock.held:
                    self._checkpoint()
                    self._release()

    def _check_open(self) -> None:
        if os.getpid() != self._process:
            raise GraphKDError(
                f"{self.folder} is written by the process that this one was forked from: open it after the fork"
            )
        if not self._lock.held:
            raise GraphKDError(
                f"{self.folder} was closed, or an update of it was cut short: open it again with write=True"
            )

    def _release(self) -> None:
        """Releases the lock without a checkpoint, as if killed: the next writer replays the journal."""
        for handle in reversed(self._open):
            os.close(handle)
        self._open = []
        self._lock.close()

    def _recover(self) -> None:
        self.arrays = open_arrays(self.folder)
        layout = self.arrays.layout
        self._open_files()
        records, end = self._journal.read(layout.number)
        check_journal(self.folder, self.arrays.header[SEQUENCE], records)
        self._journal.cut(end)
        self._replay(records)
        if self.arrays.header[LAYOUT] != layout.number:
            self._write_header(LAYOUT, layout.number)
        cut_ids(self.folder, self.arrays.next_id)
        self._measure()
        sweep(self.folder, layout)

    def _replay(self, records: list[Record]) -> None:
        """Brings the arrays to the version of the last record; if killed meanwhile, the replay is repeated."""
        sequence = self.arrays.header[SEQUENCE]
        if not records and sequence % 2 == 0:
            return
        version = replayed_version(sequence, records)
        if sequence % STEP != REPLAYED:
            self._write_header(SEQUENCE, version + REPLAYING)
            for record in records:
                self._put(record.patches())
            self._sync()
        self._write_header(SEQUENCE, version + REPLAYED)
        self._sync()
        self._journal.cut()
        self._write_header(SEQUENCE, version + STEP)

    def _open_files(self) -> None:
        """Opens the files of the current layout."""
        layout = self.arrays.layout
        self._files = {name: make(self.folder, layout, name) for name in layout.files()}
        self._open = [*self._open[:1], *self._files.values()]

    def _measure(self) -> None:
        """Computes the ends of the lists, after the replay."""
        self._used = [lists.used() for lists in (self.arrays.incoming, self.arrays.outgoing)]

    def _make_room(self, draft: Transaction) -> None:
        layout, edits = self.arrays.layout, draft.edits()
        rooms = [sum(part.rooms().values()) for part in edits]
        nodes = int(draft.born[-1]) + 1 if draft.born.size else 0
        short = any(
            used + room > slots for used, room, slots in zip(self._used, rooms, layout.slots, strict=False)
        )
        if not short and nodes <= layout.capacity:
            return
        capacity = layout.capacity if nodes <= layout.capacity else 2 * layout.capacity
        lengths = [int(part.base.index["length"].sum()) for part in edits]
        slots = [2 * (length + part.most()) for length, part in zip(lengths, edits, strict=True)]
        self._grow(capacity, (slots[0], slots[-1]))
        draft.rebase(self.arrays)

    def _grow(self, capacity: int, slots: tuple[int, int]) -> None:
        """Extends files, and writes lists without gaps to new ones; the store's content is unchanged."""
        self._checkpoint()
        old = self.arrays.layout
        layout = old.grown(capacity, slots)
        for name in [name for name in layout.files() if name in BY_NODE]:
            disk.allocate(self._files[name], layout.size(name))
            disk.sync(self._files[name])
        nodes = np.arange(self.arrays.next_id)
        kinds = ("in", self.arrays.incoming), ("out", self.arrays.outgoing)
        for which, lists in kinds[: 1 + old.settings.directed]:
            index, entries = lists.index[nodes], lists.entries[lists.places(nodes)]
            write_lists(self.folder, layout, which, index["length"].astype(np.int64), index["crc"], entries)
        layout.write(self.folder)
        self._write_header(LAYOUT, layout.number)
        for handle in self._files.values():
            os.close(handle)
        self._open = self._open[:1]
        self.arrays = open_arrays(self.folder)
        self._open_files()
        self._measure()
        sweep(self.folder, layout)

    def _commit(self, made: Update) -> None:
        if not made.patches:
            return
        if self._journal.size > CHECKPOINT_BYTES:
            self._checkpoint()
        version = next_version(self.arrays.header[SEQUENCE])
        self._journal.append(made.patches, self.arrays.layout.number, version)
        self._write_header(SEQUENCE, version - STEP + APPLYING)
        self._put(made.patches)
        self._write_header(SEQUENCE, version)
        self._used = made.used

    def _put(self, patches: list[Patch]) -> None:
        """Writes patches to the arrays; idempotent."""
        for patch in patches:
            for offset, content in patch.runs():
                disk.write(self._files[patch.file], content, offset)

    def _write_header(self, place: int, value: int) -> None:
        disk.write(self._files["header"], value.to_bytes(8, "little"), 8 * place)

    def _checkpoint(self) -> None:
        """Flushes the arrays, which contain all of the journal, to disk, and truncates the journal."""
        if self._journal.size:
            self._sync()
            self._journal.cut()

    def _sync(self) -> None:
        for handle in self._files.values():
            disk.sync(handle)
