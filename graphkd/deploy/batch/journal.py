"""What is finished of a job, beside its output, so that a killed one goes on."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.ids import pack, unpack
from graphkd.errors import GraphKDError
from graphkd.storage import seal, write_json

JOB, LOCK = "job.json", "lock"


class Journal:
    """The scored blocks of a job: a file each, whole or absent.

    Args:
        folder: that holds them.
        job: what they depend on.
    """

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        self.folder = folder
        if not _same(folder / JOB, job):
            for file in folder.iterdir():
                if file.name != LOCK:
                    file.unlink()
            write_json(folder / JOB, {**job, "checksum": seal(job)})
        self.finished = 0
        while self._file(self.finished).is_file():
            self.finished += 1

    def blocks(self) -> Iterator[Scored]:
        """The finished ones, in order."""
        for number in range(self.finished):
            with self._file(number).open("rb") as file:
                place, proba, rejects, ids = (np.load(file, allow_pickle=False) for _ in range(4))
            start, count = place.tolist()
            reasons = {int(row): reason for row, reason in json.loads(rejects.tobytes()).items()}
            yield Scored(start, count, proba, unpack(ids.tobytes()), reasons)

    def add(self, block: Scored) -> None:
        """The next one."""
        rejects, ids = json.dumps(block.rejects).encode(), pack(block.ids)
        draft = self.folder / "draft"
        with draft.open("wb") as file:
            np.save(file, np.array([block.start, block.count]))
            np.save(file, block.proba)
            for content in (rejects, ids):
                np.save(file, np.frombuffer(content, dtype=np.uint8))
        os.replace(draft, self._file(self.finished))
        self.finished += 1

    def _file(self, number: int) -> Path:
        return self.folder / f"block-{number:08}"


@contextmanager
def journal_of(output: Path, job: dict[str, Any]) -> Iterator[Journal]:
    """The journal of a job, which goes when the block ends well, or before anything was finished.

    Args:
        output: of the job; the journal is a hidden folder beside it.
        job: what it depends on; of another one nothing is taken.

    Raises:
        GraphKDError: another process is at it.
    """
    folder = output.with_name(f".{output.name}.progress")
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GraphKDError(
                f"{output} is being written by another process: wait for it, or choose another output"
            ) from None
        journal = Journal(folder, job)
        try:
            yield journal
        except BaseException:
            if not journal.finished:
                shutil.rmtree(folder)
            raise
        shutil.rmtree(folder)
    finally:
        os.close(handle)


def _same(file: Path, job: dict[str, Any]) -> bool:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found == {**job, "checksum": seal(job)})
