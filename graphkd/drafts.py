"""Files and folders under a temporary name, locked while their process lives; of a killed one they are removed."""

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
    """A new file beside ``path``; gone when the block ends, unless it was renamed."""
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
    """A new folder beside ``path``; gone when the block ends, with what is in it then, unless it was renamed."""
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
    """Removes drafts of ``path`` that processes left which were killed."""
    start = f".{path.name}."
    form = re.compile(rf"{re.escape(start)}(old\.)?[a-z0-9_]{{8}}{re.escape(SUFFIX)}")
    with os.scandir(path.parent) as entries:
        found = [Path(entry.path) for entry in entries if entry.name.startswith(start)]
    for draft in found:
        if form.fullmatch(draft.name):
            _remove_left(draft)


def sync(path: Path) -> None:
    """Returns when what was written to a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def umask() -> int:
    """What new files and folders of this process lack of all permissions."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def hold(folder: Path) -> int:
    """A handle of a folder: as long as it is open, nobody sweeps the folder away."""
    handle = os.open(folder, os.O_RDONLY)
    _try_lock(handle)
    return handle


def _locked(handle: int, draft: Path) -> bool:
    """Whether the draft is still there once it is locked: until then another process may take it for one left."""
    _try_lock(handle)
    return is_at(handle, draft)


def _try_lock(handle: int) -> None:
    with suppress(OSError):  # a file system without locks; nothing is swept there either
        fcntl.flock(handle, fcntl.LOCK_EX)


def _remove_left(draft: Path) -> None:
    try:
        handle = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # just gone, or somebody else's
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)
    except OSError:  # its process lives
        return
    finally:
        os.close(handle)
