"""Sequence numbers: versions in steps of 8, and the writer's progress towards the next version in between."""

from __future__ import annotations

from pathlib import Path

from graphkd.deploy.store.journal import STEP, Record
from graphkd.errors import GraphKDError

APPLYING, REPLAYING, REPLAYED = 1, 3, 5
"""Offsets to a version: the next one is being written; the journal is being replayed; it has been replayed."""


def next_version(sequence: int) -> int:
    """Returns the sequence number after one more update; older versions of graphkd counted in twos."""
    return (sequence | (STEP - 1)) + 1


def check_journal(folder: Path, sequence: int, records: list[Record]) -> None:
    """Raises an error if the arrays contain, in whole or in part, an update that the journal has lost.

    Args:
        folder: of the store.
        sequence: of the header.
        records: the complete records.

    Raises:
        GraphKDError: a replay of the records would mix older rows with newer ones.
    """
    if not records and sequence % 2 and sequence % STEP != REPLAYED:
        raise GraphKDError(
            f"{folder} stopped in the middle of an update, but its journal is damaged: build it again"
        )
    last = records[-1].sequence if records else None
    if last is not None and last < _reached(sequence):
        raise GraphKDError(f"{folder} is ahead of its journal, which is damaged: build it again")


def replayed_version(sequence: int, records: list[Record]) -> int:
    """Returns the version after a replay of the journal."""
    last = records[-1].sequence if records else None
    if last is not None:
        return last
    return sequence - REPLAYED if not records else next_version(sequence)


def _reached(sequence: int) -> int:
    """Returns the last version of which the arrays may contain a part."""
    if sequence % 2 == 0:
        return sequence
    base = sequence - sequence % STEP
    return base if sequence % STEP in (REPLAYING, REPLAYED) else base + STEP
