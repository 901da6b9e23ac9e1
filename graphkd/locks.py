"""Files that a process locks for itself; one that is forked from it holds none of them."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path


class Lock:
    """Held until it is given back, or the process ends that took it.

    Args:
        path: of the lock file; made where there is none.

    Raises:
        BlockingIOError: somebody holds it.
    """

    def __init__(self, path: Path) -> None:
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not is_at(self._handle, path):  # its last holder has just removed it
                raise BlockingIOError
        except BaseException:
            self.close()
            raise
        _HELD.add(self)

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._handle is not None

    def close(self) -> None:
        """Gives it back; in a forked process, what it has of the other one's, which keeps it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_locked(path: Path, flags: int = 0) -> bool:
    """Whether a lock is held, asked by a process that may only read the file.

    Args:
        path: of the lock file.
        flags: to open it with, such as ``os.O_NOFOLLOW``.

    Raises:
        OSError: it may not be read.
    """
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def is_at(handle: int, path: Path) -> bool:
    """Whether an open file or folder is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _let_go() -> None:
    for lock in list(_HELD):
        lock.close()


_HELD: weakref.WeakSet[Lock] = weakref.WeakSet()
os.register_at_fork(after_in_child=_let_go)
