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
            with np.load(self._file(number), allow_pickle=False) as arrays:
                start, count = arrays["place"].tolist()
                rejects = {int(row): reason for row, reason in json.loads(arrays["rejects"].tobytes()).items()}
                yield Scored(start, count, arrays["proba"], unpack(arrays), rejects)

    def add(self, block: Scored) -> None:
        """The next one."""
        draft = self.folder / "draft.npz"
        with draft.open("wb") as file:
            np.savez(
                file,
                place=np.array([block.start, block.count]),
                proba=block.proba,
                rejects=np.frombuffer(json.dumps(block.rejects).encode(), dtype=np.uint8),
                **({} if block.ids is None else pack(block.ids)),  # type: ignore[arg-type]
            )
        os.replace(draft, self._file(self.finished))
        self.finished += 1

    def _file(self, number: int) -> Path:
        return self.folder / f"block-{number:08}.npz"


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
