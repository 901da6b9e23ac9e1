"""What the header counts: versions in steps of 8, and how far a writer is on the way to the next one."""

from __future__ import annotations

from pathlib import Path

from graphkd.deploy.store.journal import STEP, Record
from graphkd.errors import GraphKDError

APPLYING, REPLAYING, REPLAYED = 1, 3, 5
"""Beyond a version: the next one is being written; the journal up to it is; the journal is no longer needed."""


def next_version(sequence: int) -> int:
    """What the header will count after one more update; older versions of graphkd counted in twos."""
    return (sequence | (STEP - 1)) + 1


def check_journal(folder: Path, sequence: int, records: list[Record]) -> None:
    """Refuses arrays that hold, in whole or in part, an update that the journal has lost.

    Args:
        folder: of the store.
        sequence: of the header.
        records: that are whole.

    Raises:
        GraphKDError: to replay these would put older rows among newer ones.
    """
    if not records and sequence % 2 and sequence % STEP != REPLAYED:
        raise GraphKDError(
            f"{folder} stopped in the middle of an update, but its journal is damaged: build it again"
        )
    last = records[-1].sequence if records else None
    if last is not None and last < _reached(sequence):
        raise GraphKDError(f"{folder} is ahead of its journal, which is damaged: build it again")


def replayed_version(sequence: int, records: list[Record]) -> int:
    """The version that the journal leads to."""
    last = records[-1].sequence if records else None
    if last is not None:
        return last
    return sequence - REPLAYED if not records else next_version(sequence)


def _reached(sequence: int) -> int:
    """The last version of which something may be in the arrays."""
    if sequence % 2 == 0:
        return sequence
    base = sequence - sequence % STEP
    return base if sequence % STEP in (REPLAYING, REPLAYED) else base + STEP
