"""Lock files of a process; locks are not inherited by forked processes."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path


class Lock:
    """Exclusive lock on a file, held until it is closed or its process ends.

    Args:
        path: of the lock file; created if missing.

    Raises:
        BlockingIOError: another process or lock holds it.
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
        """Releases the lock; a forked process only closes its inherited descriptor: the parent keeps the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_locked(path: Path, flags: int = 0) -> bool:
    """Returns whether a lock is held; read permission on the file suffices.

    Args:
        path: of the lock file.
        flags: extra flags for ``os.open``, such as ``os.O_NOFOLLOW``.

    Raises:
        OSError: the file cannot be read.
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
    """Returns whether an open file or folder is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _let_go() -> None:
    for lock in list(_HELD):
        lock.close()


_HELD: weakref.WeakSet[Lock] = weakref.WeakSet()
os.register_at_fork(after_in_child=_let_go)
