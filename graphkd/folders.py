"""Folders that are either whole or absent, while other processes read and replace them."""

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
"""Seconds in which a folder that is read must stay the same one for once."""


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it takes the place of ``path`` when the block ends well, else it vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    restore(path)
    with draft_folder(path) as draft:
        yield draft
        os.chmod(draft, 0o777 & ~umask())
        replace_folder(draft, path)


def replace_folder(new: Path, path: Path) -> None:
    """Puts ``new`` in the place of ``path``, in one step where the system can; what was there is removed last.

    Where it cannot, the old folder is moved aside first: a process that is killed then leaves it there, and
    ``restore`` puts it back.
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
            continue  # a reader had just put the old one back
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
    """Puts a folder back that was moved aside by a process that was killed before it put the new one in its place.

    Returns:
        Whether there was such a one.

    Raises:
        GraphKDError: it is there, and may not be put back.
    """
    if os.path.lexists(path) or not path.parent.is_dir():
        return False
    start = f".{path.name}.old."
    aside = [entry for entry in path.parent.iterdir() if entry.name.startswith(start) and _holds_files(entry)]
    if not aside:
        return False
    last = max(aside, key=lambda entry: entry.stat().st_mtime_ns)
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
    """What is read of one folder, while other processes may put others in its place.

    Args:
        folder: what is read is in it.
        read: is called again where the folder is another one afterwards.

    Raises:
        GraphKDError: what ``read`` raises of a folder that stays, or none stays.
    """
    end = time.monotonic() + PATIENCE
    while True:
        handle = _opened(folder)  # which keeps its number from being given to another one
        try:
            found = read()
            if _is_still(handle, folder):
                return found
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
        now = os.stat(folder)
    except OSError:
        return handle is None
    return handle is not None and os.path.samestat(os.fstat(handle), now)


def _holds_files(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink() and any(place.iterdir())
