"""The folder of a server with several workers, which no killed one leaves behind for good."""

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
"""A file in it that its server holds locked for as long as it lives, however it ends."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder, removed at the end; those of servers that were killed are removed first."""
    remove_left()
    folder = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = folder.rename(folder.with_name(folder.name[1:]))  # others look for it from here on
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_left() -> None:
    """Removes this user's folders whose server is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another server is faster, or it has no lock
            if _is_own(folder) and not is_locked(folder / LOCK, os.O_NOFOLLOW):
                shutil.rmtree(folder, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
