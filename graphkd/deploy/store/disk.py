"""All that changes files of a store: every call is one step, after any of which a process may end."""

from __future__ import annotations

import os
from pathlib import Path

from graphkd.errors import GraphKDError
from graphkd.locks import Lock


class BusyError(GraphKDError):
    """Somebody else writes to the store."""


class ClosedError(GraphKDError):
    """The store may not be written."""


def write(handle: int, content: bytes | memoryview, offset: int) -> None:
    """Writes all of ``content`` at ``offset``.

    Files are read through maps and written through calls: a full disk is an error here, in a map it ends the
    process.
    """
    view = memoryview(content)
    while len(view):
        done = os.pwrite(handle, view, offset)
        view, offset = view[done:], offset + done


def sync(handle: int) -> None:
    """Returns when what was written is on the disk."""
    os.fsync(handle)


def truncate(handle: int, size: int) -> None:
    """Cuts a file."""
    os.ftruncate(handle, size)


def allocate(handle: int, size: int) -> None:
    """Makes a file at least ``size`` bytes long; what is new reads as zeros and has its place on the disk."""
    if os.fstat(handle).st_size < size:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        else:
            os.ftruncate(handle, size)


def replace(new: Path, path: Path) -> None:
    """Renames a file over another one."""
    os.replace(new, path)


def remove(path: Path) -> None:
    """Removes a file, if it is there."""
    path.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Returns when names that were made or changed in a folder are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        sync(handle)
    finally:
        os.close(handle)


def publish(path: Path, content: bytes) -> None:
    """Puts a file into place whole: readers see the old or the new one."""
    draft = path.with_name(f".{path.name}.new")
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        write(handle, content, 0)
        sync(handle)
    finally:
        os.close(handle)
    replace(draft, path)
    sync_folder(path.parent)


def lock(path: Path) -> Lock:
    """A lock file that this process holds alone until it is given back or the process ends.

    Raises:
        BusyError: somebody holds it.
    """
    try:
        return Lock(path)
    except BlockingIOError:
        raise BusyError(
            f"{path.parent} is being written by another process: a store has one writer, close that one first"
        ) from None
