"""Journal of a job's finished blocks, beside its output, from which an interrupted job resumes."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.atomic_io import seal, sha256, write_json
from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.ids import pack, unpack
from graphkd.deploy.batch.progress import LOCK, open_progress

JOB, DRAFT = "job.json", "draft"

OWN = re.compile(r"lock|(\.job\.json\.\w+(\.draft)?)|job\.json|draft|output|rejects|block-\d{8,}")
"""Names of all files that a job creates in its folder."""

DIGEST = 32
"""Size in bytes of the digest before each block."""


class Journal:
    """The scored blocks of a job: one file each, complete or absent.

    Each contains a checksum of its content, its number and the job: a block that was damaged, moved or scored by
    another student is scored again, as are those after it.

    Args:
        folder: of the files.
        job: everything that the blocks depend on.
    """

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        self.folder, self._seal = folder, seal(job)
        if not _same(folder / JOB, job):
            _empty(folder, (LOCK, JOB))
            write_json(folder / JOB, {**job, "checksum": self._seal})
        self.finished = 0
        while self._file(self.finished).is_file():
            self.finished += 1

    def blocks(self) -> Iterator[Scored]:
        """Yields the finished blocks, in order, up to the first invalid one."""
        for number in range(self.finished):
            content = memoryview(self._file(number).read_bytes())
            if content[:DIGEST] != self._digest(number, content[DIGEST:]):
                self.finished = number
                return
            file = BytesIO(content[DIGEST:])
            location, proba, rejects, ids = (np.load(file, allow_pickle=False) for _ in range(4))
            start, count = location.tolist()
            reasons = {int(row): reason for row, reason in json.loads(rejects.tobytes()).items()}
            yield Scored(start, count, proba, unpack(ids.tobytes()), reasons)

    def add(self, block: Scored) -> None:
        """Writes the next block, flushed to disk."""
        rejects, ids = json.dumps(block.rejects).encode(), pack(block.ids)
        texts = [np.frombuffer(part, dtype=np.uint8) for part in (rejects, ids)]
        arrays = (np.array([block.start, block.count]), block.proba, *texts)
        parts = [part for array in arrays for part in _saved(array)]
        draft = self.folder / DRAFT
        with draft.open("wb") as file:
            file.writelines([self._digest(self.finished, *parts), *parts])
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._file(self.finished))
        self.finished += 1

    def _file(self, number: int) -> Path:
        return self.folder / f"block-{number:08}"

    def _digest(self, number: int, *parts: bytes | memoryview) -> bytes:
        """Computes a digest against accidental damage, not tampering: of the content a CRC, twice as fast."""
        crc = 0
        for part in parts:
            crc = zlib.crc32(part, crc)
        return bytes.fromhex(sha256(f"{self._seal} {number} {crc} {sum(map(len, parts))}".encode()))


def _saved(array: NDArray[Any]) -> tuple[bytes, memoryview]:
    """Returns the bytes of ``np.save``, without a copy of the data."""
    array, head = np.ascontiguousarray(array), BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    return head.getvalue(), array.reshape(-1).data.cast("B")


@contextmanager
def journal_of(output: Path, job: dict[str, Any], again: bool = True) -> Iterator[Journal]:
    """Yields the journal of a job; it is deleted if the block succeeds, or fails before anything was finished.

    Args:
        output: of the job; the journal is a hidden folder beside it.
        job: everything that the blocks depend on; blocks of another job are discarded.
        again: whether the same input can be read again; else the journal is deleted in any case, and an existing
            one is not used.

    Raises:
        InUseError: another process is writing it.
        GraphKDError: the folder's name is in use for something else.
    """
    folder, lock = open_progress(output, _is_ours)
    try:
        if not again:
            _empty(folder)
        journal = Journal(folder, job)
        try:
            yield journal
        except BaseException:
            if lock.held and not (journal.finished and again):
                _remove(folder)
            raise
        _remove(folder)
    finally:
        lock.close()


def _is_ours(files: list[Path]) -> bool:
    recognized = all(OWN.fullmatch(file.name) and file.is_file() and not file.is_symlink() for file in files)
    return not files or (recognized and bool({LOCK, JOB} & {file.name for file in files}))


def _empty(folder: Path, kept: tuple[str, ...] = (LOCK,)) -> None:
    for file in folder.iterdir():
        if file.name not in kept:
            file.unlink()


def _remove(folder: Path) -> None:
    """Deletes the folder; the lock file last, so that a folder left by a killed process is recognized."""
    for file in sorted(folder.iterdir(), key=lambda file: file.name == LOCK):
        file.unlink()
    folder.rmdir()


def _same(file: Path, job: dict[str, Any]) -> bool:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(content == {**job, "checksum": seal(job)})
