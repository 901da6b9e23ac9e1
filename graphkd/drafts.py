"""Temporary files and folders, locked by their process; those left by a killed process are removed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graphkd.locks import is_at

SUFFIX = ".draft"


@contextmanager
def draft_file(path: Path) -> Iterator[Path]:
    """Yields a new temporary file beside ``path``; it is deleted at the block's end unless it was renamed."""
    sweep(path)
    while True:
        handle, name = tempfile.mkstemp(SUFFIX, f".{path.name}.", path.parent)
        if _locked(handle, Path(name)):
            break
        os.close(handle)
    try:
        yield Path(name)
    finally:
        os.close(handle)
        Path(name).unlink(missing_ok=True)


@contextmanager
def draft_folder(path: Path) -> Iterator[Path]:
    """Yields a new temporary folder beside ``path``; it is deleted at the block's end unless it was renamed.

    Whatever has the temporary name at that time is deleted, with its contents.
    """
    sweep(path)
    while True:
        draft = Path(tempfile.mkdtemp(SUFFIX, f".{path.name}.", path.parent))
        with suppress(FileNotFoundError):
            handle = os.open(draft, os.O_RDONLY)
            if _locked(handle, draft):
                break
            os.close(handle)
    try:
        yield draft
    finally:
        os.close(handle)
        shutil.rmtree(draft, ignore_errors=True)


def sweep(path: Path) -> None:
    """Removes temporary files and folders of ``path`` that were left by killed processes."""
    prefix = f".{path.name}."
    pattern = re.compile(rf"{re.escape(prefix)}(old\.)?[a-z0-9_]{{8}}{re.escape(SUFFIX)}")
    with os.scandir(path.parent) as entries:
        drafts = [Path(entry.path) for entry in entries if entry.name.startswith(prefix)]
    for draft in drafts:
        if pattern.fullmatch(draft.name):
            _remove_left(draft)


def sync(path: Path) -> None:
    """Flushes a file's content, or a folder's entries, to the disk with ``fsync``."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def umask() -> int:
    """Returns the umask of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def hold(folder: Path) -> int:
    """Opens and locks a folder; while the returned file descriptor is open, ``sweep`` does not remove it."""
    handle = os.open(folder, os.O_RDONLY)
    _try_lock(handle)
    return handle


def _locked(handle: int, draft: Path) -> bool:
    """Returns whether a draft still exists once it is locked: before that another process may have removed it."""
    _try_lock(handle)
    return is_at(handle, draft)


def _try_lock(handle: int) -> None:
    with suppress(OSError):  # on a file system without locks nothing is swept either
        fcntl.flock(handle, fcntl.LOCK_EX)


def _remove_left(draft: Path) -> None:
    try:
        handle = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # just deleted, or of another user
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)
    except OSError:  # locked: its process is running
        return
    finally:
        os.close(handle)
