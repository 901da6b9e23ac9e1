"""Writes to a store's files: every call is one step, after any of which the process may be killed."""

from __future__ import annotations

import os
from pathlib import Path

from graphkd.errors import GraphKDError
from graphkd.locks import Lock


class BusyError(GraphKDError):
    """Another process writes to the store."""


class ClosedError(GraphKDError):
    """The store is not writable."""


def write(handle: int, content: bytes | memoryview, offset: int) -> None:
    """Writes all of ``content`` at ``offset``.

    Files are read through memory maps and written through system calls: a full disk raises an error here, while in
    a map it kills the process.
    """
    view = memoryview(content)
    while len(view):
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


def sync(handle: int) -> None:
    """Flushes a file to disk."""
    os.fsync(handle)


def truncate(handle: int, size: int) -> None:
    """Truncates a file."""
    os.ftruncate(handle, size)


def allocate(handle: int, size: int) -> None:
    """Extends a file to at least ``size`` bytes; new bytes are zero and allocated on disk."""
    if os.fstat(handle).st_size < size:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        else:
            os.ftruncate(handle, size)


def replace(new: Path, path: Path) -> None:
    """Renames a file, replacing an existing one."""
    os.replace(new, path)


def remove(path: Path) -> None:
    """Removes a file, if it exists."""
    path.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Flushes a folder's entries to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        sync(handle)
    finally:
        os.close(handle)


def publish(path: Path, content: bytes) -> None:
    """Writes a file atomically: readers see the old or the new content."""
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
    """Acquires a lock file exclusively, until it is released or the process ends.

    Raises:
        BusyError: another process holds it.
    """
    try:
        return Lock(path)
    except BlockingIOError:
        raise BusyError(
            f"{path.parent} is being written by another process: a store has one writer, close that one first"
        ) from None
