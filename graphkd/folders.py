"""Atomic creation, replacement and reading of folders that several processes use."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from graphkd.drafts import SUFFIX, draft_folder, hold, umask
from graphkd.errors import GraphKDError
from graphkd.exchange import exchange

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds within which one reading of a folder must complete without the folder being replaced."""


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary folder, which replaces ``path`` if the block succeeds, else is deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    restore(path)
    with draft_folder(path) as draft:
        yield draft
        os.chmod(draft, 0o777 & ~umask())
        replace_folder(draft, path)


def replace_folder(new: Path, path: Path) -> None:
    """Replaces ``path`` by ``new``, atomically where the system supports it; the old folder is removed last.

    Elsewhere the old folder is first renamed: a process killed in between leaves it under that name, and
    ``restore`` renames it back.
    """
    if not path.is_dir():
        os.rename(new, path)
    elif exchange(new, path):
        _remove(new)
    else:
        _move_aside_and_replace(new, path)


def _move_aside_and_replace(new: Path, path: Path) -> None:
    old = Path(tempfile.mkdtemp(SUFFIX, f".{path.name}.old.", path.absolute().parent))
    try:
        while not _replaced(new, path, old):
            continue  # a reader has just restored the old one
    finally:
        if path.is_dir():
            _remove(old)


def _replaced(new: Path, path: Path, old: Path) -> bool:
    handle = hold(path)
    try:
        os.replace(path, old)
        os.replace(new, path)
        return True
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        with suppress(OSError):
            os.rename(old, path)
        raise
    finally:
        os.close(handle)


def _remove(place: Path) -> None:
    if place.is_symlink():
        place.unlink()
    else:
        shutil.rmtree(place, ignore_errors=True)


def restore(path: Path) -> bool:
    """Restores a folder that a process renamed for its replacement, but was killed before it finished.

    Returns:
        Whether there was such a folder.

    Raises:
        GraphKDError: the folder exists, and cannot be renamed back.
    """
    if os.path.lexists(path) or not path.parent.is_dir():
        return False
    prefix = f".{path.name}.old."
    candidates = [
        entry for entry in path.parent.iterdir() if entry.name.startswith(prefix) and _holds_files(entry)
    ]
    if not candidates:
        return False
    last = max(candidates, key=lambda entry: entry.stat().st_mtime_ns)
    try:
        os.rename(last, path)
    except OSError as error:
        if not path.is_dir():
            raise GraphKDError(
                f"{path} was being replaced by a process that was killed, and cannot be put back "
                f"({error.strerror}): rename {last} to {path.name}"
            ) from None
    return True


def steadily(folder: Path, read: Callable[[], T]) -> T:
    """Reads consistently from a folder that other processes may replace.

    Args:
        folder: contains what is read.
        read: called again if the folder has been replaced in the meantime.

    Raises:
        GraphKDError: raised by ``read`` on an unchanged folder, or the folder is replaced again and again.
    """
    end = time.monotonic() + PATIENCE
    while True:
        handle = _opened(folder)  # so that its inode number is not reused
        try:
            result = read()
            if _is_still(handle, folder):
                return result
            if time.monotonic() > end:
                raise GraphKDError(f"{folder} is replaced again and again: read it when that is over")
        except (GraphKDError, OSError):
            if (_is_still(handle, folder) and not restore(folder)) or time.monotonic() > end:
                raise
        finally:
            if handle is not None:
                os.close(handle)


def _opened(folder: Path) -> int | None:
    try:
        return os.open(folder, getattr(os, "O_PATH", os.O_RDONLY))
    except OSError:
        return None


def _is_still(handle: int | None, folder: Path) -> bool:
    try:
        status = os.stat(folder)
    except OSError:
        return handle is None
    return handle is not None and os.path.samestat(os.fstat(handle), status)


def _holds_files(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink() and any(place.iterdir())
