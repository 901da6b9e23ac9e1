"""Temporary folder of a server with several workers, which is removed even if the server is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphkd.locks import is_locked

PREFIX = "graphkd-serve-"
LOCK = "lock"
"""File in the folder that the server process keeps locked until it ends, however it ends."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Yields a new folder, removed at the end; folders of killed servers are removed first."""
    remove_left()
    folder = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = folder.rename(folder.with_name(folder.name[1:]))  # from here on, other servers find it
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_left() -> None:
    """Removes the user's folders whose server has ended."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another server has removed it, or it has no lock
            if _is_own(folder) and not is_locked(folder / LOCK, os.O_NOFOLLOW):
                shutil.rmtree(folder, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    state = folder.lstat()
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid()
