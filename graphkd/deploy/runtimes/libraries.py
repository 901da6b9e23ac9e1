"""Cache of compiled libraries in a folder private to one user; the checksum of each is verified before use."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from graphkd.atomic_io import sha256_of
from graphkd.drafts import sync
from graphkd.errors import GraphKDError


def private_folder(root: Path, name: str) -> Path:
    """Creates or returns a folder that only the current user can access.

    In a shared cache where another user owns ``name``, the folder is ``name-UID``.

    Raises:
        GraphKDError: both names belong to another user.
        OSError: the folder cannot be created.
    """
    root.mkdir(parents=True, exist_ok=True)
    for folder in (root / name, root / f"{name}-{os.geteuid()}"):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        state = folder.lstat()
        if stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid():
            if stat.S_IMODE(state.st_mode) != 0o700:
                folder.chmod(0o700)
            return folder
    raise GraphKDError(f"{folder} belongs to another user: set GRAPHKD_CACHE to a folder of your own")


def find(folder: Path, key: str) -> Path | None:
    """Returns the intact library of this key that the user owns; other files of the key are removed."""
    for library in sorted(folder.glob(f"{key}-*.so")):
        if _own(library) and library.name == _name(key, library.read_bytes()):
            return library
        library.unlink(missing_ok=True)
    return None


def keep(library: Path, folder: Path, key: str) -> Path:
    """Moves a new library into the folder, after flushing it to disk.

    Returns:
        Its path.
    """
    target = folder / _name(key, library.read_bytes())
    sync(library)
    os.replace(library, target)
    sync(folder)
    return target


def _name(key: str, content: bytes) -> str:
    """Returns a file name that contains the content's checksum, so that one rename publishes both."""
    return f"{key}-{sha256_of([key.encode(), content])[:32]}.so"


def _own(place: Path) -> bool:
    state = place.lstat()
    return stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid()
